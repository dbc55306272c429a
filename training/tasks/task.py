"""What a task says: its model, loss, measures and report. The loop, the files and the report's frame are shared.

Heavy libraries are imported inside methods, so that a finished model can be used without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from training.config import TrainingConfig
from training.sections import Section

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor, nn

    from training.batches import Examples
    from training.data import TrainingData


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a model gave for one part of a release."""

    rows: NDArray[np.int64]
    """(M, V) rows of the pixel array."""
    targets: NDArray[np.generic]
    """(M,) the truth."""
    values: NDArray[np.float32]
    """(M, ...) the model's outputs."""


class Task(Protocol):
    """One kind of training; frozen, made from the data of a run or from a model's config.json."""

    name: str
    headline: str
    """Name of the measure that a reader looks at first."""
    has_single_examples: bool
    """Whether each example is one picture that is judged by itself, so that some can stand for all."""

    @classmethod
    def from_data(cls, data: TrainingData, config: TrainingConfig) -> Self:
        """Learn what must be known of the data (class names, ...).

        Raises:
            UsageError: the release does not fit the task, or a setting of `[task]` is unknown.
        """
        ...

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Make the task again from what `facts` gave."""
        ...

    def facts(self) -> dict[str, Any]:
        """Give what a model needs to be used, as JSON values."""
        ...

    @classmethod
    def is_inner_trait(cls, samples: pd.DataFrame) -> bool:
        """Guess whether the label is a person's inner trait, where the settings do not say."""
        ...

    def build_model(self, config: TrainingConfig, channels: int) -> nn.Module:
        """Build the network; its first weights follow torch's global generator."""
        ...

    def examples(self, data: TrainingData, part: str, seed: int) -> Examples:
        """Say what one epoch over a part shows; where that is drawn, the seed decides."""
        ...

    def forward(self, model: nn.Module, images: Tensor) -> Tensor:
        """Compute outputs (B, ...) of images (B, V, C, S, S) float32 in [0, 1]."""
        ...

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Give the mean loss of a batch."""
        ...

    def measure(self, outputs: Outputs) -> dict[str, Any]:
        """Measure outputs against the truth, as JSON values; needs at least one example."""
        ...

    def describe(self, values: NDArray[np.float32]) -> dict[str, Any]:
        """Say in words and numbers what the outputs of one picture mean."""
        ...

    def predictions(self, outputs: Outputs) -> dict[str, NDArray[Any]]:
        """Give further columns (M,) of predictions.parquet."""
        ...

    def sections(self, measures: Mapping[str, Any], outputs: Outputs, data: TrainingData) -> list[Section]:
        """Say what the report shows of one part of the release."""
        ...

"""Classification: one picture, one of K classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.suspects import Suspect
from training import figures
from training.config import TrainingConfig, read_task_settings
from training.measures import classification_measures, softmax
from training.sections import Chart, Gallery, Section, Table
from training.tasks.task import Outputs

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor, nn

    from training.batches import Examples
    from training.data import TrainingData

TOP_COUNT = 5
"""How many mistakes and successes per class the report shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationSettings:
    """Settings `task.*` of classification."""

    finds_label_errors: bool = True
    """Whether labels that are probably wrong are written as `suspects.json` for the review queue `labels`."""


@dataclass(frozen=True, slots=True)
class ClassificationTask:
    """Cross entropy over the labels of a release."""

    classes: tuple[str, ...]
    """Sorted; their order is the order of the outputs."""
    finds_label_errors: bool = False
    seed: int = 0
    name = "classification"
    headline = "accuracy"
    has_single_examples = True

    @classmethod
    def from_data(cls, data: TrainingData, config: TrainingConfig) -> ClassificationTask:
        """Take the classes from the train split.

        Raises:
            UsageError: samples without label, fewer than two classes, or a class that is nowhere trained.
        """
        settings = read_task_settings(ClassificationSettings, config)
        classes = tuple(sorted(set(data.samples["label"].iloc[data.rows("train")])))
        if len(classes) < 2:
            raise UsageError(f"classification needs two classes to train on, the release has {len(classes)}")
        task = cls(classes, settings.finds_label_errors, config.seed)
        task._targets(data)
        return task

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> ClassificationTask:
        """Make the task of a finished model."""
        return cls(tuple(facts["classes"]))

    def facts(self) -> dict[str, Any]:
        """Give the class names."""
        return {"classes": list(self.classes)}

    @classmethod
    def is_inner_trait(cls, samples: pd.DataFrame) -> bool:
        """Take any class of portraits for an inner trait; who a person is would be verification."""
        return bool((samples["slot"] == "portrait").any())

    def build_model(self, config: TrainingConfig, channels: int) -> nn.Module:
        """Build a network with one output per class."""
        from training.models import create_model

        return create_model(config.model, channels, config.data.size_px, len(self.classes))

    def examples(self, data: TrainingData, part: str, seed: int) -> Examples:
        """Show each sample of the part once; nothing is drawn."""
        from training.batches import Examples

        rows = data.rows(part)
        return Examples(rows[:, np.newaxis], self._targets(data)[rows])

    def _targets(self, data: TrainingData) -> NDArray[np.int64]:
        labels = data.samples["label"].astype(str)
        if unlabelled := int((labels == "").sum()):
            raise UsageError(f"{unlabelled} of {len(labels)} samples have no label; classification needs one each")
        targets = {name: index for index, name in enumerate(self.classes)}
        unknown = sorted(set(labels) - targets.keys())
        if unknown:
            raise UsageError(f"classes without training samples: {', '.join(unknown)}; "
                             f"trained are {', '.join(self.classes)}")  # fmt: skip
        return labels.map(targets).to_numpy(np.int64)

    def forward(self, model: nn.Module, images: Tensor) -> Tensor:
        """Compute logits (B, K) of the one view."""
        logits: Tensor = model(images[:, 0])
        return logits

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Give the mean cross entropy."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(outputs, targets)

    def measure(self, outputs: Outputs) -> dict[str, Any]:
        """Measure accuracy and its kin; see `classification_measures`."""
        return classification_measures(outputs.values, outputs.targets.astype(np.int64), self.classes)

    def suspects(self, data: TrainingData) -> list[Suspect] | None:
        """Look for labels that are probably wrong; None where that was not asked for."""
        from training.label_errors import find_suspects

        return find_suspects(data, self.classes, self.seed) if self.finds_label_errors else None

    def describe(self, values: NDArray[np.float32]) -> dict[str, Any]:
        """Name the most likely class, and give every class its probability, most likely first."""
        probs = softmax(values)
        order = np.argsort(-probs, kind="stable")
        return {
            "label": self.classes[order[0]],
            "label_prob": float(probs[order[0]]),
            "probs": {self.classes[index]: float(probs[index]) for index in order},
        }

    def predictions(self, outputs: Outputs) -> dict[str, NDArray[Any]]:
        """Give the predicted class and the probability of every class."""
        probs = softmax(outputs.values)
        names = np.asarray(self.classes, dtype=object)
        columns: dict[str, NDArray[Any]] = {"predicted": names[probs.argmax(axis=1)]}
        return columns | {f"prob_{name}": probs[:, index] for index, name in enumerate(self.classes)}

    def sections(self, measures: Mapping[str, Any], outputs: Outputs, data: TrainingData) -> list[Section]:
        """Show counts per class, the confusion matrix, and the surest successes and mistakes."""
        matrix = np.asarray(measures["confusion"])
        per_class = measures["per_class"]
        rows = tuple(
            (name, str(each["count"]), str(each["predicted_count"]),
             *(f"{each[key]:.3f}" for key in ("precision", "recall", "f1")))
            for name, each in per_class.items()
        )  # fmt: skip
        table = Table(("class", "real", "predicted", "precision", "recall", "F1"), rows)
        distribution = Chart(
            "class_distribution",
            "How often each class is real and how often it is predicted. Unequal bars are a leaning of the model.",
            lambda figure: figures.draw_distribution(figure, self.classes, matrix),
            (8.0, 0.9 + 0.45 * len(self.classes)),
        )
        confusion = Chart(
            "confusion_matrix",
            "Rows are the true class, columns the predicted one; per cent are of all samples of the part.",
            lambda figure: figures.draw_confusion(figure, self.classes, matrix),
            (6.4, 1.4 + 0.8 * len(self.classes)),
        )
        return [
            Section("Classes", "How well each class is recognised.", (table, distribution)),
            Section("Confusion", "What is taken for what.", (confusion,)),
            Section("Surest answers", _GALLERY_TEXT, tuple(self._galleries(outputs, data))),
        ]

    def _galleries(self, outputs: Outputs, data: TrainingData) -> list[Gallery]:
        probs = softmax(outputs.values)
        predicted, targets = probs.argmax(axis=1), outputs.targets.astype(np.int64)
        sample_ids = data.samples["sample_id"].to_numpy()[outputs.rows[:, 0]]
        galleries = []
        for index, name in enumerate(self.classes):
            for kind, chosen in top_answers(probs, targets, index, TOP_COUNT).items():
                shown = tuple(
                    (str(sample_ids[each]),
                     f"{self.classes[predicted[each]]} {probs[each].max():.0%}"
                     + ("" if predicted[each] == targets[each] else f", is {self.classes[targets[each]]}"))
                    for each in chosen
                )  # fmt: skip
                galleries.append(Gallery(f"{name}: {kind}", shown))
        return galleries


_GALLERY_TEXT = (
    "True positives were rightly given the class, false positives wrongly; false negatives belong to it and were "
    "given another. The surest stand first: sure mistakes are often wrong labels."
)


def top_answers(
    probs: NDArray[np.float64], targets: NDArray[np.int64], class_index: int, count: int
) -> dict[str, list[int]]:
    """List the surest true positives, false positives and false negatives of a class.

    Args:
        probs: (N, K).
        targets: (N,) true classes.
        class_index: the class.
        count: at most so many of each kind.

    Returns:
        Indices into the N samples per kind, by probability of the predicted class, highest first; ties keep order.
    """
    predicted = probs.argmax(axis=1)
    is_real, is_predicted = targets == class_index, predicted == class_index
    order = np.argsort(-probs.max(axis=1), kind="stable")
    kinds = {
        "true positives": is_real & is_predicted,
        "false positives": ~is_real & is_predicted,
        "false negatives": is_real & ~is_predicted,
    }
    return {kind: [int(index) for index in order if mask[index]][:count] for kind, mask in kinds.items()}

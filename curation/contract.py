"""The stage contract: what every stage of curation takes and gives.

*Measure* stages look at one image. The engine decodes each image once, to what the stages of the plan need, and calls
all missing measures on it. *Table* stages look at all samples at once as pandas frames; they are pure.

A stage is one file in `curation/stages/`, registered in `curation/stages/registry.py` by its name, which is also its
derived folder and the prefix of its reasons. Raise `version` when the output may change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from catalog.recipe import Recipe
    from catalog.suspects import Suspect
    from curation.compared import Compared
    from curation.sightings import Sightings

Rgb = NDArray[np.uint8]
"""(H, W, 3) uint8, RGB, EXIF-transposed."""

SIGHTING_COLUMNS = (
    "sighting_id", "image_id", "subject_id", "source", "organisation", "slot", "rank", "image_url", "page_url",
    "label", "kind", "name", "role", "role_class", "is_former", "profile_url", "attributes",
)  # fmt: skip
"""Columns of the frame that curation starts from: one row per sighting with an image, sorted by sighting_id;
`attributes` is a JSON object as text."""

SAMPLE_COLUMNS = (
    "sample_id", "image_id", "subject_id", "sighting_id", "source", "organisation", "slot", "label", "target", "name",
    "image_url", "page_url", "attributes", "face_index", "turn_deg", "box_x0", "box_y0", "box_x1", "box_y1",
)  # fmt: skip
"""Columns that the stage `samples` gives, one row per (image, box, subject), sorted by sample_id. `face_index` is the
row of the chosen face in the image's `faces` signal, -1 (and box -1) where the whole image is the sample;
`turn_deg` is by how much a person turned its picture, counter-clockwise, beyond what the stage `faces` did."""

DECISION_COLUMNS = ("sample_id", "image_id", "subject_id", "stage", "outcome", "reason", "evidence")
"""One row per sample and stage that has something to say; `evidence` is a JSON object as text. No row means keep.
Samples are dropped by any stage's `drop`; `review` keeps them out of a release until a verdict settles them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeNeed:
    """To what an image must be decoded for a measure; the engine decodes to the largest need of the plan."""

    min_side_px: int = 0
    """The shorter side keeps at least this many pixels (or all it has); 0 means the stage needs no pixels."""
    is_original: bool = False
    """Whether the stage needs the original pixels (`DecodedImage.original()`)."""
    has_colours: bool = True
    """Where no stage of a plan needs colours, JPEG gives its luma plane alone, in a twelfth less time."""


@dataclass(slots=True)
class DecodedImage:
    """One image during its pass; pixels are decoded once and shared by all measures."""

    image_id: str
    body: bytes
    rgb: Rgb
    """Scaled decode; `scale` tells by how much."""
    width_px: int
    """Of the original, EXIF-transposed."""
    height_px: int
    scale: float
    """rgb width / original width, in (0, 1]."""
    original: Callable[[], Rgb]
    """Decodes all pixels on first use, then keeps them for this pass."""
    at_least: Callable[[int], Rgb]
    """Decodes to the smallest of 1/8, 1/4, 1/2 and all of the size that has so many px on its shorter side."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What the decoder saw: format, mode, exif_orientation, frames."""
    _luma: NDArray[np.uint8] | None = None

    def luma(self) -> NDArray[np.uint8]:
        """Give the luma of `rgb`: (H, W) uint8, made once for all measures."""
        if self._luma is None:
            self._luma = luma_of(self.rgb)
        return self._luma


def luma_of(rgb: Rgb) -> NDArray[np.uint8]:
    """Weigh the channels as Pillow's mode L does (ITU-R 601): (H, W) uint8."""
    import cv2

    if rgb.strides[2] == 0:  # one plane, shown as three
        return rgb[..., 0]
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.uint8)


Row = dict[str, Any]
MeasureFunction = Callable[[DecodedImage, Mapping[str, Row]], Row]
"""(image, rows of the stages it `needs`) -> the stage's columns. Raises BadImage to give the picture a reason."""


class MeasureStage(Protocol):
    """Looks at one image."""

    name: str
    version: int
    needs: tuple[str, ...]
    """Measure stages whose row of the same image it reads; the engine runs them first."""

    def columns(self, params: Mapping[str, Any]) -> pa.Schema:
        """Say the Arrow columns it gives, without `image_id`."""
        ...

    def decode_need(self, params: Mapping[str, Any]) -> DecodeNeed:
        """Say what it needs of the decoder."""
        ...

    def prepare(self, params: Mapping[str, Any]) -> MeasureFunction:
        """Load models once per worker and give the function that is called per image."""
        ...


@runtime_checkable
class ReadsSome(Protocol):
    """Signals that can read the rows of some images and leave the others where they are."""

    def read_some(self, name: str, image_ids: Iterable[str]) -> pd.DataFrame:
        """Give the frame of a measure stage, of these images only."""
        ...


def rows_of(signals: Mapping[str, pd.DataFrame], name: str, image_ids: Iterable[str]) -> pd.DataFrame:
    """Give the rows of a signal for some images, without reading the others where that can be: they may be large."""
    if isinstance(signals, ReadsSome):
        return signals.read_some(name, image_ids)
    frame = signals[name]
    return frame[frame["image_id"].isin(list(image_ids))]


@runtime_checkable
class ReadsColumns(Protocol):
    """Tables that can read some columns and leave the others where they are."""

    def read_columns(self, name: str, columns: list[str]) -> pa.Table:
        """Give some columns of a stage's table."""
        ...


def columns_of(tables: Mapping[str, pd.DataFrame], name: str, columns: list[str]) -> pd.DataFrame:
    """Give some columns of a table, without reading the others where that can be."""
    if isinstance(tables, ReadsColumns):
        return tables.read_columns(name, columns).to_pandas()
    return tables[name][columns]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInputs:
    """All that a table stage may read."""

    recipe: Recipe
    params: Mapping[str, Any]
    sightings: pd.DataFrame
    """SIGHTING_COLUMNS."""
    signals: Mapping[str, pd.DataFrame]
    """Measure stage -> frame with `image_id` first, then its columns; sorted by image_id."""
    tables: Mapping[str, pd.DataFrame]
    """Earlier table stage -> its table."""
    decisions: pd.DataFrame
    """DECISION_COLUMNS of all earlier stages."""
    verdicts: pd.DataFrame
    """Answers that stand (undone ones left out): queue, target_id, answer, reviewer, answered_at, position."""
    assignments: Mapping[str, str]
    """sample_id -> split of earlier releases of this recipe; `fold <n>` where its parts are folds."""
    documents: Mapping[str, str] = field(default_factory=dict)
    """Name -> text of the lists that `[pairs] lists` names."""
    compared: Compared | None = None
    """Comparisons of pairs made before, for stages that have a `memory_version`; what they add is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableResult:
    """What a table stage gives."""

    table: pd.DataFrame
    """Sorted by its first column; the stage's docstring says the columns."""
    decisions: pd.DataFrame
    """DECISION_COLUMNS, this stage's rows only."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """JSON values worth showing: thresholds chosen, counts."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Further files of the stage's folder by name: a fitted model. Written, not read back."""


class TableStage(Protocol):
    """Looks at all samples at once; pure, no I/O."""

    name: str
    version: int
    signals: tuple[str, ...]
    """Measure stages whose frames it reads, of those that the recipe has; `decode` (what the decoder saw, and the
    `reason` where an image is bad) is always there."""
    tables: tuple[str, ...]
    """Earlier table stages whose tables it reads, of those that the recipe has."""
    reads_verdicts: tuple[str, ...]
    """Queues whose answers it reads; its key covers only those."""
    reads_assignments: bool

    def run(self, inputs: TableInputs) -> TableResult:
        """Compute the table and the decisions."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Curated:
    """The outcome of one curation: what review shows and a release is built from."""

    recipe: Recipe
    sightings: Sightings
    signals: Mapping[str, pd.DataFrame]
    tables: Mapping[str, pd.DataFrame]
    """Table stage -> table: samples, duplicates, noise, labels, groups, splits, pairs as the recipe asks."""
    decisions: pd.DataFrame
    facts: Mapping[str, Mapping[str, Any]]
    """Stage -> its facts."""
    stage_keys: Mapping[str, str]
    """Stage -> key of its derived folder."""
    counts: Mapping[str, int]
    """images_count, images_new_count (measured in this call), samples_count, kept_count, ..."""
    suspects: tuple[Suspect, ...] = ()
    """Suspected label errors that training runs of this recipe left, the latest per sample."""

    def kept(self) -> pd.DataFrame:
        """Samples that no stage drops or holds for review, in sample_id order."""
        from curation.decisions import standing  # which stands on this module

        return standing(self.tables["samples"], self.decisions)

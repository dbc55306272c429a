"""`Finder`: the sellers' pictures that come nearest to a photo, by a finished metric model.

The gallery is embedded once per model and release, into `derived/find/<key>/`, and searched exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.files import replacing
from catalog.manifests import read_manifest, stage_key, write_manifest
from catalog.paths import DataRoot
from catalog.release_format import Release, file_sha256
from training.config import TrainingConfig
from training.data import load_data, manifest_sha256
from training.finished import ONNX
from training.predict import Predictor
from training.retrieval import nearest
from training.tasks.metric import gallery_rows

STAGE, VERSION, VECTORS = "find", 1, "vectors.npy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One item that a photo may show."""

    rank: int
    """From 1."""
    label: str
    cosine: float
    """Of its nearest picture, in [-1, 1]."""
    sample_id: str
    path: Path
    """Of the picture."""
    page_url: str
    image_url: str


class Finder:
    """Searches one release with one model.

    Args:
        model_folder: `models/metric/<id>`.
        release: whose sellers' pictures are searched.
        root: where the embedded gallery is kept.

    Raises:
        UsageError: no finished metric model, or a release without sellers' pictures.
        CatalogCorrupt: a picture cannot be read.
    """

    def __init__(self, model_folder: Path, release: Release, root: DataRoot) -> None:
        self._predictor = Predictor(model_folder)
        if self._predictor.task.name != "metric":
            raise UsageError(
                f"{model_folder.name} is a model for {self._predictor.task.name}; find needs a metric one"
            )
        self.release = release
        settings = TrainingConfig.from_json(self._predictor.config["settings"])
        samples = release.samples().sort_values("sample_id", ignore_index=True)
        self._samples = samples[samples["slot"] == "seller"].reset_index(drop=True)
        if self._samples.empty:
            raise UsageError(f"release {release.recipe}@{release.version} has no sellers' pictures to search")
        inputs = {"release": manifest_sha256(release), "model": file_sha256(model_folder / ONNX)}
        folder = root.stage_folder(STAGE, stage_key(STAGE, VERSION, {}, inputs))
        if read_manifest(folder) is None:
            data = load_data(release, root, settings.data)
            vectors = self._predictor.run(data.pixels[gallery_rows(data)])
            with replacing(folder / VECTORS) as temporary, temporary.open("wb") as stream:
                np.save(stream, vectors)
            write_manifest(folder, {"stage": STAGE, "version": VERSION, "inputs": inputs})
        self._vectors = np.load(folder / VECTORS)

    def picture(self, sample_id: str) -> Path | None:
        """Tell where a searched picture lies; None where it is none of them."""
        rows = self._samples[self._samples["sample_id"] == sample_id]
        return self.release.folder / str(rows["path"].iloc[0]) if len(rows) else None

    def find(self, image: NDArray[np.uint8], count: int = 10) -> list[Found]:
        """Give the nearest items, each by its nearest picture.

        Args:
            image: (H, W, 3) uint8 RGB.
            count: how many items.
        """
        rows, cosines = nearest(self._predictor.outputs([image]), self._vectors, len(self._vectors))
        found: dict[str, Found] = {}
        for row, cosine in zip(rows[0], cosines[0], strict=True):
            sample: dict[str, Any] = self._samples.iloc[int(row)].to_dict()
            item = sample["label"] or sample["subject_id"]
            if item not in found:
                found[item] = Found(
                    rank=len(found) + 1, label=item, cosine=float(cosine), sample_id=sample["sample_id"],
                    path=self.release.folder / sample["path"], page_url=sample["page_url"],
                    image_url=sample["image_url"],
                )  # fmt: skip
            if len(found) == count:
                break
        return list(found.values())

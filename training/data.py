"""From a release to arrays: every picture decoded once into a memory-mapped uint8 array under `derived/training/`.

The array is named by the release's manifest and by size and mode, so that every run on the release shares it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from catalog.errors import CatalogCorrupt, UsageError
from catalog.files import replacing
from catalog.manifests import MANIFEST, read_manifest, stage_key, write_manifest
from catalog.paths import DataRoot
from catalog.release_format import Release, file_sha256
from catalog.schema import SPLITS
from training.config import DataConfig
from training.parts import arranged_samples

if TYPE_CHECKING:
    import pandas as pd

STAGE = "training"
VERSION = 1
"""Raise when the decoded array would differ."""
PIXELS = "pixels.npy"
PADDING = 128
"""Grey level of what is added to a picture that is no square."""
DECODE_THREADS = 2
"""Pillow lets go of the interpreter while it decodes; more threads than this wait for the disk."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """A release as arrays; row i of everything is sample i."""

    release: Release
    pixels: NDArray[np.uint8]
    """(N, C, H, W) uint8, memory-mapped; C is 1 for grey, 3 for RGB."""
    samples: pd.DataFrame
    """Rows of samples.parquet, sorted by sample_id, index 0..N-1."""

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        return int(self.pixels.shape[1])

    @property
    def size_px(self) -> int:
        """Side of the square pictures."""
        return int(self.pixels.shape[2])

    @property
    def subject_codes(self) -> NDArray[np.int64]:
        """Number what the samples show: the label (a person, an item), or the subject where there is none; (N,)."""
        names = self.samples["label"].where(self.samples["label"] != "", self.samples["subject_id"])
        return np.unique(names.to_numpy(str), return_inverse=True)[1].astype(np.int64)

    def rows(self, part: str) -> NDArray[np.int64]:
        """List the rows of one part (see `evaluation_parts`), ascending."""
        samples = self.samples
        split, _, condition = part.partition("_")
        chosen = samples["split"] == split
        if condition == "clean":
            chosen &= samples["is_clean"].astype(bool)
        elif condition == "without_leaking_copies":
            chosen &= ~samples["is_leaking_copy"].astype(bool)
        elif condition:
            raise UsageError(f"no part {part!r} of a release")
        return np.flatnonzero(chosen.to_numpy()).astype(np.int64)


def evaluation_parts(data: TrainingData) -> list[str]:
    """Name the parts that figures are given for: the splits, and the test split less what spoils it, where it does."""
    parts = [split for split in SPLITS if (data.samples["split"] == split).any()]
    test = data.samples[data.samples["split"] == "test"]
    if not test["is_clean"].astype(bool).all():
        parts.append("test_clean")
    if test["is_leaking_copy"].astype(bool).any():
        parts.append("test_without_leaking_copies")
    return parts


def manifest_sha256(release: Release) -> str:
    """Name a release by the sha256 of its manifest."""
    return file_sha256(release.folder / MANIFEST)


def prepare_image(image: Image.Image, settings: DataConfig) -> NDArray[np.uint8]:
    """Turn a picture into what a model sees: the box cut out, then a square as `DataConfig.fit` says, resized.

    Returns:
        (C, S, S) uint8.
    """
    upright = ImageOps.exif_transpose(image)
    if settings.box is not None:
        upright = upright.crop(tuple(settings.box))
    if settings.centre_frac < 1:
        upright = ImageOps.crop(upright, _rim(upright.size, settings.centre_frac))
    wanted = upright.convert("L" if settings.mode == "grey" else "RGB")
    side = (settings.size_px, settings.size_px)
    pixels = np.asarray(wanted if wanted.size == side else _square(wanted, settings))
    return pixels[np.newaxis] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _square(image: Image.Image, settings: DataConfig) -> Image.Image:
    side = (settings.size_px, settings.size_px)
    if settings.fit == "stretch":
        return image.resize(side, Image.Resampling.BICUBIC)
    if settings.fit == "pad":
        return ImageOps.pad(image, side, Image.Resampling.BICUBIC, color=(PADDING,) * len(image.getbands()))
    return ImageOps.fit(image, side, Image.Resampling.BICUBIC)


def _rim(size: tuple[int, int], centre_frac: float) -> tuple[int, int, int, int]:
    """Give what is cut off left, above, right and below, in px."""
    across, down = (round(side * (1 - centre_frac) / 2) for side in size)
    return across, down, across, down


def load_data(
    release: Release, root: DataRoot, settings: DataConfig, on_decoded: Callable[[int, int], None] | None = None
) -> TrainingData:
    """Open a release for training; decodes it where that was not done before.

    Args:
        release: a whole release.
        root: where the decoded array is kept.
        settings: size and mode.
        on_decoded: told how many of how many pictures are decoded.

    Raises:
        CatalogCorrupt: a picture cannot be read; names the sample.
        UsageError: see `training.parts.arranged_samples`.
    """
    samples = arranged_samples(release, settings)
    params: dict[str, Any] = {"size_px": settings.size_px, "mode": settings.mode}
    if settings.box is not None:
        params["box"] = settings.box
    if settings.centre_frac < 1:
        params["centre_frac"] = settings.centre_frac
    if settings.fit != "crop":
        params["fit"] = settings.fit
    key = stage_key(STAGE, VERSION, params, {"release": manifest_sha256(release)})
    folder = root.stage_folder(STAGE, key)
    if read_manifest(folder) is None:
        shape = _decode_all(release, samples, settings, folder / PIXELS, on_decoded)
        write_manifest(folder, {"stage": STAGE, "version": VERSION, "params": params, "shape": list(shape)})
    pixels = np.load(folder / PIXELS, mmap_mode="r")
    if len(pixels) != len(samples):
        raise CatalogCorrupt(f"{folder / PIXELS}: holds {len(pixels)} pictures, the release {len(samples)}")
    return TrainingData(release, pixels, samples)


def _decode_all(
    release: Release,
    samples: pd.DataFrame,
    settings: DataConfig,
    path: Path,
    on_decoded: Callable[[int, int], None] | None,
) -> tuple[int, ...]:
    shape = (len(samples), 1 if settings.mode == "grey" else 3, settings.size_px, settings.size_px)

    def decode(sample: tuple[str, str]) -> NDArray[np.uint8]:
        return _decode(release.folder, *sample, settings)

    pairs = list(zip(samples["sample_id"], samples["path"], strict=True))
    with replacing(path) as temporary, ThreadPoolExecutor(DECODE_THREADS) as pool:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
        for index, pixels in enumerate(pool.map(decode, pairs)):
            array[index] = pixels
            if on_decoded is not None:
                on_decoded(index + 1, len(pairs))
        array.flush()
    return shape


def _decode(folder: Path, sample_id: str, path: str, settings: DataConfig) -> NDArray[np.uint8]:
    try:
        with Image.open(folder / path) as image:
            return prepare_image(image, settings)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise CatalogCorrupt(f"sample {sample_id}: {path} cannot be read as a picture: {error}") from error

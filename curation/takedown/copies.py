"""Near copies of some pictures among all that were collected: hashes nominate, pixels decide, as for duplicates.

Hashes that some recipe measured before are read; of other pictures they are taken now. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from catalog.blobs import BlobStore
from catalog.errors import BadImage, CatalogCorrupt
from curation.compared import Compared
from curation.contract import DecodeNeed
from curation.decode import decode_image
from curation.derived_files import DerivedFiles
from curation.stages.duplicates import SETTINGS, pairs_table
from curation.stages.hashes import VIEWS, measure_hashes
from curation.stages.thumbnails import jpeg_bytes

_THUMBNAIL_PX = 256
_NEED = DecodeNeed(min_side_px=_THUMBNAIL_PX)
_COLUMNS = ["image_id", *VIEWS, "is_low_information", "pixels_digest"]

Progress = Callable[[int, int], None]
"""(pictures hashed, pictures to hash)."""


class CopyFinder:
    """Finds copies among a fixed set of pictures.

    Args:
        images: ids of all pictures.
        blobs: their bytes; pictures whose bytes are gone are left out.
        derived: where recipes keep their hashes.
        on_progress: told of pictures that no recipe had hashed.
    """

    def __init__(
        self, images: Iterable[str], blobs: BlobStore, derived: DerivedFiles, on_progress: Progress | None = None
    ) -> None:
        self._blobs = blobs
        self._extra: dict[str, bytes] = {}
        known = _known_hashes(derived, set(images))
        missing = sorted(set(images) - set(known["image_id"]))
        rows = []
        for number, image in enumerate(missing):
            rows += _hash_row(image, self._body(image))
            if on_progress is not None:
                on_progress(number + 1, len(missing))
        self._hashes = pd.concat([known, _frame(rows)], ignore_index=True) if rows else known

    def add(self, image: str, body: bytes) -> None:
        """Let a picture that was never collected be looked for."""
        self._extra[image] = body
        self._hashes = pd.concat([self._hashes, _frame(_hash_row(image, body))], ignore_index=True)

    def copies_of(self, seeds: Iterable[str], verdicts: Mapping[str, str]) -> set[str]:
        """List the copies of some pictures, and the copies of those; without the seeds.

        Args:
            seeds: image ids.
            verdicts: pair_id -> `same` or `different`, as people answered.
        """
        found = set(seeds)
        fresh = set(seeds)
        while fresh:
            near = self._near(fresh)
            images = sorted((near | fresh) & self._thumbnailed(near | fresh))
            copies = _confirmed(images, self._hashes, self._thumbnails(images), verdicts)
            fresh = {other for pair in copies if pair & fresh for other in pair} - found
            found |= fresh
        return found - set(seeds) - set(self._extra)

    def _near(self, seeds: set[str]) -> set[str]:
        """Pictures whose hashes lie near those of a seed, in any view that the stage compares."""
        hashes = self._hashes
        ids = hashes["image_id"].to_numpy()
        rich = ~hashes["is_low_information"].to_numpy(bool)
        is_seed = hashes["image_id"].isin(seeds).to_numpy()
        near = hashes["pixels_digest"].isin(hashes.loc[is_seed, "pixels_digest"]).to_numpy()
        plain = hashes["phash"].to_numpy(np.uint64)
        for view in (name for name in VIEWS if name.startswith("phash")):
            other = hashes[view].to_numpy(np.uint64)
            radius = int(SETTINGS["turn_radius_bits" if "turn" in view else "radius_bits"])
            base = other if view == "phash_content" else plain
            for row in np.flatnonzero(is_seed & rich):
                near = near | rich & ((_bits(base ^ other[row]) <= radius) | (_bits(other ^ base[row]) <= radius))
        return set(ids[near])

    def _thumbnailed(self, images: set[str]) -> set[str]:
        return {image for image in images if image in self._extra or image in self._blobs}

    def _thumbnails(self, images: list[str]) -> pd.DataFrame:
        rows = []
        for image in images:
            body = self._body(image)
            if body is not None:
                small = Image.fromarray(decode_image(image, body, _NEED).rgb)
                small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX), Image.Resampling.LANCZOS, reducing_gap=None)
                rows.append({"image_id": image, "jpeg": jpeg_bytes(small)})
        return pd.DataFrame(rows, columns=["image_id", "jpeg"])

    def _body(self, image: str) -> bytes | None:
        if image in self._extra:
            return self._extra[image]
        try:
            return self._blobs.get(image)
        except (KeyError, CatalogCorrupt):
            return None


def _confirmed(
    images: list[str], hashes: pd.DataFrame, thumbnails: pd.DataFrame, verdicts: Mapping[str, str]
) -> list[frozenset[str]]:
    if len(images) < 2:
        return []
    signals = {"hashes": hashes[hashes["image_id"].isin(images)], "thumbnails": thumbnails}
    table = pairs_table(images, signals, SETTINGS, verdicts, Compared())
    copies = table[table["is_copy"].astype(bool)]
    return [frozenset(pair) for pair in zip(copies["image_id_a"], copies["image_id_b"], strict=True)]


def _known_hashes(derived: DerivedFiles, wanted: set[str]) -> pd.DataFrame:
    frames = []
    for part in derived.parts("hashes"):
        table = part.read()
        if set(_COLUMNS) <= set(table.column_names):
            frame = table.select([*_COLUMNS, "reason"]).to_pandas()
            frames.append(frame.loc[(frame["reason"] == "") & frame["image_id"].isin(wanted), _COLUMNS])
    known = pd.concat(frames, ignore_index=True) if frames else _frame([])
    return known.drop_duplicates("image_id").astype(_TYPES)


_TYPES: dict[str, Any] = {name: "uint64" for name in _COLUMNS if "hash" in name} | {"is_low_information": "bool"}


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=_COLUMNS).astype(_TYPES)


def _hash_row(image: str, body: bytes | None) -> list[dict[str, Any]]:
    if body is None:
        return []
    try:
        row = measure_hashes(decode_image(image, body, _NEED))
    except BadImage:
        return []  # no picture: only the same bytes are its copies
    # Hashed at another size than recipes hash at: digests of pixels do not compare.
    return [{"image_id": image, **{name: row[name] for name in _COLUMNS[1:]}, "pixels_digest": image}]


def _bits(values: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return np.bitwise_count(values)

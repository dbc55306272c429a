"""Which pictures of a folder are copies of one another: clusters of paths, found by the stage `duplicates`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from catalog.errors import BadImage
from curation.compared import Compared, memory_folder
from curation.contract import DecodeNeed
from curation.decisions import records
from curation.decode import decode_image
from curation.folder.pictures import Measured, Progress, readable
from curation.stages.duplicates import SETTINGS, DuplicatesStage, best_first, cluster_of_images, pairs_table

KINDS = ("bytes", "pixels", "near")
"""What the members of a cluster share, from most to least; a cluster has the kind of its weakest link."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Pictures that are copies of one another."""

    members: tuple[str, ...]
    """Paths, sorted."""
    kind: str
    best: str
    """The member that would be kept: no mark, most pixels, least compressed."""
    copy_prob: float = 1.0
    """Of the least certain pair that holds the cluster together."""
    agreeing_frac: float = 1.0
    """Share of the picture's structure that agrees where that pair is laid over each other, in [0, 1]."""
    phash_distance_bits: int = 0
    """Bits of 64 in which the perceptual hashes of that pair differ, neither of them mirrored or turned."""
    view: str = ""
    """How one of that pair had to be shown: `mirror`, `turn90` ...; empty: as it is."""

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "members": list(self.members),
            "kind": self.kind,
            "best": self.best,
            "copy_prob": round(self.copy_prob, 4),
            "agreeing_frac": round(self.agreeing_frac, 4),
            "phash_distance_bits": self.phash_distance_bits,
            "view": self.view,
        }


def stages_for(*, with_embedding: bool) -> dict[str, dict[str, Any]]:
    """Measure stages that finding copies needs."""
    names = ["hashes", "thumbnails", *(["embedding"] if with_embedding else [])]
    return {name: {} for name in names}


def find_clusters(
    measured: Measured, settings: Mapping[str, Any] | None = None, on_progress: Progress = lambda *_: None
) -> list[Cluster]:
    """Find all copies: equal bytes of any files, equal pixels, and near copies that pixels confirm.

    What was compared is kept beside what was measured, and not compared again.

    Args:
        measured: with the signals of `stages_for`.
        settings: of the stage `duplicates`, on top of its own.
        on_progress: told of `comparing`.

    Returns:
        In the order of their first members.
    """
    paths_of = measured.listed.paths_of
    table = _compared_table(measured, {**SETTINGS, **(settings or {})}, on_progress)
    names = cluster_of_images(paths_of, table)
    images_of: dict[str, list[str]] = {}
    for image, name in zip(paths_of, names, strict=True):
        images_of.setdefault(name, []).append(image)
    weakest = _weakest(table)
    place = best_first(paths_of, names, table, measured.signals["decode"])
    digests = _Digests(measured)
    found = []
    for name, images in images_of.items():
        members = sorted(path for image in images for path in paths_of[image])
        if len(members) > 1:
            best = min(images, key=lambda image: place[image])
            kind = _kind(images, digests)
            found.append(Cluster(tuple(members), kind, paths_of[best][0], **weakest.get(name, {})))
    return sorted(found, key=lambda cluster: cluster.members)


def _compared_table(measured: Measured, settings: Mapping[str, Any], on_progress: Progress) -> pd.DataFrame:
    compared = Compared(memory_folder(measured.derived, DuplicatesStage(), measured.plan.keys))
    try:
        return pairs_table(
            list(readable(measured)), measured.signals, settings, {}, compared,
            lambda done, todo: on_progress("comparing", done, todo),
        )  # fmt: skip
    finally:  # also of a run that is stopped: comparing takes longest
        compared.save()


def _weakest(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Say of the least certain pair of each cluster how alike it is."""
    copies = table[table["is_copy"]].sort_values(["copy_prob", "pair_id"]).drop_duplicates("cluster_id")
    facts = ["copy_prob", "agreeing_frac", "phash_distance_bits", "view"]
    return {str(row["cluster_id"]): {name: row[name] for name in facts} for row in records(copies)}


def _kind(images: Sequence[str], digests: _Digests) -> str:
    if len(images) == 1:
        return "bytes"
    return "pixels" if digests.are_equal(images) else "near"


class _Digests:
    """Tells whether pictures have equal pixels at full size; only pictures of equal size are decoded again."""

    def __init__(self, measured: Measured) -> None:
        decode = measured.signals["decode"]
        self._sizes = dict(
            zip(decode["image_id"], zip(decode["width_px"], decode["height_px"], strict=True), strict=True)
        )
        self._measured = measured
        self._paths = measured.listed.paths_of

    def are_equal(self, images: Iterable[str]) -> bool:
        """Compare all with the first."""
        first, *others = images
        if any(self._sizes[other] != self._sizes[first] for other in others):
            return False
        whole = self._pixels(first)
        return all(self._pixels(other) == whole for other in others)

    def _pixels(self, image: str) -> bytes:
        path = self._measured.listed.folder / self._paths[image][0]
        try:
            return decode_image(image, path.read_bytes(), DecodeNeed(is_original=True)).rgb.tobytes()
        except (BadImage, OSError):
            return image.encode()

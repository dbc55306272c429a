"""Images that never were: catalog rows and measured signals planted from seeds, for benchmarks of the tables."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog import tables
from catalog.db import Catalog, upsert
from catalog.paths import DataRoot
from catalog.recipe import Recipe
from curation.derived import DerivedFolder
from curation.engine import finish_folder, plan_measures
from curation.measuring import part_schema
from curation.stages.hashes import CONTENT_VIEWS

PLANTED_RECIPE = Recipe(
    name="planted", title="", purpose="", sources=("planted",), subject_kind="person", slots=("portrait",),
    stages={"quality": {}, "hashes": {}, "thumbnails": {}, "duplicates": {}, "labels": {}, "groups": {}},
    splits={"ratios": {"train": 0.7, "validation": 0.2, "test": 0.1}, "stratify": ["label"], "seed": 1},
)  # fmt: skip
COPY_SHARE = 0.02
"""Images whose pixels equal an earlier one's."""
_RUN = "20261121T000000Z-000000"
_CHUNK = 20_000


def plant(catalog: Catalog, root: DataRoot, first: int, last: int) -> None:
    """Plant the images number `first` to `last` (exclusive), with sightings, subjects and all measures."""
    plan = plan_measures(PLANTED_RECIPE)
    for start in range(first, last, _CHUNK):
        numbers = np.arange(start, min(last, start + _CHUNK))
        ids = [image_id(number) for number in numbers]
        with catalog.begin() as connection:
            upsert(connection, tables.images, [{"image_id": i, "size_bytes": 9999, "first_run_id": _RUN} for i in ids])
            upsert(connection, tables.subjects, [_subject(number) for number in numbers.tolist()])
            rows = [_sighting(number, image) for number, image in zip(numbers.tolist(), ids, strict=True)]
            upsert(connection, tables.sightings, rows)
        order = np.argsort(ids)
        signals = _signals(numbers[order], [ids[row] for row in order])
        for stage in plan.stages:
            schema = part_schema(stage.name, stage.params_json)
            table = pa.table({name: signals[name] for name in schema.names}).cast(schema)
            DerivedFolder(str(root.derived), stage.name, stage.key).write_table(f"part-{start:012d}.parquet", table)
    for stage in plan.stages:
        finish_folder(str(root.derived), stage)


def image_id(number: int) -> str:
    """The id of a planted image."""
    return hashlib.sha256(f"planted {number}".encode()).hexdigest()


def _subject(number: int) -> dict[str, Any]:
    return {
        "subject_id": f"subject_{number // 3:016x}", "source": "planted", "kind": "person",
        "label": "abcd"[number // 3 % 4], "name": f"Subject {number // 3}", "organisation": f"org {number // 3000}",
        "is_former": False, "attributes": {}, "first_run_id": _RUN, "last_run_id": _RUN,
    }  # fmt: skip


def _sighting(number: int, image: str) -> dict[str, Any]:
    return {
        "sighting_id": f"sighting_{number:016x}", "source": "planted", "page_id": "", "image_id": image, "rank": 0,
        "subject_id": f"subject_{number // 3:016x}", "slot": "portrait", "image_url": f"http://127.0.0.2/{number}.jpg",
        "first_run_id": _RUN, "last_run_id": _RUN,
    }  # fmt: skip


def _words(numbers: NDArray[np.int64], salt: int) -> NDArray[np.uint64]:
    """Give each number a random 64-bit word that depends on nothing else (splitmix64)."""
    word = numbers.astype(np.uint64) + np.uint64(salt * 0x9E3779B97F4A7C15 & (1 << 64) - 1)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        word = (word ^ (word >> np.uint64(shift))) * np.uint64(factor)
    return word ^ (word >> np.uint64(31))


def _signals(numbers: NDArray[np.int64], ids: list[str]) -> dict[str, Any]:
    """Columns of all measures; a copy has the hashes of an image before it."""
    is_copy = _words(numbers, 1) < np.uint64(int(COPY_SHARE * 2**64))
    shown = np.where(is_copy, numbers // 2, numbers)
    count = len(numbers)
    columns: dict[str, Any] = {"image_id": ids, "reason": [""] * count}
    hashes = (name for name in part_schema("hashes", "{}").names if "hash" in name)
    columns |= {name: _words(shown, salt) for salt, name in enumerate(hashes, 2)}
    columns |= {name: columns[name.removesuffix("_content")] for name in CONTENT_VIEWS}  # none is framed
    columns |= {"pixels_digest": [f"{number:032x}" for number in shown], "is_low_information": [False] * count}
    columns |= dict.fromkeys(part_schema("quality", "{}").names[3:-1], np.full(count, 5.0, np.float32))
    sizes = {"width_px": 640, "height_px": 480, "size_bytes": 9999, "exif_orientation": 1}
    columns |= {name: np.full(count, value, np.int32) for name, value in sizes.items()}
    columns |= {"thumb_width_px": np.full(count, 24, np.int32), "thumb_height_px": np.full(count, 24, np.int32)}
    thumbnails = _thumbnails()
    jpegs = [thumbnails[kind] for kind in _words(shown, 99) % np.uint64(len(thumbnails))]
    return columns | {"format": ["JPEG"] * count, "mode": ["RGB"] * count, "jpeg": jpegs}


@cache
def _thumbnails() -> list[bytes]:
    """Draw a few pictures of noise: among a million random hashes some are near by chance, and are compared."""
    noise = np.random.default_rng(5).integers(0, 256, (7, 24, 24, 3), np.uint8)
    return [bytes(cv2.imencode(".jpg", pixels)[1]) for pixels in noise]

"""The job that a worker does: one shard of images, each decoded once, one Parquet part per stage.

A job and its report are plain and picklable, so that the same function runs inline, in a process or on a cluster.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

import pyarrow as pa

from catalog.blobs import BlobStore
from catalog.errors import BadImage, CatalogCorrupt
from catalog.ids import canonical_json, digest, sha256_hex
from curation.contract import DecodedImage, DecodeNeed, MeasureFunction, Row
from curation.decode import decode_image
from curation.derived import PART, DerivedFolder
from curation.stages import registry
from curation.watch import Watch, accused

T = TypeVar("T")
DECODE = "decode"
DECODE_COLUMNS = pa.schema(
    [
        ("width_px", pa.int32()),
        ("height_px", pa.int32()),
        ("size_bytes", pa.int64()),
        ("format", pa.string()),
        ("mode", pa.string()),
        ("exif_orientation", pa.int8()),
    ]
)
"""What the decoder saw; EXIF-transposed size."""
REASON = "reason"
"""Last column of every part: why there is no row for this image; empty where there is one."""
_AHEAD_COUNT = 16
_AHEAD_BYTES = 8 << 20
"""What is read before the first is decoded, and decoded before the first is measured: so many, or so many bytes."""


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """One measure of a plan."""

    name: str
    params_json: str
    key: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShardJob:
    """Some images that lack the same measures."""

    blobs_location: str
    derived_location: str
    image_ids: tuple[str, ...]
    missing: tuple[PlannedStage, ...]
    """In the order they run; `decode` among them where it is missing."""
    present: tuple[PlannedStage, ...]
    """Stages measured before whose rows the missing ones need."""
    need: DecodeNeed
    accused_count: int = 0
    """Of its pictures how many were known to take too long when it was handed out."""

    @property
    def part_name(self) -> str:
        """File name of its parts: the same images, the same name."""
        return f"{PART}{digest(list(self.image_ids), 16)}.parquet"

    def halves(self) -> tuple[ShardJob, ShardJob]:
        """Cut in two, to find the image that kills a worker."""
        middle = len(self.image_ids) // 2
        return self._with(self.image_ids[:middle]), self._with(self.image_ids[middle:])

    def _with(self, image_ids: tuple[str, ...]) -> ShardJob:
        return replace(self, image_ids=image_ids, accused_count=0)


def measure_shard(job: ShardJob) -> int:
    """Measure a shard and write its parts; gives the number of images."""
    functions = {stage.name: _function(stage.name, stage.params_json) for stage in job.missing if stage.name != DECODE}
    known = {stage.name: _rows_of(job.derived_location, stage, job.image_ids) for stage in job.present}
    blobs = BlobStore(job.blobs_location)
    rows: dict[str, list[Row]] = {stage.name: [] for stage in job.missing}
    folder = watched_folder(job)
    hung = accused(folder)
    with Watch(folder) as watch:
        for image_id, image in _decoded_ahead(job, blobs, watch, hung):
            watch.begin(image_id)
            before = {name: by_image[image_id] for name, by_image in known.items() if image_id in by_image}
            for name, row in _measure_image(job, image, functions, before).items():
                rows[name].append({"image_id": image_id, **row})
            del image  # with all the pixels that it came to hold, before the next is decoded
    write_parts(job, rows)
    return len(job.image_ids)


def _decoded_ahead(
    job: ShardJob, blobs: BlobStore, watch: Watch, hung: Container[str]
) -> Iterator[tuple[str, DecodedImage | str]]:
    """Give each image, or the reason why there is none."""

    def decoded() -> Iterator[tuple[str, DecodedImage | str]]:
        for image_id, body in _ahead(((one, _body(blobs, one)) for one in job.image_ids), lambda read: len(read[1])):
            watch.begin(image_id)
            yield image_id, "decode_timeout" if image_id in hung else _decode(job, image_id, body)

    return _ahead(decoded(), lambda one: 0 if isinstance(one[1], str) else _held_bytes(one[1], job.need))


def _ahead(items: Iterable[T], size_bytes: Callable[[T], int]) -> Iterator[T]:
    """Make a few items before the first of them is used.

    A decode pushes all else out of the processor's caches: reading files in a row, and measuring small pictures in a
    row, costs half of what it does between decodes. Large items are given one at a time.
    """
    waiting: deque[T] = deque()
    waiting_bytes = 0
    for item in items:
        waiting.append(item)
        waiting_bytes += size_bytes(item)
        del item
        if len(waiting) == _AHEAD_COUNT or waiting_bytes > _AHEAD_BYTES:
            while waiting:
                yield waiting.popleft()
            waiting_bytes = 0
    yield from waiting


def _held_bytes(image: DecodedImage, need: DecodeNeed) -> int:
    pixels = image.width_px * image.height_px * 3 if need.is_original else 0
    return len(image.body) + image.rgb.nbytes + pixels


def watched_folder(job: ShardJob) -> DerivedFolder:
    """Where accusations of a shard's pictures stand: beside the parts of its first stage."""
    return DerivedFolder(job.derived_location, job.missing[0].name, job.missing[0].key)


def write_parts(job: ShardJob, rows: Mapping[str, list[Row]]) -> None:
    """Write one part per missing stage; the decoder's last, so that a kill between them is seen as unfinished."""
    for stage in reversed(job.missing):
        schema = part_schema(stage.name, stage.params_json)
        table = pa.Table.from_pylist(sorted(rows[stage.name], key=lambda row: str(row["image_id"])), schema=schema)
        DerivedFolder(job.derived_location, stage.name, stage.key).write_table(job.part_name, table)


def part_schema(stage: str, params_json: str) -> pa.Schema:
    """Columns of a stage's parts: image_id, its own, reason."""
    own = DECODE_COLUMNS if stage == DECODE else registry.measure(stage).columns(registry.params_of(params_json))
    return pa.schema([("image_id", pa.string()), *own, (REASON, pa.string())])


def _decode(job: ShardJob, image_id: str, body: bytes) -> DecodedImage | str:
    """Decode an image to what the job needs, or say for which reason that cannot be done."""
    try:
        return decode_image(image_id, body, job.need)
    except BadImage as error:
        # Hashing every body would cost a twentieth of the run: a blob is only blamed where its picture is bad.
        if sha256_hex(body) != image_id:
            raise CatalogCorrupt(f"blob {image_id}: its bytes have sha256 {sha256_hex(body)}") from error
        return error.reason


def _measure_image(
    job: ShardJob, image: DecodedImage | str, functions: Mapping[str, MeasureFunction], before: Mapping[str, Row]
) -> dict[str, Row]:
    """Give a row per missing stage; a reason instead of columns from the first stage on that found the image bad."""
    found: dict[str, Row] = {}
    rows = dict(before)
    reason = image if isinstance(image, str) else ""
    for stage in job.missing:
        if not isinstance(image, str) and not reason and all(name in rows for name in stage.needs):
            try:
                rows[stage.name] = _decode_row(image) if stage.name == DECODE else functions[stage.name](image, rows)
            except BadImage as error:
                reason = error.reason
        found[stage.name] = {**rows[stage.name], REASON: ""} if stage.name in rows else {REASON: reason or DEPENDS}
    return found


def _body(blobs: BlobStore, image_id: str) -> bytes:
    try:
        return blobs.get(image_id, is_verified=False)
    except KeyError:
        raise CatalogCorrupt(f"image {image_id} is in the catalog, but its blob is missing") from None


DEPENDS = "decode_failed"
"""Reason where a stage that this one needs has no row: the image was found bad there."""


def _decode_row(image: DecodedImage) -> Row:
    return {
        "width_px": image.width_px,
        "height_px": image.height_px,
        "size_bytes": len(image.body),
        "format": image.facts["format"],
        "mode": image.facts["mode"],
        "exif_orientation": image.facts["exif_orientation"],
    }


@lru_cache(maxsize=64)
def _function(stage: str, params_json: str) -> MeasureFunction:
    """Load a stage's models once per worker."""
    return registry.measure(stage).prepare(registry.params_of(params_json))


def params_text(params: Mapping[str, Any]) -> str:
    """Write a recipe's settings of a stage as text that travels."""
    return canonical_json(dict(params))


def _rows_of(location: str, stage: PlannedStage, image_ids: Iterable[str]) -> dict[str, Row]:
    """Read the rows of some images, those without a reason."""
    import pyarrow.compute as pc  # here, as most shards have no rows to read

    folder = DerivedFolder(location, stage.name, stage.key)
    wanted = pa.array(sorted(image_ids), pa.string())
    found: dict[str, Row] = {}
    for name in folder.part_names():
        table = folder.read_table(name)
        chosen = pc.and_(pc.is_in(table["image_id"], wanted), pc.equal(table[REASON], ""))
        for row in table.filter(chosen).to_pylist():
            found[row.pop("image_id")] = {key: value for key, value in row.items() if key != REASON}
    return found

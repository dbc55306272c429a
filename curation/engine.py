"""The measure engine: what images lack is found, cut into shards, measured and written; then read back as frames.

Each image is decoded once for all measures it lacks. The cost follows the number of new images, and a kill loses at
most the shards that were running.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.ids import digest
from catalog.manifests import stage_key
from catalog.recipe import Recipe
from curation.contract import DecodeNeed
from curation.decode import DECODE_VERSION
from curation.derived import DerivedFolder
from curation.executors import Executor
from curation.lazy_frames import LazyFrames
from curation.measuring import (
    DECODE,
    REASON,
    PlannedStage,
    ShardJob,
    measure_shard,
    params_text,
    part_schema,
    watched_folder,
    write_parts,
)
from curation.ops.text_order import sorted_once
from curation.stages import registry
from curation.watch import ACCUSED, accused

SHARD_IMAGES = 1000
"""Images of a full shard; fewer where all workers are to have work."""
_DIGEST_ROWS = 1 << 16
_STALE_S = 3600
"""Temporary files older than this are left-overs of killed writers: a part is written in seconds."""

Progress = Callable[[int, int], None]
"""(images done, images to do)"""


@dataclass(frozen=True, slots=True)
class MeasurePlan:
    """All measures of a recipe, in the order they run, and what the decoder must give them."""

    stages: tuple[PlannedStage, ...]
    """`decode` first."""
    need: DecodeNeed

    @property
    def keys(self) -> dict[str, str]:
        """Stage -> key of its folder."""
        return {stage.name: stage.key for stage in self.stages}


@dataclass(frozen=True)
class ImageSet(Iterable[str]):
    """Ids of images, each once, sorted; a million take a second to sort and to hash, so they are handed on as this."""

    array: pa.Array
    """Of strings."""

    @classmethod
    def of(cls, image_ids: Iterable[str] | pa.Array) -> ImageSet:
        """Sort ids; a set of them is given back as it is."""
        if isinstance(image_ids, ImageSet):
            return image_ids
        texts = image_ids if isinstance(image_ids, pa.Array) else pa.array(list(image_ids), pa.string())
        return cls(sorted_once(texts.cast(pa.string())))

    def __iter__(self) -> Iterator[str]:
        return iter(self.array.to_pylist())

    def __len__(self) -> int:
        return len(self.array)

    @cached_property
    def digest(self) -> str:
        """What names the set in keys and manifests: `catalog.ids.digest` of the list, in a tenth of its time.

        Ids have nothing that JSON would escape.
        """
        if not len(self):
            return digest([])
        found, between = sha256(b'["'), '","'
        for start in range(0, len(self), _DIGEST_ROWS):
            ids = self.array[start : start + _DIGEST_ROWS]
            joined = pc.binary_join(pa.ListArray.from_arrays([0, len(ids)], ids), between)
            found.update((between if start else "").encode())
            found.update(joined[0].as_buffer())
        found.update(b'"]')
        return found.hexdigest()


def plan_measures(recipe: Recipe) -> MeasurePlan:
    """Plan the measures that a recipe names, and those they need.

    Every key covers the decoder's version and scale, so that a row depends on its key and the bytes alone.
    """
    names = registry.with_needs(name for name in recipe.stages if registry.is_measure(name))
    needs = [registry.measure(name).decode_need(recipe.params(name)) for name in names]
    need = DecodeNeed(
        min_side_px=max((one.min_side_px for one in needs), default=0),
        is_original=any(one.is_original for one in needs),
        has_colours=not needs or any(one.has_colours for one in needs),
    )
    decode_params = {"min_side_px": need.min_side_px, "is_original": need.is_original}
    if not need.has_colours:
        decode_params["has_colours"] = False
    keys = {DECODE: stage_key(DECODE, DECODE_VERSION, decode_params, {})}
    planned = [PlannedStage(DECODE, params_text(decode_params), keys[DECODE])]
    for name in names:
        stage = registry.measure(name)
        inputs = {needed: keys[needed] for needed in (DECODE, *stage.needs)}
        keys[name] = stage_key(name, stage.version, recipe.params(name), inputs)
        planned.append(PlannedStage(name, params_text(recipe.params(name)), keys[name], tuple(stage.needs)))
    return MeasurePlan(tuple(planned), need)


def measure_images(
    plan: MeasurePlan,
    image_ids: Iterable[str],
    blobs_location: str,
    derived_location: str,
    executor: Executor,
    on_progress: Progress | None = None,
) -> dict[str, int]:
    """Measure what is missing.

    Args:
        plan: of `plan_measures`.
        image_ids: all images that must have rows afterwards.
        blobs_location: as `BlobStore` takes it.
        derived_location: local folder or fsspec URL.
        executor: where shards run.
        on_progress: told after each shard.

    Returns:
        Stage -> images measured now.
    """
    wanted = ImageSet.of(image_ids)
    missing = {stage.name: _missing(derived_location, stage, wanted) for stage in plan.stages}
    jobs = list(_shards(plan, missing, blobs_location, derived_location, executor.workers_count))
    todo = sum(len(job.image_ids) for job in jobs)
    if todo:
        for stage in plan.stages[1:]:
            if missing[stage.name]:
                # Loading models here first gives clear errors, and exports a backbone once instead of per worker.
                registry.measure(stage.name).prepare(registry.params_of(stage.params_json))
    done = 0
    while jobs:
        again: list[ShardJob] = []
        with closing(executor.run(measure_shard, jobs)) as results:  # a stop ends the workers at once
            for job, count in results:
                if count is None:
                    again.extend(_bisected(job))
                    count = len(job.image_ids) if len(job.image_ids) == 1 else 0
                done += count
                if on_progress is not None:
                    on_progress(done, todo)
        jobs = again
    for stage in plan.stages:
        if missing[stage.name] or DerivedFolder(derived_location, stage.name, stage.key).read_manifest() is None:
            finish_folder(derived_location, stage)
    return {name: len(images) for name, images in missing.items()}


def unmeasured_count(plan: MeasurePlan, image_ids: Iterable[str] | pa.Array, derived_location: str) -> int:
    """Count the images that lack a row of any stage of the plan."""
    wanted = ImageSet.of(image_ids)
    return len(set().union(*(_missing(derived_location, stage, wanted) for stage in plan.stages)))


def _bisected(job: ShardJob) -> Iterator[ShardJob]:
    """Halve a shard that killed its worker twice; a single image that does gets its reason instead.

    Where workers died of the clock the pictures are known, and the shard is simply taken up again without them.
    """
    if job.accused_count < len(accused(watched_folder(job)).intersection(job.image_ids)):
        yield replace(job, accused_count=len(accused(watched_folder(job)).intersection(job.image_ids)))
        return
    if len(job.image_ids) > 1:
        yield from job.halves()
        return
    row = {"image_id": job.image_ids[0], REASON: "decode_failed"}
    write_parts(job, {stage.name: [row] for stage in job.missing})


def _shards(
    plan: MeasurePlan, missing: Mapping[str, set[str]], blobs: str, derived: str, workers_count: int
) -> Iterator[ShardJob]:
    """Cut the images into shards of those that lack the same stages."""
    lacking: dict[str, tuple[str, ...]] = {}
    for stage in plan.stages:
        for image_id in missing[stage.name]:
            lacking[image_id] = (*lacking.get(image_id, ()), stage.name)
    by_stages: dict[tuple[str, ...], list[str]] = {}
    for image_id in sorted(lacking):
        by_stages.setdefault(lacking[image_id], []).append(image_id)
    for names, images in sorted(by_stages.items()):
        chosen = tuple(stage for stage in plan.stages if stage.name in names)
        needed = {need for stage in chosen for need in stage.needs} - set(names)
        present = tuple(stage for stage in plan.stages if stage.name in needed)
        size = min(SHARD_IMAGES, max(1, -(-len(images) // (workers_count * 4))))
        for start in range(0, len(images), size):
            yield ShardJob(
                blobs_location=blobs,
                derived_location=derived,
                image_ids=tuple(images[start : start + size]),
                missing=chosen,
                present=present,
                need=plan.need,
            )


def _missing(location: str, stage: PlannedStage, wanted: ImageSet) -> set[str]:
    folder = DerivedFolder(location, stage.name, stage.key)
    manifest = folder.read_manifest()
    if manifest is not None and manifest["images_sha256"] == wanted.digest:
        return set()  # nothing new: no part is opened
    return set(wanted).difference(_image_ids(folder))


def _image_ids(folder: DerivedFolder) -> set[str]:
    return {
        image_id
        for name in folder.part_names()
        for image_id in folder.read_table(name, ["image_id"])["image_id"].to_pylist()
    }


def finish_folder(location: str, stage: PlannedStage) -> None:
    """Write the manifest over all parts that stand there, and clear what killed writers left behind."""
    folder = DerivedFolder(location, stage.name, stage.key)
    if "://" not in location:
        _clear_stale(Path(location) / stage.name / stage.key)
    images = ImageSet.of(_image_ids(folder))
    table = part_table(folder, stage, ())
    folder.write_manifest(
        {
            "stage": stage.name,
            "key": stage.key,
            "params": registry.params_of(stage.params_json),
            "images_count": len(images),
            "images_sha256": images.digest,
            "columns": {field.name: str(field.type) for field in table.schema},
        }
    )


def _clear_stale(folder: Path) -> None:
    for path in folder.glob(f"{ACCUSED}*"):
        path.unlink(missing_ok=True)  # it has its row now
    for path in folder.glob(".*.part"):
        if time.time() - path.stat().st_mtime > _STALE_S:
            path.unlink(missing_ok=True)


def part_table(folder: DerivedFolder, stage: PlannedStage, image_ids: Sequence[str] | pa.Array) -> pa.Table:
    """Read the rows of some images from all parts, each image once, sorted by image_id."""
    wanted = pa.array(image_ids, pa.string())
    tables = [part_schema(stage.name, stage.params_json).empty_table()]
    for name in folder.part_names() if len(image_ids) else ():
        table = folder.read_table(name)
        tables.append(table.filter(pc.is_in(table["image_id"], wanted)))
    table = pa.concat_tables(tables).sort_by("image_id")
    ids = table["image_id"].to_pandas()
    # Two runs may have measured one image: equal rows, of which the first is taken.
    return table.filter(pa.array(~ids.duplicated().to_numpy())) if len(ids) else table


class Signals(LazyFrames):
    """Measure stage -> frame, each read when it is first asked for.

    Frames hold `image_id` and the stage's columns for the images that have them. The frame `decode` holds every
    image, with the `reason` that any stage of the plan gave.
    """

    def __init__(self, plan: MeasurePlan, derived_location: str, image_ids: Iterable[str] | pa.Array) -> None:
        super().__init__(stage.name for stage in plan.stages)
        self._stages = {stage.name: stage for stage in plan.stages}
        self._location = derived_location
        self.images = ImageSet.of(image_ids)

    def _read(self, name: str) -> pd.DataFrame:
        return self._decode_frame() if name == DECODE else self._frame(name, self.images)

    def read_some(self, name: str, image_ids: Iterable[str]) -> pd.DataFrame:
        """Read the rows of some images."""
        if name == DECODE or name in self._frames:
            return self[name][self[name]["image_id"].isin(list(image_ids))]
        return self._frame(name, ImageSet.of(image_ids))

    @property
    def keys_of_stages(self) -> dict[str, str]:
        """Stage -> key of its folder."""
        return {name: stage.key for name, stage in self._stages.items()}

    def inputs(self) -> dict[str, Any]:
        """Name what the frames hold, for the keys of table stages, without reading them."""
        return {name: [stage.key, self.images.digest] for name, stage in self._stages.items()}

    def _table(self, name: str, images: ImageSet) -> pa.Table:
        stage = self._stages[name]
        return part_table(DerivedFolder(self._location, stage.name, stage.key), stage, images.array)

    def _frame(self, name: str, images: ImageSet) -> pd.DataFrame:
        table = self._table(name, images)
        clean = table.filter(pc.equal(table[REASON], "")).drop_columns([REASON])
        return clean.to_pandas().reset_index(drop=True)

    def _decode_frame(self) -> pd.DataFrame:
        frame = self._table(DECODE, self.images).to_pandas().set_index("image_id")
        for name, stage in self._stages.items():
            if name != DECODE:
                reasons = _reasons(DerivedFolder(self._location, stage.name, stage.key))
                is_bad = (frame[REASON] == "") & frame.index.isin(list(reasons))
                frame.loc[is_bad, REASON] = frame.index[is_bad].map(reasons)
        return frame.reset_index()


def _reasons(folder: DerivedFolder) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in folder.part_names():
        table = folder.read_table(name, ["image_id", REASON])
        bad = table.filter(pc.not_equal(table[REASON], ""))
        found.update(zip(bad["image_id"].to_pylist(), bad[REASON].to_pylist(), strict=True))
    return found

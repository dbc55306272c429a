from __future__ import annotations

import hashlib
import os
import tempfile
import weakref
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.blobs import BlobStore
from catalog.errors import CatalogCorrupt
from catalog.ids import digest
from catalog.recipe import Recipe
from curation import engine, measuring
from curation.contract import rows_of
from curation.decode import decode_image
from curation.engine import ImageSet, Signals, measure_images, plan_measures
from curation.executors import DaskExecutor, InlineExecutor, ProcessExecutor
from curation.measuring import _ahead


def recipe(*stages: str, **settings) -> Recipe:
    return Recipe(
        name="r", title="", purpose="", sources=("*",), subject_kind="person", slots=("portrait",),
        stages={name: settings.get(name, {}) for name in stages},
    )  # fmt: skip


PLAN = plan_measures(recipe("quality", "hashes", "thumbnails"))


@pytest.fixture
def store(tmp_path, draw, encode):
    """Twelve pictures and three bad ones: (root, ids of all, ids of the bad)."""
    blobs = BlobStore(tmp_path / "blobs")
    good = [blobs.put(encode(draw(seed), ("JPEG", "PNG")[seed % 2])) for seed in range(12)]
    bad = [blobs.put(body) for body in (b"", b"<html></html>", encode(draw(1))[:500])]
    return tmp_path, good + bad, bad


def run(root: Path, ids, plan=PLAN, executor=None, folder="derived"):
    return measure_images(plan, ids, str(root / "blobs"), str(root / folder), executor or InlineExecutor())


def frames_digest(root: Path, ids, folder="derived") -> str:
    signals = Signals(PLAN, str(root / folder), ids)
    return hashlib.sha256(
        "".join(signals[name].to_json() for name in ("quality", "hashes", "decode")).encode()
    ).hexdigest()


@pytest.mark.parametrize("ids", [[], ["b"], ["b", "a", "b", "c"]])
def test_a_set_of_images_is_named_as_the_list_of_its_ids(ids):
    images = ImageSet.of(ids)
    assert list(images) == sorted(set(ids))
    assert images.digest == digest(sorted(set(ids)))
    assert ImageSet.of(images) is images


def test_a_bad_picture_costs_a_row(store):
    root, ids, bad = store
    assert set(run(root, ids).values()) == {15}
    signals = Signals(PLAN, str(root / "derived"), ids)
    reasons = signals["decode"].set_index("image_id")["reason"]
    assert [reasons[image] for image in bad] == ["decode_empty", "decode_not_an_image", "decode_truncated"]
    assert (reasons.drop(bad) == "").all()
    for name in ("quality", "hashes", "thumbnails"):
        assert signals[name]["image_id"].tolist() == sorted(set(ids) - set(bad))


def test_only_what_is_new_is_measured(store):
    root, ids, _ = store
    assert set(run(root, ids[:10]).values()) == {10}
    assert set(run(root, ids).values()) == {5}
    assert set(run(root, ids).values()) == {0}
    more = plan_measures(recipe("quality", "hashes", "thumbnails", "embedding"))
    assert {stage.key for stage in more.stages} >= {stage.key for stage in PLAN.stages}


def mortal(function, folder, job):
    """Kill the worker of each shard once, after its work and before it can say so."""
    marker = Path(folder) / job.part_name
    if marker.exists():
        return function(job)
    marker.touch()
    function(job)
    os._exit(9)


class MortalProcesses(ProcessExecutor):
    """Its workers die on every shard, the first time."""

    def run(self, function, jobs):
        with tempfile.TemporaryDirectory() as folder:
            yield from super().run(partial(mortal, function, folder), jobs)


class MortalDask(DaskExecutor):
    """As MortalProcesses, on a cluster."""

    def run(self, function, jobs):
        with tempfile.TemporaryDirectory() as folder:
            yield from super().run(partial(mortal, function, folder), jobs)


@pytest.mark.parametrize(
    "executor",
    [
        ProcessExecutor(2),
        pytest.param(MortalProcesses(2), marks=pytest.mark.slow),
        pytest.param(MortalDask(workers_count=1), marks=pytest.mark.slow),
    ],
    ids=["processes", "processes that die", "dask workers that die"],
)
def test_order_shards_and_executor_change_nothing(store, monkeypatch, executor):
    root, ids, _ = store
    run(root, ids)
    run(root, ids[::-1][:4], folder="second")
    monkeypatch.setattr(engine, "SHARD_IMAGES", 3)
    run(root, ids[::-1], folder="second", executor=executor)
    assert frames_digest(root, ids) == frames_digest(root, ids[::-1], "second")
    for stage in PLAN.stages:
        manifests = [
            (root / folder / stage.name / stage.key / "manifest.json").read_bytes() for folder in ("derived", "second")
        ]
        assert manifests[0] == manifests[1]


def test_what_a_kill_left_is_neither_read_nor_in_the_way(store):
    root, ids, _ = store
    run(root, ids)
    whole = frames_digest(root, ids)
    folder = root / "derived" / "hashes" / PLAN.keys["hashes"]
    (folder / "manifest.json").unlink()
    parts = sorted(folder.glob("part-*"))
    parts[0].rename(folder / f".{parts[0].name}.x.part")
    (folder / f".{parts[0].name}.x.part").write_bytes(b"half")
    os.utime(folder / f".{parts[0].name}.x.part", (0, 0))
    done = run(root, ids)
    assert 0 < done["hashes"] < 15
    assert done["quality"] == 0
    assert frames_digest(root, ids) == whole
    assert not list(folder.glob(".*.part"))


def test_a_setting_and_what_a_stage_needs_change_its_key():
    keys = plan_measures(recipe("faces", "crops", crops={"size_px": 64})).keys
    other = plan_measures(recipe("faces", "crops", crops={"size_px": 65})).keys
    assert keys["faces"] == other["faces"]
    assert keys["crops"] != other["crops"]
    assert [stage.name for stage in plan_measures(recipe("crops")).stages] == ["decode", "faces", "crops"]


def test_a_missing_blob_stops_the_run(store):
    root, ids, _ = store
    with pytest.raises(CatalogCorrupt, match="blob is missing"):
        run(root, [*ids, "0" * 64])


def deadly(function, image_id, job):
    if image_id in job.image_ids:
        os._exit(9)
    return function(job)


class DeadlyExecutor(ProcessExecutor):
    """Its workers die at the sight of one image."""

    image_id = ""

    def run(self, function, jobs):
        yield from super().run(partial(deadly, function, self.image_id), jobs)


@pytest.mark.slow
def test_a_picture_that_kills_workers_is_found_and_gets_a_row(store):
    root, ids, _ = store
    executor = DeadlyExecutor(1)
    executor.image_id = ids[5]
    run(root, ids[:8], executor=executor)  # shards of two
    reasons = Signals(PLAN, str(root / "derived"), ids[:8])["decode"].set_index("image_id")["reason"]
    assert reasons[ids[5]] == "decode_failed"
    assert (reasons.drop(ids[5]) == "").all()


def hanging(function, held, job):
    """Run a shard in which some pictures hold the decoder up for ever, and some what is measured."""
    from curation import watch

    watch.IMAGE_LIMIT_S = 1.5
    decode, measure = measuring.decode_image, measuring._measure_image

    def decode_held_up(image_id, *rest):
        while image_id in held["decode"]:
            pass
        return decode(image_id, *rest)

    def measure_held_up(job, image, *rest):
        while not isinstance(image, str) and image.image_id in held["measure"]:
            pass
        return measure(job, image, *rest)

    measuring.decode_image, measuring._measure_image = decode_held_up, measure_held_up
    try:
        return function(job)
    finally:
        measuring.decode_image, measuring._measure_image = decode, measure


class HangingExecutor(ProcessExecutor):
    """Its workers never come back from some images."""

    held: ClassVar[dict[str, tuple[str, ...]]] = {}

    def run(self, function, jobs):
        yield from super().run(partial(hanging, function, self.held), jobs)


@pytest.mark.slow
def test_a_picture_that_holds_its_worker_up_gets_a_row_and_the_worker_is_replaced(store):
    root, ids, _ = store
    executor = HangingExecutor(1)
    executor.held = {"decode": (ids[2],), "measure": (ids[5],)}
    run(root, ids[:8], executor=executor)
    reasons = Signals(PLAN, str(root / "derived"), ids[:8])["decode"].set_index("image_id")["reason"]
    assert reasons[[ids[2], ids[5]]].tolist() == ["decode_timeout"] * 2
    assert (reasons.drop([ids[2], ids[5]]) == "").all()
    assert not list((root / "derived").rglob("hung-*"))


@given(st.lists(st.integers(0, 3 << 20), max_size=60))
def test_what_is_made_ahead_keeps_its_order_and_is_bounded(sizes):
    made: list[int] = []

    def items():
        for place in range(len(sizes)):
            made.append(place)
            yield place

    given_back: list[int] = []
    for place in _ahead(items(), lambda one: sizes[one]):
        given_back.append(place)
        waiting = made[place:]
        assert len(waiting) <= 16
        assert sum(sizes[one] for one in waiting[:-1]) <= 8 << 20
    assert given_back == list(range(len(sizes)))


def test_a_shard_holds_one_large_picture_at_a_time(tmp_path, draw, encode, monkeypatch):
    monkeypatch.setattr(measuring, "_AHEAD_BYTES", 0)
    blobs, held = BlobStore(tmp_path / "blobs"), weakref.WeakSet()
    ids = [blobs.put(encode(draw(seed), "JPEG")) for seed in range(12)]  # shards of three

    def decode(*arguments):
        assert not held
        image = decode_image(*arguments)
        held.add(image.original)
        return image

    monkeypatch.setattr(measuring, "decode_image", decode)
    run(tmp_path, ids)


def test_progress_counts_to_the_end(store):
    root, ids, _ = store
    told: list[tuple[int, int]] = []
    measure_images(
        PLAN, ids, str(root / "blobs"), str(root / "derived"), InlineExecutor(), lambda *now: told.append(now)
    )
    assert told[-1] == (15, 15)
    assert told == sorted(told)


def test_hashes_without_colours_are_those_of_the_coloured_picture(store):
    root, ids, _ = store
    grey = plan_measures(recipe("hashes", hashes={"colours": False}))
    run(root, ids)
    run(root, ids, grey)
    one, two = (Signals(plan, str(root / "derived"), ids) for plan in (PLAN, grey))
    assert "colorhash" in one["hashes"]
    assert "colorhash" not in two["hashes"]
    assert one["decode"]["reason"].tolist() == two["decode"]["reason"].tolist()
    pairs = zip(one["hashes"]["phash"], two["hashes"]["phash"], strict=True)
    assert max((int(left) ^ int(right)).bit_count() for left, right in pairs) <= 2
    assert not grey.need.has_colours
    assert plan_measures(recipe("hashes", "quality", hashes={"colours": False})).need.has_colours


def test_signals_of_some_images_are_read_alone(store):
    root, ids, bad = store
    run(root, ids)
    signals = Signals(PLAN, str(root / "derived"), ids)
    chosen = signals.only(["thumbnails", "decode"])
    assert list(chosen) == ["decode", "thumbnails"]
    assert "hashes" not in chosen
    with pytest.raises(KeyError):
        chosen["hashes"]
    some = rows_of(chosen, "thumbnails", [ids[3], ids[1], bad[0]])
    assert some["image_id"].tolist() == sorted([ids[1], ids[3]])
    whole = signals["thumbnails"]
    expected = whole[whole["image_id"].isin(ids[1:4])].reset_index(drop=True)
    for either in (chosen, {"thumbnails": whole}):  # read already, or a plain mapping
        assert rows_of(either, "thumbnails", ids[1:4]).reset_index(drop=True).equals(expected)
    assert set(rows_of(chosen, "decode", bad)["reason"]) == set(signals["decode"].query("image_id in @bad")["reason"])

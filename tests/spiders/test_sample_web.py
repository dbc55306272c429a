"""Crawls of the sample web, judged by its truth table and its request log."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise

import pytest

from catalog import landing
from catalog.config import Config
from catalog.paths import DataRoot
from sampleweb.images import ImageStore
from sampleweb.server import running
from sampleweb.sources import write_sources
from sampleweb.truth import write_truth
from sampleweb.world import build_world
from spiders.run import crawl_many
from spiders.sources import load_sources

CHOSEN = ("cards", "table")


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """Crawl the mannered sites of a small world and its shop twice."""
    folder = tmp_path_factory.mktemp("sampleweb")
    world = build_world(7, 0.1)
    log = folder / "log.jsonl"
    root = DataRoot(folder / "store")
    with running(world, None, log, folder / "images") as port:
        write_truth(world, folder, port, ImageStore(folder / "images"), processes=2)
        write_sources(world, folder / "sources", port)
        sources = load_sources([folder / "sources"])
        names = [s.name for s in world.sites if s.kind == "shop" or s.structure in CHOSEN]
        chosen = [sources[name] for name in names]
        first = crawl_many(chosen, root, Config(), "2026-11-21T05:00:00Z")
        size = log.stat().st_size
        second = crawl_many(chosen, root, Config(), "2026-11-28T05:00:00Z")
    rows = [json.loads(line) for line in log.read_bytes()[:size].decode().splitlines()]
    again = [json.loads(line) for line in log.read_bytes()[size:].decode().splitlines()]
    truth = json.loads((folder / "truth.json").read_text())
    return world, truth, root, first, second, rows, again


def records(root, run):
    return list(landing.iter_records(root.run_folder(run.source, run.run_id)))


def test_every_run_counts(crawled):
    *_, first, second, _, _ = crawled
    assert {run.source: (run.state, run.detail) for run in [*first, *second] if run.state != "ok"} == {}


def test_every_planted_portrait_that_can_be_had_is_there(crawled):
    _, truth, root, first, *_ = crawled
    names = {row["person_id"]: row["name"] for row in truth["people"]}
    wanted = defaultdict(set)
    for photo in truth["photos"]:
        can_be_had = photo["sha256"] and photo["spoil"] in (None, "png", "webp", "cmyk", "truncated", "exif")
        if can_be_had and not photo["is_placeholder"] and photo["slot"] == "portrait":
            wanted[photo["site"]].add((names[photo["person_id"]], photo["sha256"]))
    staff = [run for run in first if run.source_facts["kind"] == "staff"]
    assert staff
    for run in staff:
        found = records(root, run)
        people = {record.subject_id: record.name for record in found if record.TYPE == "subject"}
        shown = {(people[r.subject_id], r.image_id) for r in found if r.TYPE == "sighting"}
        assert wanted[run.source] - shown == set()


def test_every_photo_of_the_shop_is_under_its_item_and_colour(crawled):
    _, truth, root, first, *_ = crawled
    run = next(run for run in first if run.source_facts["kind"] == "shop")
    found = records(root, run)
    facts = {record.subject_id: record.attributes for record in found if record.TYPE == "subject"}
    shown = {
        (facts[r.subject_id]["item_id"], facts[r.subject_id]["color"], r.slot, r.image_id)
        for r in found
        if r.TYPE == "sighting"
    }
    planted = {
        (item["item_id"], photo["colour"], photo["slot"], photo["sha256"])
        for item in truth["items"]
        for photo in item["seller_photos"] + item["buyer_photos"]
    }
    assert shown == planted


def test_nothing_forbidden_was_asked_for_and_every_delay_was_kept(crawled):
    world, truth, *_, rows, again = crawled
    forbidden = [tuple(entry.values()) if isinstance(entry, dict) else tuple(entry) for entry in truth["forbidden"]]
    assert forbidden
    for row in [*rows, *again]:
        assert not any(row["host"] == host and row["path"].startswith(prefix) for host, prefix, *_ in forbidden), row
    delays = {site.host: max(0.01, site.manners.crawl_delay_s or 0.0) for site in world.sites}
    times = defaultdict(list)
    for row in rows:
        times[row["host"]].append(row["at_s"])
    for host, at in times.items():
        gaps = sorted(later - earlier for earlier, later in pairwise(sorted(at)[1:]))
        # The server's clock sees arrival, not sending: a busy machine may squeeze a few together.
        assert gaps[len(gaps) // 4] >= delays[host] * 0.8, host


def test_the_second_crawl_fetched_no_picture_again(crawled):
    _, _, root, first, second, _, again = crawled
    hosts = {row["host"] for row in again}
    assert hosts
    bodies = [row["path"] for row in again if row["status"] == 200 and row["path"].endswith((".jpg", ".png", ".webp"))]
    # What was no picture (HTML, nothing) never landed and is looked at again.
    kept = {record.url for run in first for record in records(root, run) if record.TYPE == "image"}
    assert not any(url.endswith(path) for path in bodies for url in kept)
    for one, two in zip(first, second, strict=True):
        facts = [
            {repr(sorted((k, v) for k, v in r.to_json().items() if k != "fetched_at")) for r in records(root, run)}
            for run in (one, two)
        ]
        assert facts[0] == facts[1], one.source
        assert two.counts["images_new"] == 0

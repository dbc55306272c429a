"""Crawls of the sample web, judged by its truth table and its request log."""

from __future__ import annotations

from collections import defaultdict

import pytest

from catalog import landing
from catalog.config import Config
from catalog.paths import DataRoot
from sampleweb.cache import RenderCache
from sampleweb.server import free_port, load_log, running
from sampleweb.sources import write_sources
from sampleweb.truth import truth_table
from sampleweb.world import build_world
from spiders.run import crawl_many
from spiders.sources import load_sources

CHOSEN = ("sample-uni1-cs", "sample-uni1-econ", "sample-uni1-german", "sample-uni2-cs", "sample-shop-skirts")
"""A Crawl-delay and a 429, a redirected start, profile pages behind a healing 503, a disallowed calendar, a shop."""

IN_FLIGHT = 4
"""Open requests per host that a source declares by default."""


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """Crawl the mannered sites of a small world and its shop twice."""
    folder = tmp_path_factory.mktemp("sampleweb")
    world = build_world(7, 0.1)
    log, cache = folder / "log.jsonl", folder / "pictures"
    root = DataRoot(folder / "store")
    with running(world, free_port(), log, cache) as port:
        write_sources(world, folder / "sources", port)
        sources = load_sources([folder / "sources"])
        chosen = [sources[name] for name in CHOSEN]
        first = crawl_many(chosen, root, Config(), "2026-11-21T05:00:00Z")
        count = len(load_log(log))
        second = crawl_many(chosen, root, Config(), "2026-11-28T05:00:00Z")
    truth = truth_table(world, port, RenderCache(cache))
    rows = load_log(log)
    return world, truth, root, first, second, rows[:count], rows[count:]


def records(root, run):
    return list(landing.iter_records(root.run_folder(run.source, run.run_id)))


def test_every_run_counts(crawled):
    *_, first, second, _, _ = crawled
    assert {run.source: (run.state, run.detail) for run in [*first, *second] if run.state != "ok"} == {}


def test_every_planted_portrait_that_can_be_had_is_there(crawled):
    _, truth, root, first, *_ = crawled
    names = {row["listing"]: row["name"] for row in truth["people"]}
    wanted = defaultdict(set)
    for photo in truth["photos"]:
        if photo["reason"] is None or photo["reason"].startswith("decode_truncated"):
            wanted[photo["site"]].add((names[photo["listing"]], photo["sha256"]))
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
    skirts = [item for item in truth["items"] if item["category"] == "skirts"]
    planted = (
        {
            (item["item_id"], color or None, "seller", photo["sha256"])
            for item in skirts
            for color, photo in item["colors"].items()
        }
        | {(item["item_id"], photo["color"], "buyer", photo["sha256"]) for item in skirts for photo in item["buyer"]}
        | {(item["item_id"], None, "gallery", photo["sha256"]) for item in skirts for photo in item["gallery"]}
    )
    assert shown == planted


def test_nothing_forbidden_was_asked_for_and_every_delay_was_kept(crawled):
    world, truth, *_, rows, again = crawled
    forbidden = [(entry["host"], entry["prefix"]) for entry in truth["forbidden"]]
    assert forbidden
    for row in [*rows, *again]:
        assert not any(row["host"] == host and row["path"].startswith(prefix) for host, prefix in forbidden), row
    delays = {site.host: 0.05 if "Crawl-delay" in site.robots else 0.01 for site in world.sites}
    # The second crawl is answered from memory: there nothing but the delay holds requests apart.
    times = defaultdict(list)
    for turn, part in enumerate((rows, again)):
        for row in part:
            times[turn, row["host"]].append(row["at_s"])
    for (_, host), at in times.items():
        arrived = sorted(at)
        # The server's clock sees arrival, not sending, and a busy server sees those in flight together. But with at
        # most IN_FLIGHT open requests, the one IN_FLIGHT after an arrival is sent no sooner than that arrival: from
        # there on, every request of any stretch must be a delay later than the one before.
        for first, begin in enumerate(arrived):
            for last in range(first + IN_FLIGHT + 1, len(arrived)):
                assert arrived[last] - begin >= (last - first - IN_FLIGHT) * delays[host] * 0.8, host


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

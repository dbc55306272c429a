"""Crawls of the sample shop, judged by its planted truth."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from datetime import datetime

import pytest

from catalog import landing
from catalog.blobs import BlobStore
from catalog.config import Config
from catalog.errors import UsageError
from catalog.paths import DataRoot
from sampleweb.cache import RenderCache
from sampleweb.server import free_port, load_log, running
from sampleweb.shop.reviews import BUYER_MARKS
from sampleweb.sources import write_sources
from sampleweb.truth import truth_table
from sampleweb.world import build_world
from spiders.fetch.browser import find_browser
from spiders.pages.contract import PageInput
from spiders.probe import reader_of
from spiders.run import crawl_many, crawl_source
from spiders.shops import item_sources, of_categories, with_limits
from spiders.sources import load_sources

WHEN, SOON, LATER = "2026-11-21T05:00:00Z", "2026-11-21T08:00:00Z", "2026-11-28T05:00:00Z"
PLAIN = ("blouses", "sweaters", "jackets")
"""Categories that need no browser; skirts are in the tests of the whole sample web."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Serve a small shop, and give its declarations and truth."""
    folder = tmp_path_factory.mktemp("shop")
    world = build_world(7, 0.1)
    world.sites = [site for site in world.sites if site.kind == "shop"]
    world.truth["photos"] = []
    with running(world, free_port(), folder / "log.jsonl", folder / "pictures") as port:
        write_sources(world, folder / "sources", port)
        yield load_sources([folder / "sources"]), truth_table(world, port, RenderCache(folder / "pictures")), folder


@pytest.fixture(scope="module")
def crawled(shop, tmp_path_factory):
    """Crawl three categories with their descriptions."""
    sources, truth, _ = shop
    root = DataRoot(tmp_path_factory.mktemp("store"))
    chosen = [dataclasses.replace(sources[f"sample-shop-{name}"], with_descriptions=True) for name in PLAIN]
    runs = crawl_many(chosen, root, Config(), WHEN)
    return root, runs, truth


def records(root, run, kind=None):
    found = landing.iter_records(root.run_folder(run.source, run.run_id))
    return [record for record in found if kind in (None, record.TYPE)]


def issues(root, run):
    return list(landing.iter_issues(root.run_folder(run.source, run.run_id)))


def placed(root, run):
    facts = {record.subject_id: record.attributes for record in records(root, run, "subject")}
    return Counter(
        (facts[r.subject_id]["item_id"], facts[r.subject_id]["color"], r.slot, r.image_id)
        for r in records(root, run, "sighting")
    )


def planted(truth, category, with_descriptions=True):
    """What should be where, straight from the truth."""
    wanted = Counter()
    for item in truth["items"]:
        if item["category"] != category:
            continue
        photos = [(color or None, "seller", photo) for color, photo in item["colors"].items()]
        photos += [(None, "gallery", photo) for photo in item["gallery"]]
        photos += [(None, "gallery", photo) for photo in item["descriptions"] if with_descriptions]
        photos += [(photo["color"], "buyer", photo) for photo in item["buyer"]]
        wanted.update((item["item_id"], color, slot, photo["sha256"]) for color, slot, photo in photos)
    return wanted


def test_every_photo_is_under_its_item_and_colour_in_every_generation_of_pages(crawled):
    root, runs, truth = crawled
    for run, category in zip(runs, PLAIN, strict=True):
        assert run.state == "ok", run.detail
        assert placed(root, run) == planted(truth, category), category


def test_each_colour_has_exactly_one_leading_photo_and_a_class_of_its_own(crawled):
    root, runs, truth = crawled
    for run, category in zip(runs, PLAIN, strict=True):
        leading = Counter(r.subject_id for r in records(root, run, "sighting") if r.slot == "seller")
        assert set(leading.values()) == {1}
        items = [item for item in truth["items"] if item["category"] == category]
        assert len(leading) == sum(len(item["colors"]) for item in items)
        labels = [s.label for s in records(root, run, "subject") if s.label is not None]
        assert len(set(labels)) == len(labels)
        untold = [s for s in records(root, run, "subject") if s.attributes["color"] is None]
        plain = {item["item_id"] for item in items if not item["color_names"]}
        assert {s.attributes["item_id"] for s in untold if s.label is not None} <= plain


def test_prices_and_stores_are_those_of_the_offers(crawled):
    root, runs, truth = crawled
    offers = {item["item_id"]: item for item in truth["items"]}
    for run in runs:
        for subject in records(root, run, "subject"):
            facts, offer = subject.attributes, offers[subject.attributes["item_id"]]
            paid = facts["price_discounted"] or facts["price"]
            assert paid["low"] == pytest.approx(offer["price"])
            assert (subject.name, facts["store_id"]) == (offer["title"], offer["store_id"])


def test_a_missing_original_is_replaced_by_what_the_page_shows_and_said(crawled):
    root, runs, truth = crawled
    smaller = {
        photo["url"]: photo["sha256"]
        for item in truth["items"]
        if item["category"] in PLAIN
        for photo in [*item["colors"].values(), *item["buyer"]]
        if photo["url"].count(".jpg") > 1
    }
    assert len(smaller) >= 2 * len(PLAIN)
    shown = {r.image_url: r.image_id for run in runs for r in records(root, run, "sighting")}
    assert {url: shown.get(url) for url in smaller} == smaller
    said = {issue.where: (issue.reason, issue.detail) for run in runs for issue in issues(root, run)}
    for url in smaller:
        reason, detail = said[url.rpartition("_")[0]]
        assert reason == "fetch_not_found"
        assert url in detail


def test_nothing_of_a_buyer_is_in_any_byte_that_is_kept(crawled):
    root, runs, _ = crawled
    kept = [path for path in root.root.rglob("*") if path.is_file()]
    assert len(kept) > 100
    for mark in BUYER_MARKS:
        assert [path for path in kept if mark.encode() in path.read_bytes()] == [], mark
    blobs = BlobStore(root.blobs)
    for run in runs:
        pages = [page for page in records(root, run, "page") if "valuation" in page.url]
        assert pages
        assert not any(b'"buyerCountry":"ES"' in blobs.get(p.body_sha256) for p in pages)
        assert not any("buyers" in subject.attributes for subject in records(root, run, "subject"))


def test_a_recipe_may_ask_for_country_and_measures(shop, root):
    sources, _, _ = shop
    source = dataclasses.replace(sources["sample-shop-jackets"], buyer_facts=("country", "measures"))
    run = crawl_source(source, root, Config(), WHEN)
    said = [buyer for subject in records(root, run, "subject") for buyer in subject.attributes.get("buyers", [])]
    assert {buyer["country"] for buyer in said} == {"ES", "FR", "PL", "BR"}
    assert any(buyer.get("measures") == {"Height": "150cm"} for buyer in said)
    kept = [path for path in root.root.rglob("*") if path.is_file()]
    assert not [path for path in kept for mark in BUYER_MARKS if mark.encode() in path.read_bytes()]


def test_a_second_crawl_finds_the_same_and_fetches_no_picture_again(shop, crawled):
    sources, _, folder = shop
    root, runs, _ = crawled
    before = len(load_log(folder / "log.jsonl"))
    source = dataclasses.replace(sources["sample-shop-blouses"], with_descriptions=True)
    again = crawl_source(source, root, Config(), LATER)
    fresh = [row for row in load_log(folder / "log.jsonl")[before:] if row["status"] == 200 and ".jpg" in row["path"]]
    assert fresh == []
    assert again.counts["images_new"] == 0
    assert placed(root, again) == placed(root, runs[0])


def test_single_items_by_id_and_by_address(shop, root):
    sources, truth, _ = shop
    first, second = [item["item_id"] for item in truth["items"] if item["category"] == "blouses"][:2]
    url = sources["sample-shop-blouses"].url.partition("/search")[0] + f"/item/{second}.html"
    chosen = item_sources(sources, ["sample-shop"], [first, url])
    assert [source.name for source in chosen] == [f"sample-shop-item-{first}", f"sample-shop-item-{second}"]
    runs = crawl_many(chosen, root, Config(), WHEN)
    for run, item_id in zip(runs, (first, second), strict=True):
        wanted = {key: n for key, n in planted(truth, "blouses", False).items() if key[0] == item_id}
        assert placed(root, run) == wanted


def test_limits_take_the_first_items_of_the_list(shop, root):
    sources, truth, _ = shop
    [source] = with_limits([sources["sample-shop-sweaters"]], pages=None, max_items=2)
    run = crawl_source(source, root, Config(), WHEN)
    assert run.state == "ok", run.detail
    wanted = [item["item_id"] for item in truth["items"] if item["category"] == "sweaters"][:2]
    assert {s.attributes["item_id"] for s in records(root, run, "subject")} == set(wanted)


@pytest.mark.parametrize(
    ("shops", "target", "message"),
    [
        (["sample-shop"], "skirt", "expected an item's id or the address"),
        (["nowhere"], "123456", "no shop nowhere"),
        ([], "http://127.0.0.90/category/1/x.html", "expected the address of an item's page"),
    ],
)
def test_what_is_no_item_is_refused(shop, shops, target, message):
    with pytest.raises(UsageError, match=message):
        item_sources(shop[0], shops, [target])


def test_every_page_shape_is_served():
    site = build_world(7, 0.1).site("sample-shop")
    starts = {path.partition("?")[0] for path in site.categories.values()}
    found = defaultdict(set)
    for path, served in site.files.items():
        kind = "item" if path.startswith(("/item/", "/h5/")) else "reviews" if "valuation" in path else "listing"
        if served.picture is None and (kind != "listing" or path.partition("?")[0] in starts):
            page = PageInput(url=f"http://{site.host}{path}", body=served.body)
            found[kind].add(reader_of(kind)(page).page_format)
    assert found == {
        "item": {"runparams", "components", "mtop", "dcdata", "html2018"},
        "listing": {"search_json", "search_embedded", "search_html"},
        "reviews": {"evaluation_html", "evaluation_json", "dump2018"},
    }


def test_an_unknown_category_names_those_that_there_are(shop):
    with pytest.raises(UsageError, match="blouses, hoodies, jackets, skirts, sweaters"):
        of_categories(list(shop[0].values()), ["trousers"])


@pytest.mark.browser
def test_pages_that_scripts_fill_are_read_in_the_browser(shop, root):
    try:
        find_browser("", "")
    except UsageError as error:
        pytest.skip(str(error))
    sources, truth, _ = shop
    run = crawl_source(
        dataclasses.replace(sources["sample-shop-hoodies"], with_descriptions=True), root, Config(), WHEN
    )
    assert run.state == "ok", run.detail
    assert placed(root, run) == planted(truth, "hoodies")
    filled = [item["item_id"] for item in truth["items"] if item["format"] == "dcdata"]
    assert filled
    pages = {page.url for page in records(root, run, "page") if page.via == "browser"}
    assert {url.rpartition("/")[2] for url in pages} == {f"{item_id}.html" for item_id in filled}
    kept = [path.read_bytes() for path in root.root.rglob("*") if path.is_file()]
    assert not any(mark.encode() in body for body in kept for mark in BUYER_MARKS)


def test_without_a_browser_such_an_item_is_never_a_positive(shop, root):
    sources, truth, _ = shop
    run = crawl_source(dataclasses.replace(sources["sample-shop-hoodies"], render="never"), root, Config(), WHEN)
    filled = {item["item_id"] for item in truth["items"] if item["format"] == "dcdata"}
    labels = defaultdict(set)
    for subject in records(root, run, "subject"):
        labels[subject.attributes["item_id"]].add(subject.label)
    assert all(labels[item_id] == {None} for item_id in filled)


BUSY = {"status": 429, "body": b"later", "headers": {"Retry-After": "7200"}}
PUNISH = {"body": b"<title>Captcha Interception</title><script src='/_____tmd_____/punish?x5secdata=x'></script>"}


@pytest.mark.parametrize(
    ("place", "answer", "pause_s"),
    [("listing", BUSY, 7200), ("picture", BUSY, 7200), ("picture", PUNISH, 1800)],
    ids=["busy-listing", "busy-picture", "challenge-for-a-picture"],
)
def test_a_host_that_wants_us_gone_ends_the_run_with_a_time_to_try_again(shop, root, place, answer, pause_s):
    _, _, folder = shop
    world = build_world(7, 0.1)
    world.sites = [site for site in world.sites if site.kind == "shop"]
    files = world.sites[0].files
    picture = next(path for path in files if path.startswith("/kf/S") and path.endswith(".jpg"))
    path = picture if place == "picture" else world.sites[0].categories["skirts"]
    files[path] = dataclasses.replace(files[path], picture=None, **answer)
    with running(world, free_port(), None, folder / "pictures") as port:
        write_sources(world, folder / "disturbed", port)
        run = crawl_source(load_sources([folder / "disturbed"])["sample-shop-skirts"], root, Config(), WHEN)
    assert run.state == "blocked"
    then = datetime.fromisoformat(run.detail.rpartition("after ")[2])
    assert (then - datetime.fromisoformat(run.finished_at)).total_seconds() == pytest.approx(pause_s, abs=5)

"""The saved real pages read as their truth says."""

import csv
import json

import pytest

from benchmarks.bench_shop import item_against_truth
from catalog.errors import PageBlocked, PageForeign
from spiders.pages.aliexpress import read_item, read_listing, read_reviews, subjects_of_item
from spiders.pages.contract import PageInput

pytestmark = pytest.mark.shared_data

URL = "https://www.aliexpress.com/item/1.html"
BUYER_FIELDS = ("buyerName", "buyerId", "buyerHeadPortrait", "buyerGender")


def page(path, url=URL):
    return PageInput(url=url, body=path.read_bytes(), via="file")


def test_items_read_as_their_truth(shared_data):
    folder = shared_data / "aliexpress" / "items"
    truths = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert len(truths) >= 12
    for name, truth in truths.items():
        result = read_item(page(folder / name))
        compared = item_against_truth(result.records[0], truth)
        assert all(compared.values()), (name, [field for field, is_right in compared.items() if not is_right])
        assert result.issues == ()
        subjects = subjects_of_item(result.records[0])
        assert len({subject.color for subject in subjects}) == len(subjects) > 0
        assert all(subject.image_url for subject in subjects)


def test_the_page_of_2025_tells_what_it_has_without_scripts(shared_data):
    (path,) = (shared_data / "aliexpress" / "items").glob("2025_*.html")
    result = read_item(page(path))
    record = result.records[0]
    assert (result.page_format, result.needs_script) == ("dcdata", True)
    assert record["item_id"] in path.name
    assert len(record["image_urls"]) == 6
    assert record["price"] is None
    assert record["item_id"] in record["reviews_url"]
    with pytest.raises(PageForeign):
        read_listing(page(path))


def test_challenges_are_blocked_for_every_reader(shared_data):
    for path in (shared_data / "aliexpress" / "blocked").iterdir():
        for read in (read_item, read_listing, read_reviews):
            with pytest.raises(PageBlocked):
                read(page(path))


def test_searches_give_every_item(shared_data):
    for path in (shared_data / "aliexpress" / "search").glob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))["content"]
        result = read_listing(page(path))
        assert [record["item_id"] for record in result.records] == list(dict.fromkeys(e["productId"] for e in content))
        assert all(all(record.values()) for record in result.records)
        assert not any("350x350" in record["image_url"] for record in result.records)
        assert [r["price"]["low"] for r in result.records] == [e["prices"]["salePrice"]["minPrice"] for e in content]


def test_reviews_give_every_photo_and_no_buyer(shared_data):
    for path in (shared_data / "aliexpress" / "reviews").glob("*.json"):
        reviews = json.loads(path.read_text(encoding="utf-8"))["reviews"]
        records = read_reviews(page(path)).records
        assert [record["review_id"] for record in records] == [entry["evaluationIdStr"] for entry in reviews]
        assert [record["image_urls"] for record in records] == [entry.get("images", []) for entry in reviews]
        assert [record["rating"] for record in records] == [entry["buyerEval"] / 20 for entry in reviews]
        assert {record["color"] for record in records} <= {"No Battery", "1PC 2.0Ah Battery"}
        assert_no_buyer(records, reviews)


def test_the_dump_of_2018_gives_every_photo_and_no_buyer(shared_data):
    path = shared_data / "aliexpress" / "reviews" / "2018_reviews.csv"
    with path.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    records = read_reviews(page(path)).records
    assert len(records) == len(rows) == 300
    assert [len(record["image_urls"]) for record in records] == [row["images"].count("https://") for row in rows]
    assert {record["color"] for record in records} == {"Blue"}
    assert {record["size"] for record in records} == {"2T", "3T", "4T", "5", "6", "7"}
    assert_no_buyer(records, rows)


def assert_no_buyer(records, entries):
    for record, entry in zip(records, entries, strict=True):
        assert set(record) == {"review_id", "country", "rating", "date", "text", "color", "size", "image_urls"}
        told = json.dumps({name: value for name, value in record.items() if name != "text"}, ensure_ascii=False)
        for name in BUYER_FIELDS:
            value = str(entry.get(name) or "")
            assert len(value) < 4 or value not in told

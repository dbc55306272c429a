"""Who the buyers are is gone before a page is stored; what the readers read stays."""

import json
from pathlib import Path

import pytest

from spiders.pages.aliexpress import read_item, read_listing, read_reviews, without_buyers
from spiders.pages.contract import PageInput

FIXTURES = Path(__file__).parents[3] / "fixtures" / "pages"
READERS = {"item": read_item, "listing": read_listing, "reviews": read_reviews}
CASES = [
    path.parent
    for kind in ("item", "reviews")
    for path in sorted((FIXTURES / kind).glob("*/output.json"))
    if json.loads(path.read_text(encoding="utf-8")).get("records")
]


def page(case, body):
    meta = json.loads((case / "meta.json").read_text(encoding="utf-8"))
    return READERS[meta["kind"]](PageInput(url=meta["url"], via=meta["via"], body=body)).to_json()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_everything_else_is_read_as_before(case):
    (saved,) = case.glob("input.*")
    expected = json.loads((case / "output.json").read_text(encoding="utf-8"))
    assert page(case, without_buyers(saved.read_bytes(), ("country", "measures"))) == expected
    for record in expected["records"] if case.parent.name == "reviews" else ():
        record["country"] = None
    assert page(case, without_buyers(saved.read_bytes())) == expected


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("evaluation_html", [b"N***a B.", b"AliExpress Shopper", b"ownerMemberId", b"165cm", b"css_pl"]),
        ("evaluation_json", [b"***"]),
        ("evaluation_json_french", [b"M***e", b"BE"]),
        ("dump2018", [b"A*a", b"UTface", b"Shopper"]),
    ],
)
def test_nothing_of_them_is_left(name, marks):
    (saved,) = (FIXTURES / "reviews" / name).glob("input.*")
    before, after = saved.read_bytes(), without_buyers(saved.read_bytes())
    for mark in marks:
        assert mark in before, mark
        assert mark not in after, mark


def test_reviews_that_an_item_page_shows_in_the_browser_lose_their_names():
    body = (FIXTURES / "item" / "rendered_2024" / "input.html").read_bytes()
    assert b"S***a" in body
    assert b"S***a" not in without_buyers(body)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'"buyerName": "x', b'productId,buyerName,x\n"', b"\xff\xfe<div class=feedback-item>"]
)
def test_broken_pages_do_not_break_it(body):
    assert isinstance(without_buyers(body), bytes)


def test_measures_are_read_where_they_are_asked_for():
    body = (FIXTURES / "reviews" / "evaluation_html" / "input.html").read_bytes()
    asked = read_reviews(PageInput(url="https://feedback.aliexpress.com/x.htm", body=body), with_measures=True)
    assert [record["measures"] for record in asked.records] == [{"Height": "165cm", "Weight": "58kg"}, {}]

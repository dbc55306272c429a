"""Whatever the bytes are, readers raise the declared errors and nothing else."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import PageBlocked, PageForeign, SourceChanged
from spiders.pages.aliexpress import (
    description_images,
    read_item,
    read_listing,
    read_reviews,
    renditions_in,
    without_buyers,
)
from spiders.pages.contract import PageInput, PageResult

FIXTURES = Path(__file__).parents[3] / "fixtures" / "pages"
SEEDS = [
    path.read_bytes()
    for kind in ("item", "listing", "reviews")
    for path in sorted((FIXTURES / kind).glob("*/input.*"))
]
READERS = (read_item, read_listing, read_reviews)
QUIET = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["//", "http://[", "1e999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def read_all(body, url="https://www.aliexpress.com/item/1005001234567890.html"):
    assert isinstance(without_buyers(body), bytes)
    assert isinstance(renditions_in(PageInput(url=url, body=body)), dict)
    for read in READERS:
        try:
            result = read(PageInput(url=url, body=body))
        except (PageBlocked, PageForeign, SourceChanged):
            continue
        assert isinstance(result, PageResult)
        json.dumps(result.to_json(), allow_nan=False)


@QUIET
@given(st.binary(max_size=400), st.text(max_size=30))
def test_any_bytes(body, url):
    read_all(body, url)


@QUIET
@given(data=st.data())
def test_cut_and_spliced_pages(data):
    body = data.draw(st.sampled_from(SEEDS))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(body))] * 2)))
    filling = data.draw(st.binary(max_size=8) | st.sampled_from([b"", b"{", b'"', b"</div>", b"\\u0000", b"[[[["]))
    read_all(body[:start] + filling + body[end:])
    read_all(body[:start])


def places(value, path=()):
    yield path
    for key, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(inner, (*path, key))


def with_junk(value, path, junk_value):
    if not path:
        return junk_value
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_junk(copy[path[0]], path[1:], junk_value)
    return copy


def embedded(case):
    text = (FIXTURES / case).read_text(encoding="utf-8")
    start = text.index("{", text.index("data:") if "data:" in text else 0)
    return json.JSONDecoder().raw_decode(text, start)[0]


DATA = [
    embedded(f"{kind}/{name}")
    for kind, name in [
        ("item", "runparams_colors/input.html"), ("item", "components/input.html"), ("item", "mtop_jsonp/input.json"),
        ("listing", "search_json/input.json"), ("reviews", "evaluation_json/input.json"),
    ]
]  # fmt: skip


@QUIET
@given(data=st.data())
def test_values_of_other_types(data):
    value = data.draw(st.sampled_from(DATA))
    for _ in range(data.draw(st.integers(1, 4))):
        value = with_junk(value, data.draw(st.sampled_from(list(places(value)))), data.draw(junk))
    written = json.dumps(value)
    read_all(written.encode())
    read_all(f"<html><script>window.runParams = {{ data: {written} }};</script></html>".encode())


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"data":' * 100_000,
        b"<div>" * 100_000,
        b"window.runParams = {" * 5000,
        b'{"a":' + b"9" * 10_000 + b"}",
    ],
    ids=["lists", "objects", "elements", "assignments", "digits"],
)
def test_hostile_pages(body):
    read_all(body)
    read_all(b"<script>window.runParams = " + body + b"</script>")


@QUIET
@given(st.binary(max_size=200))
def test_description_pages(body):
    try:
        urls = description_images(
            PageInput(url="https://www.aliexpress.com/desc.htm", body=b'<img src="a.jpg">' + body)
        )
    except PageBlocked:
        return
    assert urls[0] == "https://www.aliexpress.com/a.jpg"

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import UsageError
from spiders.policy import pace
from spiders.sources import SHIPPED, Source, find_source, load_sources, read_source, to_toml

FULL = """
[source]
title = "Informatik"
kind = "staff"
url = "http://127.0.0.9:1/staff"
label = "cs"
organisation = "Uni"
render = "auto"
allow_loopback = true
delay_s = 0.01
max_pages = 40

[source.hints]
block = "li.person"

[source.expected]
min = 3
max = 90
"""


def written(tmp_path, text, name="uni-cs"):
    path = tmp_path / f"{name}.toml"
    path.write_text(text)
    return path


def test_a_declaration_is_read_whole(tmp_path):
    source = read_source(written(tmp_path, FULL))
    assert (source.name, source.label, source.render, source.max_pages) == ("uni-cs", "cs", "auto", 40)
    assert (source.expected_min, source.expected_max) == (3, 90)
    assert source.hints == {"block": "li.person"}
    assert source.is_on_loopback


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("label", "lable", "unknown key source.lable"),
        ("min = 3", "least = 3", "unknown key source.expected.least"),
        ('kind = "staff"', 'kind = "people"', "kind: expected one of staff, shop"),
        ('render = "auto"', 'render = "yes"', "render"),
        ("max_pages = 40", 'max_pages = "40"', "must be of type int"),
        ("max_pages = 40", "max_pages = true", "must be of type int"),
        ("max = 90", "max = 2", "at least expected.min"),
        ("http://127.0.0.9:1/staff", "ftp://uni.example/", "http or https"),
        ("delay_s = 0.01", "delay_s = 0.001", "0.01 to"),
        ("allow_loopback = true", "allow_loopback = false", "1.0 to"),
        ('kind = "staff"', 'name = "other"\nkind = "staff"', "file's stem"),
        ("[source]", "[sources]", "unknown key sources"),
        ("[source]", "[source", "TOML"),
        ('kind = "staff"\n', "", "lacks kind"),
    ],
)
def test_what_cannot_be_is_refused_with_the_file_and_what_was_expected(tmp_path, old, new, message):
    path = written(tmp_path, FULL.replace(old, new))
    with pytest.raises(UsageError) as caught:
        read_source(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@given(st.floats(allow_nan=True), st.booleans())
def test_no_source_undercuts_the_floor(delay_s, allow_loopback):
    floor = pace.LOOPBACK_DELAY_S if allow_loopback else pace.PUBLIC_DELAY_S
    try:
        source = Source(
            name="a", kind="staff", url="https://a.example", delay_s=delay_s, allow_loopback=allow_loopback
        )
    except UsageError:
        return
    assert source.delay_s >= floor


def test_every_shipped_source_keeps_the_floor_and_its_name():
    for path in SHIPPED.glob("*.toml"):
        source = read_source(path)
        assert source.delay_s >= pace.PUBLIC_DELAY_S
        assert not source.allow_loopback
        assert source.is_enabled <= bool(source.verified_at), f"{path}: enabled, but never verified"


SHOP = """[source]
name = "shop"
title = "A shop"
kind = "shop"
url = "https://shop.example/home"
max_items = 50
buyer_facts = ["country"]

[source.expected]
min = 2

[source.categories]
skirts = "/category/1/skirts.html"
coats = "https://lists.shop.example/coats"
"""


def test_a_shop_stands_for_one_source_per_category(tmp_path):
    written(tmp_path, SHOP, "shop")
    sources = load_sources([tmp_path])
    assert {name: (source.url, source.label, source.shop) for name, source in sources.items()} == {
        "shop-coats": ("https://lists.shop.example/coats", "coats", "shop"),
        "shop-skirts": ("https://shop.example/category/1/skirts.html", "skirts", "shop"),
    }
    assert {source.max_items for source in sources.values()} == {50}
    assert {source.buyer_facts for source in sources.values()} == {("country",)}


def test_a_shop_reads_back_equal(tmp_path):
    source = read_source(written(tmp_path, SHOP, "shop"))
    assert read_source(written(tmp_path, to_toml(source), "shop")) == source


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "shop"', 'kind = "staff"', "categories: expected a source of kind shop"),
        ("coats =", '"Coats & more" =', "categories: expected slugs"),
        ('"https://lists.shop.example/coats"', "1", "categories must be of type dict"),
        ("max_items = 50", "max_items = 0", "max_items: expected at least 1"),
        ('["country"]', '["name"]', "buyer_facts: expected some of country, measures"),
    ],
)
def test_what_a_shop_cannot_be(tmp_path, old, new, message):
    with pytest.raises(UsageError, match=message):
        read_source(written(tmp_path, SHOP.replace(old, new), "shop"))


def test_the_shipped_shop_is_not_enabled_before_anybody_has_looked():
    shipped = [source for source in load_sources([SHIPPED]).values() if source.shop == "aliexpress"]
    assert {source.label for source in shipped} == {"skirts", "blouses", "hoodies", "sweaters", "jackets"}
    assert not any(source.is_enabled or source.verified_at for source in shipped)


def test_a_written_declaration_reads_back_equal(tmp_path):
    source = read_source(written(tmp_path, FULL))
    again = written(tmp_path, to_toml(source), "uni-cs")
    assert read_source(again) == source


def test_folders_are_read_together_and_names_are_looked_for(tmp_path):
    for name in ("uni-a", "uni-b"):
        written(tmp_path, FULL, name)
    assert list(load_sources([tmp_path, tmp_path / "missing"])) == ["uni-a", "uni-b"]
    assert find_source("uni-a", [tmp_path]).name == "uni-a"
    with pytest.raises(UsageError, match="uni-a"):
        find_source("uni_a", [tmp_path])
    (tmp_path / "more").mkdir()
    written(tmp_path / "more", FULL, "uni-a")
    with pytest.raises(UsageError, match="declared twice"):
        load_sources([tmp_path, tmp_path / "more"])

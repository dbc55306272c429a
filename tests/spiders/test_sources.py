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

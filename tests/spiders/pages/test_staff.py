"""The staff reader on invented pages (one folder each), on hostile bytes, and on real pages where they are present."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.bench_staff import measure, pooled
from catalog.errors import GleaneryError, PageBlocked, PageForeign, SourceChanged, UsageError
from catalog.schema import ROLE_CLASSES
from spiders.pages.contract import PageInput, PageResult
from spiders.pages.staff import FIELDS, StaffHints, read_profile, read_staff

CASES = sorted((Path(__file__).parents[2] / "fixtures" / "pages" / "staff").iterdir())
DECLARED = (SourceChanged, PageBlocked, PageForeign)


def case_page(case: Path) -> PageInput:
    meta = json.loads((case / "meta.json").read_text(encoding="utf-8"))
    return PageInput(url=meta["url"], body=(case / "input.html").read_bytes(), headers=meta.get("headers", {}))


def read_case(case: Path) -> dict[str, Any]:
    meta = json.loads((case / "meta.json").read_text(encoding="utf-8"))
    hints = StaffHints(**meta["hints"]) if "hints" in meta else None
    try:
        result = (read_profile if meta.get("read") == "profile" else read_staff)(case_page(case), hints)
    except GleaneryError as error:
        return {"error": type(error).__name__}
    return result.to_json() | {"needs_script": result.needs_script}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path) -> None:
    assert read_case(case) == json.loads((case / "output.json").read_text(encoding="utf-8"))


def check_contract(result: PageResult) -> None:
    for record in result.records:
        assert tuple(record) == FIELDS
        assert record["name"].strip() == record["name"] != ""
        assert record["role_class"] in ROLE_CLASSES
        for key in ("image_url", "image_full_url", "profile_url"):
            assert record[key] is None or record[key].startswith(("http://", "https://", "data:"))
    assert all(url.startswith(("http://", "https://")) for url in result.pages)
    assert result.records or result.needs_script


def read_or_declared(page: PageInput) -> None:
    began = time.process_time()
    for read in (read_staff, read_profile):
        with contextlib.suppress(*DECLARED):
            check_contract(read(page))
    assert time.process_time() - began < 10  # two readings, each under 5 s


# --- one thing at a time ---------------------------------------------------------------------------------


def people_page(*people: str, head: str = "") -> str:
    return f"<html><head><title>Team</title>{head}</head><body><h1>Team</h1>{''.join(people)}</body></html>"


def card(name: str, image: str = "", role: str = "Professor") -> str:
    return f'<div class="c">{image}<h3>{name}</h3><p>{role}</p></div>'


THREE = people_page(
    card("Ada Ferrow", '<img src="a.jpg">'),
    card("Bo Lindqvist", '<img src="b.jpg">'),
    card("Cleo Marchetti", '<img src="c.jpg">'),
)


def read(html: str, hints: StaffHints | None = None, **fields: Any) -> PageResult:
    page = PageInput(url="https://dept.example.org/team/", body=html.encode())
    return read_staff(replace(page, **fields), hints)


@pytest.mark.parametrize(
    ("charset", "header", "meta"),
    [
        ("utf-8", "", ""),
        ("utf-8", "text/html; charset=utf-8", '<meta charset="iso-8859-1">'),
        ("iso-8859-1", "text/html; charset=ISO-8859-1", ""),
        ("iso-8859-15", "", '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-15">'),
        ("windows-1252", "", ""),
        ("utf-8-sig", "text/html; charset=iso-8859-1", ""),
        ("utf-16", "", ""),
    ],
)
def test_names_survive_every_declared_charset(charset: str, header: str, meta: str) -> None:
    html = people_page(
        *(card(name, f'<img src="{i}.jpg">') for i, name in enumerate(("Zoë Müßig", "Jürgen Ørsted"))), head=meta
    )
    page = PageInput(
        url="https://dept.example.org/team/", body=html.encode(charset, "replace"), headers={"content-type": header}
    )
    names = [record["name"] for record in read_staff(page).records]
    assert names == ["Zoë Müßig", "Jürgen Ørsted"]


def test_a_hint_overrides_its_step_and_leaves_the_others() -> None:
    html = THREE.replace("<p>Professor</p>", '<p>Professor</p><p class="job">Keeper of arches</p>')
    plain, hinted = read(html), read(html, StaffHints(role=".job"))
    assert [record["role"] for record in hinted.records] == ["Keeper of arches"] * 3
    for field in ("name", "image_url", "profile_url"):
        assert [r[field] for r in hinted.records] == [r[field] for r in plain.records]


def test_hints_find_what_no_structure_shows() -> None:
    html = people_page(
        '<p>x<i class="n">ada of the bridges</i> <img class="face" src="1.png"><img class="icon" src="2.png"></p>'
    )
    hints = StaffHints(block="p", name=".n", image=".face")
    (record,) = read(html, hints).records
    assert (record["name"], record["image_url"]) == ("ada of the bridges", "https://dept.example.org/team/1.png")


def test_hints_that_find_nothing_say_so() -> None:
    with pytest.raises(SourceChanged, match="expected people"):
        read(THREE, StaffHints(block=".gone"))


def test_a_hint_that_is_no_selector_is_the_users_error() -> None:
    with pytest.raises(UsageError, match="hint name"):
        StaffHints(name="div[")


def test_a_challenge_is_never_nobody() -> None:
    with pytest.raises(PageBlocked):
        read('<title>Just a moment...</title><div class="g-recaptcha"></div>')


def test_people_in_comments_templates_and_menus_are_not_there() -> None:
    extra = (
        f"<!-- {card('Gone Person')} --><template>{card('Mould Person')}</template><nav>{card('Menu Person')}</nav>"
    )
    names = [record["name"] for record in read(THREE.replace("</body>", extra + "</body>")).records]
    assert names == ["Ada Ferrow", "Bo Lindqvist", "Cleo Marchetti"]


def test_crawls_follow_profiles_only_where_the_list_keeps_something_back() -> None:
    bare = people_page(
        *(card(f'<a href="/team/{n[0]}">{n}</a>') for n in ("Ada Ferrow", "Bo Lindqvist", "Cleo Marchetti"))
    )
    assert read(bare).pages == tuple(f"https://dept.example.org/team/{letter}" for letter in "ABC")
    assert read(THREE).pages == ()


def test_crawls_never_leave_the_site_nor_fetch_files_or_calendars() -> None:
    links = "".join(
        f'<a href="{href}">2</a>'
        for href in ("https://other.example.org/?page=2", "/team/list.pdf?page=2", "/calendar?page=2", "/team/?page=2")
    )
    assert read(THREE.replace("</body>", links + "</body>")).pages == ("https://dept.example.org/team/?page=2",)


# --- whatever the bytes are ------------------------------------------------------------------------------


@given(st.binary(max_size=2000))
@settings(max_examples=60)
def test_any_bytes(body: bytes) -> None:
    read_or_declared(PageInput(url="https://a.example/people", body=body))


FRAGMENTS = st.sampled_from(
    [
        *(
            "<div>",
            "</div>",
            "<p>",
            "<table>",
            "<tr>",
            "<td>",
            "</table>",
            "<ul><li>",
            "<dl><dt>",
            "<dd>",
            "<svg>",
            "<noscript>",
        ),
        *(
            "<h3>",
            "</h3>",
            "<a href='/x'>",
            "</a>",
            "<br>",
            "<b>",
            "<!--",
            "-->",
            "<span class='vcard'>",
            "<i class='fn'>",
            " ",
        ),
        *(
            "<img src='a.jpg' alt='Ada Ferrow'>",
            "<img srcset='a 1x, , b'>",
            "<img src='http://[bad'>",
            "<base href='http://[::1'>",
        ),
        *(
            "<style>.a{background:url(x)}",
            '<script type=\'application/ld+json\'>[{"@type":"Person"}]</script>',
            "\x00",
            "&#0;",
        ),
        *("Ada Ferrow", "Prof. Dr. Bo Lindqvist", "Ferrow, Ada", "何志海", "Professor", "&nbsp;"),
    ]
)


@given(st.lists(FRAGMENTS, max_size=60))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_any_heap_of_fragments(fragments: list[str]) -> None:
    read_or_declared(PageInput(url="https://a.example/people", body="".join(fragments).encode()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mutated_cases(case: Path) -> None:
    page = case_page(case)
    body = page.body
    for mutant in (
        body[: len(body) // 2],
        body[len(body) // 3 :],
        body.replace(b"</div>", b""),
        body.replace(b">", b"><div>", 40),
        body.decode("utf-8", "replace").encode("utf-16"),
        body.replace(b"<", b"&lt;"),
        bytes(b ^ 0x20 if i % 97 == 0 else b for i, b in enumerate(body)),
    ):
        read_or_declared(replace(page, body=mutant))


HOSTILE = {
    "deep": b"<div>" * 100_000,
    "deep_inline": b"<b>x" * 100_000,
    "deep_table": b"<table><tr><td>" * 33_000,
    "deep_names": b"<div>Ada Ferrow" * 30_000,
    "wide": b"<p>x</p>" * 100_000,
    "wide_names": b"<p>Ada Ferrow</p>" * 30_000,
    "wide_cards": b"<div><img src=a.jpg><h3>Ada Ferrow</h3><p>Professor</p></div>" * 10_000,
    "wide_cells": b"<table><tr>" + b"<td>Ada Ferrow</td>" * 30_000,
    "one_line": b"<p>" + b"<b>Ada Ferrow</b>, " * 20_000,
    "ten_megabytes": b"<p>Ada Ferrow <img src=a.jpg>" * 360_000,
    "text": b"Ada Ferrow, " * 900_000,
    "attributes": b"<a " + b"b=c " * 300_000 + b">",
    "long_srcset": b"<img srcset='" + b"a.jpg 1w, " * 300_000 + b"'>",
    "long_style": b"<style>" + b".a{" * 200_000 + b"</style><p style='background:url(" + b"(" * 200_000 + b"'>",
    "deep_json": b"<script type='application/ld+json'>" + b"[" * 100_000 + b"</script>",
    "entities": b"&amp" * 300_000,
    "brackets": b"<p>" + b"(" * 300 + b"</p><h1>" + b"A. " * 10_000 + b"</h1>",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_pages_end_soon_with_a_declared_error(kind: str) -> None:
    page = PageInput(url="https://a.example/people", body=HOSTILE[kind])
    began = time.process_time()
    with contextlib.suppress(*DECLARED):
        check_contract(read_staff(page))
    assert time.process_time() - began < 5


def test_a_page_that_is_too_large_is_read_as_far_as_it_goes_and_says_so() -> None:
    result = read(THREE.replace("</body>", "<p>filler</p>" * 100_000 + "</body>"))
    assert [issue.reason for issue in result.issues] == ["fetch_too_large"]
    assert len(result.records) == 3


# --- real pages ------------------------------------------------------------------------------------------


@pytest.mark.shared_data
def test_real_pages_hold_the_promised_figures(shared_data: Path) -> None:
    tallies = measure(shared_data)
    total = pooled(tallies)
    assert total.precision >= 0.97
    assert total.recall >= 0.95
    assert total.role_frac >= 0.9
    for tally in tallies:
        errors = tally.wrong + tally.missed
        if tally.portraits < 10:
            assert errors <= 1, tally.site
        else:
            assert min(tally.precision, tally.recall) >= 0.85, tally.site

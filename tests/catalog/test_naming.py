from __future__ import annotations

import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.naming import name_forms, spells, text_of

NAME = "Änne Müller-Groß"


def _is_named(text: str, name: str = NAME) -> bool:
    return spells(text, name_forms(name).__contains__)


@pytest.mark.parametrize(
    "text",
    [
        "<li>Prof. Dr. Änne Müller-Groß</li>",
        "MÜLLER-GROSS, Änne",
        "&Auml;nne M&uuml;ller&#8209;Gro&szlig;",
        f"/staff/{quote(NAME)}.html",
        f"/staff/{quote(NAME, encoding='cp1252')}.html",
        "/people/aenne-mueller-gross.jpg",
        "/people/anne_muller_gross",
        "Aenne Mueller-Gross",
        "anne+muller+gross@uni.example",
        "annemullergross.png",
        "muellergrossaenne.png",
        json.dumps({"name": NAME}),
        "<td>Änne</td><td><b>Müller</b>-Groß</td>",
        "<span>Än</span>ne Müller-Groß",
        "A\u0308nne Mu\u0308ller-Groß",
    ],
)
def test_every_way_of_writing_a_name_spells_it(text: str) -> None:
    assert _is_named(text)


@pytest.mark.parametrize("text", ["Anne Müller", "Müller-Groß", "Änne Marie Müller-Groß", "Anne Muller Gro", ""])
def test_another_name_does_not(text: str) -> None:
    assert not _is_named(text)


def test_a_name_without_spaces_is_found_in_running_text() -> None:
    assert _is_named("教員:王小明教授", "王小明")
    assert not _is_named("教員:王小華教授", "王小明")
    assert _is_named("담당 김철수는", "김철수")


def test_titles_are_no_part_of_a_name() -> None:
    assert name_forms("Prof. Dr. Ada Bell") >= name_forms("Ada Bell")
    assert name_forms("Bell, Ada") == name_forms("Ada Bell")
    assert name_forms("Dr.") == frozenset()


@pytest.mark.parametrize("charset", ["utf-8", "cp1252", "utf-16", "iso-8859-2"])
def test_pages_are_read_in_their_own_charset(charset: str) -> None:
    body = f'<meta charset="{charset}"><p>{NAME}</p>'.encode(charset)
    assert _is_named(text_of(body))


@given(
    st.text(st.characters(categories=["Ll", "Lu"], max_codepoint=0x24F), min_size=2, max_size=8),
    st.text(st.characters(categories=["Ll", "Lu"], max_codepoint=0x24F), min_size=2, max_size=8),
    st.sampled_from(["{0} {1}", "{1}, {0}", "/x/{0}-{1}.jpg", "<b>{0}</b> <i>{1}</i>"]),
    st.sampled_from([str, str.upper, html.escape, quote]),
)
def test_any_name_is_found_in_any_dress(first: str, last: str, pattern: str, dress) -> None:
    name = f"{first} {last}"
    if name_forms(name):
        assert _is_named(dress(pattern.format(first, last)), name)


def test_a_name_typed_without_its_umlauts_is_found_with_them() -> None:
    assert _is_named("Änne Größler", "Aenne Groessler")
    assert _is_named('{"name": "\\u00c4nne Gr\\u00f6\\u00dfler"}', "Anne Grossler")
    assert _is_named("Søren Łukasz", "Soren Lukasz")

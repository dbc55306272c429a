"""The structures that staff pages come in: one small template each, and a function for those of several pages.

A structure turns the people of a site into `path -> HTML`. Adding one: a template here, a line in STRUCTURES.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

Groups = Sequence[tuple[str, Sequence[Mapping[str, Any]]]]
"""(heading, people): each person has name, title, role, image, alt, profile, room, mail, second."""

_TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True)


def _write(template: str, facts: Mapping[str, Any], **more: Any) -> str:
    return _TEMPLATES.get_template(f"{template}.html").render(**{**facts, **more})


def _single(template: str) -> Callable[[str, Groups, Mapping[str, Any]], dict[str, str]]:
    def write(start: str, groups: Groups, facts: Mapping[str, Any]) -> dict[str, str]:
        return {start: _write(template, facts, groups=groups)}

    return write


def _profiles(start: str, groups: Groups, facts: Mapping[str, Any]) -> dict[str, str]:
    pages = {start: _write("profiles", facts, groups=groups)}
    for _, people in groups:
        for person in people:
            shown = {**facts, "heading": person["name"], "title": person["name"], "group": None}
            pages[person["profile"]] = _write("profile", shown, p=person)
    return pages


def _script(start: str, groups: Groups, facts: Mapping[str, Any]) -> dict[str, str]:
    return {start: _write("script", facts), "/people.json": json.dumps(groups, ensure_ascii=False)}


def _letters(start: str, groups: Groups, facts: Mapping[str, Any]) -> dict[str, str]:
    by_letter: dict[str, list[tuple[str, list[Mapping[str, Any]]]]] = {}
    for heading, people in groups:
        for person in people:
            letter = person["name"].split()[-1][0]
            sections = by_letter.setdefault(letter, [])
            if not sections or sections[-1][0] != heading:
                sections.append((heading, []))
            sections[-1][1].append(person)
    letters = [(letter, f"{start}{letter}/") for letter in sorted(by_letter)]
    first = {start: _write("letters", facts, groups=by_letter[letters[0][0]], letters=letters)}
    return first | {
        path: _write("letters", facts, groups=by_letter[letter], letters=letters) for letter, path in letters
    }


def _paged(start: str, groups: Groups, facts: Mapping[str, Any]) -> dict[str, str]:
    flat = [(heading, person) for heading, people in groups for person in people]
    size = 8
    count = -(-len(flat) // size)
    paths = [(number + 1, start if number == 0 else f"{start}?page={number + 1}") for number in range(count)]
    pages = {}
    for number, path in paths:
        part: list[tuple[str, list[Mapping[str, Any]]]] = []
        for heading, person in flat[(number - 1) * size : number * size]:
            if not part or part[-1][0] != heading:
                part.append((heading, []))
            part[-1][1].append(person)
        after = paths[number][1] if number < count else None
        pages[path] = _write("paged", facts, groups=part, pages=paths, page=number, next=after)
    return pages


STRUCTURES: dict[str, Callable[[str, Groups, Mapping[str, Any]], dict[str, str]]] = {
    "cards": _single("cards"),
    "table": _single("table"),
    "profiles": _profiles,
    "script": _script,
    "definitions": _single("definitions"),
    "alternating": _single("alternating"),
    "lazy": _single("lazy"),
    "picture": _single("picture"),
    "background": _single("background"),
    "tabs": _single("tabs"),
    "letters": _letters,
    "paged": _paged,
}
"""Name to the function that writes a site's pages: (start path, groups, facts) -> path -> HTML or JSON."""

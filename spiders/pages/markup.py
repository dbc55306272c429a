"""People that a page marks as such: schema.org in JSON-LD and microdata, hCard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from spiders.pages.anchors import Anchor
from spiders.pages.document import Document, Node
from spiders.pages.names import Name, read_name
from spiders.pages.words import word_set

MAX_LINKED_NODES = 20_000

_NOT_STAFF = word_set(
    "author creator publisher contributor editor review reviewedby reviewer performer copyrightholder "
    "accountableperson translator"
)
"""Properties that lead to people who wrote or made something: no staff for that alone."""

_BYLINE = word_set("author byline entry-author post-author comment-author")
_CARDS = frozenset(("vcard", "h-card", "hcard"))
_NAME = frozenset(("fn", "p-name"))
_ROLE = frozenset(("title", "role", "p-job-title", "p-role"))


@dataclass(frozen=True, slots=True)
class LinkedPerson:
    """A person of a JSON-LD block; addresses absolute."""

    name: Name
    role: str | None
    image_url: str | None
    profile_url: str | None


def linked_people(document: Document) -> list[LinkedPerson]:
    """Read schema.org people from JSON-LD, without authors of texts."""
    found: dict[str, LinkedPerson] = {}
    for script in document.tagged("script"):
        if "ld+json" not in script.get("type"):
            continue
        try:
            data = json.loads(document.raw_text(script))
        except (ValueError, RecursionError):
            continue
        for entry in _people_in(data):
            person = _linked(document, entry)
            if person is not None:
                found.setdefault(person.name.key, person)
    return list(found.values())


def _people_in(data: Any) -> Iterator[dict[str, Any]]:
    waiting, seen = [data], 0
    while waiting and seen < MAX_LINKED_NODES:
        item = waiting.pop()
        seen += 1
        if isinstance(item, list):
            waiting.extend(reversed(item))
        elif isinstance(item, dict):
            kinds = item.get("@type")
            if "Person" in (kinds if isinstance(kinds, list) else [kinds]):
                yield item
            waiting.extend(value for key, value in reversed(item.items()) if key.lower() not in _NOT_STAFF)


def _linked(document: Document, entry: dict[str, Any]) -> LinkedPerson | None:
    text = entry.get("name") or f"{entry.get('givenName', '')} {entry.get('familyName', '')}"
    name = read_name(" ".join(_text(text).split()))
    if name is None:
        return None
    prefix = _text(entry.get("honorificPrefix"))
    if prefix and not name.title:
        name = Name(name.text, prefix, name.rest)
    image = _text(entry.get("image"), "url", "contentUrl", "@id")
    return LinkedPerson(
        name=name,
        role=_text(entry.get("jobTitle"), "name") or None,
        image_url=document.absolute(image) if image else None,
        profile_url=document.absolute(_text(entry.get("url"), "@id")),
    )


def _text(value: Any, *keys: str) -> str:
    """Give a string of what may be a string, an object that holds it, or a list of them."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = next((value[key] for key in keys if isinstance(value.get(key), str)), "")
    return value.strip() if isinstance(value, str) else ""


def marked_anchors(document: Document) -> list[Anchor]:
    """Give the names of microdata and hCard people."""
    anchors = []
    for node in document.nodes:
        if not ("class" in node.attrs or "itemtype" in node.attrs) or not _is_person(node):
            continue
        if any(_BYLINE & set(outer.get("class").split()) for outer in (node, *node.ancestors())):
            continue
        inner = document.nodes_in(node.start, node.end)
        name = next((n for n in inner if n.get("itemprop") == "name" or _NAME & set(n.get("class").split())), None)
        anchor = anchor_at(document, name) if name is not None else None
        if anchor is not None:
            anchors.append(anchor)
    return anchors if len({anchor.name.key for anchor in anchors}) == len(anchors) else []


def _is_person(node: Node) -> bool:
    if "itemscope" in node.attrs and node.get("itemtype").rstrip("/").endswith("schema.org/Person"):
        return node.get("itemprop") not in _NOT_STAFF
    return "card" in node.get("class") and bool(_CARDS & set(node.get("class").split()))


def marked_role(document: Document, start: int, end: int) -> str | None:
    """Give the job that microdata or hCard name in a block."""
    for node in document.nodes_in(start, end):
        if node.get("itemprop") == "jobTitle" or (_ROLE & set(node.get("class").split()) and _in_card(node)):
            text = text_of(document, node)
            if text:
                return text
    return None


def _in_card(node: Node) -> bool:
    return any(_CARDS & set(outer.get("class").split()) for outer in node.ancestors())


def text_of(document: Document, node: Node) -> str:
    """Give the visible text of an element, or what its `content` says."""
    runs = [run.text for line in document.lines_around(node) for run in line.runs if node.holds(run.position)]
    return " ".join(runs) or node.get("content")


def anchor_at(document: Document, node: Node, is_trusted: bool = False) -> Anchor | None:
    """Make an anchor of the element that holds a name.

    Args:
        document: the page.
        node: the element.
        is_trusted: take the text even if it has not the form of a name.
    """
    for line in document.lines_around(node):
        runs = [run for run in line.runs if node.holds(run.position)]
        text = " ".join(run.text for run in runs)
        name = read_name(text) if text else None
        if name is None and is_trusted and text:
            name = Name(text, None, "")
        if name is not None:
            return Anchor(line, name, runs[0].position, runs[-1].position + 1, 1.0, ("marked",), True)
    return None

"""Read people and portraits from a staff page that nobody wrote code for.

`read_staff` reads a list; `read_profile` reads one person's own page. Both are pure functions of a saved page. A crawl
asks `read_staff` first and `read_profile` for the pages that it was told to follow as profiles; a page that shows one
person under its main heading is read as a profile by `read_staff` too (`page_format` is then `profile`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from catalog.errors import PageBlocked, SourceChanged
from spiders.pages.blocks import Block, find_blocks
from spiders.pages.challenge import is_challenge
from spiders.pages.contract import PageInput, PageIssue, PageResult
from spiders.pages.details import Details, Sections, details_of
from spiders.pages.document import Document, read_document
from spiders.pages.follow import needs_script, pages_to_follow
from spiders.pages.pictures import Picture, find_pictures, shared_addresses
from spiders.pages.profile import profile_block

FIELDS = (
    "name",
    "title",
    "role",
    "role_class",
    "image_url",
    "image_full_url",
    "profile_url",
    "is_placeholder",
    "is_former",
)

_ABOUT_PEOPLE = re.compile(
    r"people|team\b|staff|facult(y|ies)\b|members?\b|personnel|directory|who we are|about us|our group|mitarbeit|personen|personal\b|mitglieder|beschäftigte|team|équipe|equipe|membres|annuaire|integrantes|miembros|equipo"
    r"|personas|persone|pessoas|成员|团队|师资|教师|人员|メンバー|スタッフ|教員|构成|構成員|lehrstuhlteam|professor|lab members|organisation|ansprechpartner|group|wir über uns|kontakt",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffHints:
    """CSS selectors that override single steps where the general reading fails; all but `block` relative to a block."""

    block: str | None = None
    """Elements that each show one person."""
    name: str | None = None
    title: str | None = None
    role: str | None = None
    image: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A record in the making."""

    block: Block
    details: Details


def read_staff(page: PageInput, hints: StaffHints | None = None) -> PageResult:
    """Read the people of a page.

    Args:
        page: a saved list page (or one person's own page).
        hints: selectors for what the general reading gets wrong.

    Returns:
        Records with the keys of `FIELDS`, in page order; addresses are absolute. `needs_script` is set, and records
        are empty, where the plain page holds nobody but runs scripts.

    Raises:
        PageBlocked: a challenge page.
        SourceChanged: the page holds nobody, and no script would bring them.
    """
    document = _open(page)
    pictures = find_pictures(document)
    about = _is_about_people(document)
    blocks = find_blocks(document, pictures, about)
    single = profile_block(document, pictures) if len(blocks) <= 1 else None
    if single is not None:
        blocks = [single]
    sections = Sections(document, blocks)
    people = [Person(block, details_of(document, block, sections)) for block in blocks]
    return _result(document, people, "profile" if single is not None else _format(blocks))


def read_profile(page: PageInput, hints: StaffHints | None = None) -> PageResult:
    """Read the one person whose own page this is.

    Raises:
        PageBlocked: a challenge page.
        SourceChanged: the page names nobody, and no script would.
    """
    document = _open(page)
    block = profile_block(document, find_pictures(document))
    blocks = [block] if block is not None else []
    sections = Sections(document, blocks)
    return _result(document, [Person(b, details_of(document, b, sections)) for b in blocks], "profile")


def _open(page: PageInput) -> Document:
    if is_challenge(page):
        raise PageBlocked(f"{page.url}: a challenge page stands where people were expected")
    return read_document(page)


def _is_about_people(document: Document) -> bool:
    headings = [line.text for line in document.lines if line.box.tag in ("h1", "h2", "h3")][:12]
    return any(_ABOUT_PEOPLE.search(text) for text in (document.title, document.url.split("//")[-1], *headings))


def _format(blocks: list[Block]) -> str:
    return "cards" if blocks else "none"


def _result(document: Document, people: list[Person], page_format: str) -> PageResult:
    issues: list[PageIssue] = []
    if document.is_cut:
        issues.append(PageIssue(reason="fetch_too_large", where=document.url, detail="only the beginning was read"))
    if not people:
        if needs_script(document):
            return PageResult(kind="staff", page_format="script", issues=tuple(issues), needs_script=True)
        raise SourceChanged(f"{document.url}: expected people (names with portraits or roles), found none")
    records = _records(people)
    return PageResult(
        kind="staff", page_format=page_format, records=tuple(records),
        pages=tuple(pages_to_follow(document, records, page_format)), issues=tuple(issues),
    )  # fmt: skip


def _records(people: list[Person]) -> list[Mapping[str, Any]]:
    owners = [(p.block.picture.url, p.block.anchor.name.key) for p in people if p.block.picture is not None]
    shared = shared_addresses(owners)
    records: dict[tuple[str, str | None], dict[str, Any]] = {}
    by_name: dict[str, list[dict[str, Any]]] = {}
    for person in people:
        record = _record(person, shared)
        known = by_name.setdefault(person.block.anchor.name.key, [])
        twin = next((other for other in known if _is_same(other, record)), None)
        if twin is not None:
            _fill(twin, record)
            continue
        known.append(record)
        records[person.block.anchor.name.key, str(len(records))] = record
    return list(records.values())


def _is_same(one: dict[str, Any], two: dict[str, Any]) -> bool:
    return one["image_url"] == two["image_url"] or None in (one["image_url"], two["image_url"])


def _fill(record: dict[str, Any], other: dict[str, Any]) -> None:
    """A person who is listed twice is one record; the first mention wins, the second fills what it lacks."""
    for key in FIELDS:
        if record[key] is None:
            record[key] = other[key]
            if key == "image_url":
                record["is_placeholder"] = other["is_placeholder"]


def _record(person: Person, shared: set[str]) -> dict[str, Any]:
    block, details = person.block, person.details
    picture: Picture | None = block.picture
    return {
        "name": block.anchor.name.text,
        "title": block.anchor.name.title,
        "role": details.role,
        "role_class": details.role_class,
        "image_url": picture.url if picture else None,
        "image_full_url": picture.full_url if picture else None,
        "profile_url": details.profile_url,
        "is_placeholder": picture is not None and (picture.is_placeholder or picture.url in shared),
        "is_former": details.is_former,
    }

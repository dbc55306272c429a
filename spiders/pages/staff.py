"""Read people and portraits from a staff page that nobody wrote code for.

`read_staff` reads a list; `read_profile` reads one person's own page. Both are pure functions of a saved page. A crawl
asks `read_staff` for the declared pages and for `pages` that lead to more lists, and `read_profile` for a record's
`profile_url`; its one record then fills what the list left open. A page that shows one person under its main heading
is read as a profile by `read_staff` too, so that a crawl need not know what it met (`page_format` is `profile` then).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from catalog.errors import PageBlocked, SourceChanged
from spiders.pages.blocks import Block, Builder, find_blocks
from spiders.pages.challenge import is_challenge
from spiders.pages.contract import PageInput, PageIssue, PageResult
from spiders.pages.document import Document, read_document
from spiders.pages.follow import needs_script, pages_to_follow
from spiders.pages.hints import Selected, StaffHints, hinted_blocks
from spiders.pages.markup import linked_people, marked_anchors
from spiders.pages.pictures import find_pictures
from spiders.pages.profile import is_called_after, profile_block
from spiders.pages.records import FIELDS, records_of, with_linked_people

__all__ = ["FIELDS", "StaffHints", "read_profile", "read_staff"]

_ABOUT_PEOPLE = re.compile(
    r"people|\bteam|staff|facult(y|ies)\b|members?\b|personnel|directory|who we are|about us|our group|mitarbeit"
    r"|personen"
    r"|\bpersonal\b|mitglieder|beschäftigte|équipe|equipe|membres|annuaire|integrantes|miembros|equipo|personas"
    r"|persone"
    r"|pessoas|professor|ansprechpartner|wir über uns|成员|团队|师资|教师|人员|メンバー|スタッフ|教員|構成員",
    re.IGNORECASE,
)


def read_staff(page: PageInput, hints: StaffHints | None = None) -> PageResult:
    """Read the people of a page.

    Args:
        page: a saved list page (or one person's own page).
        hints: selectors for what the general reading gets wrong.

    Returns:
        Records with the keys of `FIELDS`, in page order, addresses absolute. `needs_script` is set, and records are
        empty, where the plain page holds nobody but runs scripts.

    Raises:
        PageBlocked: a challenge page.
        SourceChanged: the page holds nobody, and no script would bring them.
    """
    hints = hints or StaffHints()
    document = _open(page)
    builder = Builder(document, find_pictures(document), _is_about_people(document))
    selected = Selected(document, hints)
    blocks = hinted_blocks(builder, selected)
    if blocks is not None:
        return _result(builder, blocks, selected, "hints")
    blocks = find_blocks(builder, marked_anchors(document))
    single = profile_block(builder)
    if single is not None and _is_profile(builder, single, blocks):
        return _result(builder, [single], selected, "profile")
    return _result(builder, blocks, selected, _format(blocks))


def read_profile(page: PageInput, hints: StaffHints | None = None) -> PageResult:
    """Read the one person whose own page this is; `hints.block` is not asked.

    Raises:
        PageBlocked: a challenge page.
        SourceChanged: the page names nobody, and no script would.
    """
    document = _open(page)
    builder = Builder(document, find_pictures(document), about_people=True)
    selected = Selected(document, replace(hints or StaffHints(), block=None))
    named = hinted_blocks(builder, selected)
    block = named[0] if named else profile_block(builder)
    return _result(builder, [block] if block is not None else [], selected, "profile")


def _is_profile(builder: Builder, single: Block, blocks: list[Block]) -> bool:
    """Say whether the heading's person is the page's subject, or the head of a group that it lists."""
    others = [b for b in blocks if b.is_human and b.anchor.name.key != single.anchor.name.key]
    return len(blocks) <= 1 or (len(others) < 3 and is_called_after(builder, single.anchor.name))


def _open(page: PageInput) -> Document:
    if is_challenge(page):
        raise PageBlocked(f"{page.url}: a challenge page stands where people were expected")
    return read_document(page)


def _is_about_people(document: Document) -> bool:
    headings = [line.text for line in document.lines if line.box.tag in ("h1", "h2", "h3")][:12]
    return any(_ABOUT_PEOPLE.search(text) for text in (document.title, document.url.split("//")[-1], *headings))


def _format(blocks: list[Block]) -> str:
    """Name the structure that most blocks show."""
    return Counter(block.format for block in blocks).most_common(1)[0][0] if blocks else "none"


def _result(builder: Builder, blocks: list[Block], selected: Selected, page_format: str) -> PageResult:
    document = builder.document
    records = records_of(builder, blocks, selected)
    if page_format != "hints":
        records = with_linked_people(records, linked_people(document), is_profile=page_format == "profile")
    small = {b.picture.url for b in blocks if b.picture is not None and b.picture.is_thumbnail}
    issues = []
    if document.is_cut:
        issues.append(PageIssue(reason="fetch_too_large", where=document.url, detail="only the beginning was read"))
    if records:
        return PageResult(
            kind="staff", page_format=page_format if blocks else "jsonld", records=tuple(records),
            pages=tuple(pages_to_follow(document, records, page_format, small)), issues=tuple(issues),
        )  # fmt: skip
    if needs_script(document):
        return PageResult(kind="staff", page_format="script", issues=tuple(issues), needs_script=True)
    raise SourceChanged(f"{document.url}: expected people (names with portraits or roles), found none")

"""The page structures of staff sites: one small function and one small Jinja template each.

To add one: write `structures/<name>.py` with `pages(department)` that yields `PagePlan`s, `templates/<name>.html`
beside it, and a line in `STRUCTURES`. Then name it in `sampleweb.sites.STRUCTURE_PLAN`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sampleweb.structures import (
    alternating,
    background,
    cards,
    definition_list,
    javascript,
    lazy,
    letters,
    list_profiles,
    paged,
    picture,
    table,
    tabs,
)  # fmt: skip
from sampleweb.structures.department import Department, Entry, PagePlan


@dataclass(frozen=True, slots=True)
class Structure:
    """One way to lay out a staff site."""

    pages: Callable[[Department], Iterable[PagePlan]]
    start: str = "/staff/"
    """Where a crawl begins."""


STRUCTURES: dict[str, Structure] = {
    "cards": Structure(cards.pages),
    "table": Structure(table.pages, "/mitarbeiter.html"),
    "list_profiles": Structure(list_profiles.pages, "/people/"),
    "javascript": Structure(javascript.pages, "/team/"),
    "definition_list": Structure(definition_list.pages, "/personen/"),
    "alternating": Structure(alternating.pages),
    "letters": Structure(letters.pages, "/people/"),
    "paged": Structure(paged.pages, "/people/"),
    "lazy": Structure(lazy.pages, "/team/"),
    "picture": Structure(picture.pages, "/team/"),
    "background": Structure(background.pages, "/team/"),
    "tabs": Structure(tabs.pages, "/team/"),
}

__all__ = ["STRUCTURES", "Department", "Entry", "PagePlan", "Structure"]

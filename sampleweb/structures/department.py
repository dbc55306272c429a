"""What a structure gets to lay out, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One listed person, as a page shows it; addresses are paths of the own site."""

    key: str
    """Number for addresses of profile pages."""
    name: str
    shown_name: str
    role: str
    heading: str
    room: str
    phone: str
    email: str
    image: str | None
    """None where the page shows no picture."""
    alt: str
    thumbnail: str | None
    gallery: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """One staff site."""

    language: str
    title: str
    start: str
    entries: tuple[Entry, ...]

    def sections(self, entries: Sequence[Entry] | None = None) -> list[tuple[str, list[Entry]]]:
        """Group entries under their role headings, in page order."""
        chosen = self.entries if entries is None else entries
        return [(heading, list(group)) for heading, group in groupby(chosen, key=lambda entry: entry.heading)]

    def say(self, german: str, english: str) -> str:
        """Choose the word in the site's language."""
        return german if self.language == "de" else english


@dataclass(frozen=True, slots=True)
class PagePlan:
    """One document: where it stands, which template makes it, and of what."""

    path: str
    template: str
    values: Mapping[str, Any]
    """Given to the template; for `template = "json"` served as JSON instead."""

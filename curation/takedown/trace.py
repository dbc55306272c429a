"""The trace of a person: which ids, addresses, names and saved pages must go. Found once, kept until all is gone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

from catalog.naming import name_forms, readings, spells

_ID = re.compile(r"[0-9a-f]{64}|\b[a-z]+_[0-9a-f]{16}\b")
_URL_CHARS_MIN = 8
"""A shorter address (`file:.`) names nothing."""

NAMED, SAME_BYTES, NEAR_COPY, SAME_SUBJECT = "named", "same bytes", "near copy", "same subject"
"""How a picture came into a trace."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What goes."""

    names: list[str] = field(default_factory=list)
    """As pages write them; empty where only a picture or a page goes."""
    subject_ids: list[str] = field(default_factory=list)
    images: dict[str, str] = field(default_factory=dict)
    """Image id -> how it came in."""
    page_ids: list[str] = field(default_factory=list)
    """Pages that are the person's own: their rows go."""
    bodies: list[str] = field(default_factory=list)
    """sha256 of saved pages that name the person: they go, whoever else stands on them."""
    urls: list[str] = field(default_factory=list)
    """Addresses of pictures and of own pages."""
    sighting_ids: list[str] = field(default_factory=list)
    sample_ids: list[str] = field(default_factory=list)
    pair_ids: list[str] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    """Of the pictures: hex digits of `catalog.looks.Look`."""
    sources: list[str] = field(default_factory=list)
    """Whose landing holds lines of it."""
    releases: list[tuple[str, str]] = field(default_factory=list)
    """(recipe, version) of the releases that hold a sample of it."""
    shared: dict[str, int] = field(default_factory=dict)
    """Pictures left alone, as they stand for so many differently named people: placeholders."""

    similar: list[str] = field(default_factory=list)
    """Names that share words with the one asked for, and are not covered: a middle name, perhaps."""

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was found."""
        return not (self.subject_ids or self.images or self.page_ids or self.bodies or self.sighting_ids)

    @property
    def recipes(self) -> list[str]:
        """Recipes whose releases are affected."""
        return sorted({recipe for recipe, _ in self.releases})

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Trace:
        """Read it back."""
        return cls(**{**values, "releases": [(recipe, version) for recipe, version in values["releases"]]})

    @cached_property
    def needles(self) -> Needles:
        """What to look for in texts."""
        ids = {*self.subject_ids, *self.images, *self.page_ids, *self.bodies, *self.sighting_ids, *self.sample_ids,
               *self.pair_ids}  # fmt: skip
        return Needles(self.names, self.urls, ids)


class Needles:
    """Finds a trace in any text.

    Args:
        names: as written.
        urls: addresses.
        ids: of our own making.
    """

    def __init__(self, names: Iterable[str], urls: Iterable[str], ids: Iterable[str]) -> None:
        self.ids = frozenset(ids)
        spellings = {each for url in urls if len(url) >= _URL_CHARS_MIN for each in _spellings(url)}
        listed = "|".join(re.escape(each) for each in sorted(spellings, key=len, reverse=True))
        # Bounded: the address of one person may be the beginning of another's.
        self._url = re.compile(rf"(?:{listed})(?![\w%/?=&-])(?!\.\w)") if listed else None
        self._forms = frozenset(form for name in names for form in name_forms(name))
        self._words = tuple({frozenset(form.split()) for form in self._forms})
        self._words_max = max(map(len, self._words), default=0)

    def ids_in(self, text: str) -> bool:
        """Tell whether a text holds one of the ids."""
        return bool(self.ids) and any(each in self.ids for each in _ID.findall(text))

    def urls_in(self, text: str) -> bool:
        """Tell whether a text holds one of the addresses."""
        return self._url is not None and any(self._url.search(each) for each in (text, *readings(text)))

    def names_in(self, text: str) -> bool:
        """Tell whether a text spells one of the names."""
        return bool(self._forms) and spells(text, self._forms.__contains__, self._words_max, self._may_spell)

    def _may_spell(self, words: list[str]) -> bool:
        present = set(words)
        return any(needed <= present for needed in self._words)

    def found_in(self, text: str) -> bool:
        """Tell whether a text holds any of it."""
        return self.ids_in(text) or self.urls_in(text) or self.names_in(text)


def _spellings(url: str) -> set[str]:
    """An address as texts write it: also percent-encoded as a value, and with JSON's slashes."""
    return {url, quote(url, safe=""), quote(url, safe=":/"), url.replace("/", "\\/"), url.replace("&", "&amp;")}

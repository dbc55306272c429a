"""Takedowns that hold: by address, bytes, look, subject key or name.

They are asked at landing (before a fetch, and before a record, a picture or a page is kept), at curation and at
release. The list itself names nobody: all but looks are stored as keyed hashes, and the key never leaves the catalog.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from catalog import tables
from catalog.db import Catalog, upsert
from catalog.errors import UsageError
from catalog.ids import short_id
from catalog.looks import Look, looks_of
from catalog.naming import name_forms, spells, text_of
from catalog.schema import Suppression

KINDS = ("url", "image", "phash", "subject", "name")
SUPPRESSED = "(taken down)"
"""Stands in an issue where an address or an id would be: neither is kept of what a takedown covers."""


def normalised_name(name: str) -> str:
    """Fold case, accents and spacing so that two spellings of one name compare equal."""
    decomposed = unicodedata.normalize("NFKD", name)
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(letters.casefold().replace(".", " ").split())


def salted(kind: str, value: str, salt: bytes) -> str:
    """Hash what a takedown covers so that the list tells nobody: 64 hex digits."""
    return hmac.digest(salt, f"{kind}\0{value}".encode(), sha256).hex()


@dataclass(frozen=True)
class Suppressions:
    """All takedowns, in memory; an empty one blocks nothing.

    The sets hold `salted` values; values in clear, as a test or a hand-made list gives them, hold as well.
    """

    urls: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    """Forms of names (see `catalog.naming`)."""
    looks: tuple[Look, ...] = ()
    salt: bytes = field(default=b"", repr=False)
    """Key of the hashes; each catalog has its own."""

    @classmethod
    def of(cls, rows: Iterable[Suppression], salt: bytes = b"") -> Suppressions:
        """Sort rows by kind.

        Raises:
            UsageError: a kind that is none of KINDS.
        """
        by_kind: dict[str, set[str]] = {kind: set() for kind in KINDS}
        for row in rows:
            if row.kind not in by_kind:
                raise UsageError(f"suppression {row.suppression_id}: kind {row.kind!r}, expected one of {KINDS}")
            by_kind[row.kind].add(row.value)
        return cls(
            urls=frozenset(by_kind["url"]),
            images=frozenset(by_kind["image"]),
            subjects=frozenset(by_kind["subject"]),
            names=frozenset(by_kind["name"]),
            looks=tuple(Look.parse(value) for value in sorted(by_kind["phash"])),
            salt=salt,
        )

    @classmethod
    def load(cls, catalog: Catalog) -> Suppressions:
        """Read all takedowns of a catalog."""
        with catalog.engine.connect() as connection:
            rows = connection.execute(select(tables.suppressions)).mappings().all()
        return cls.of((Suppression(**dict(row)) for row in rows), catalog_salt(catalog))

    def blocks_url(self, url: str) -> bool:
        """Tell whether an address was taken down, or spells a name that was."""
        return self._holds(self.urls, "url", url) or self.names_in(url)

    def blocks_image(self, image: str) -> bool:
        """Tell whether bytes (by image id) were taken down."""
        return self._holds(self.images, "image", image)

    def blocks_subject(self, subject: str) -> bool:
        """Tell whether a subject (by id) was taken down."""
        return self._holds(self.subjects, "subject", subject)

    def blocks_name(self, name: str | None) -> bool:
        """Tell whether a person's name was taken down, in any spelling of case, accents, umlauts and order."""
        return bool(self.names) and bool(name) and any(self._is_name(form) for form in name_forms(str(name)))

    def blocks_look(self, look: Look) -> bool:
        """Tell whether a picture looks like one that was taken down."""
        return any(look.is_like(known) for known in self.looks)

    def blocks_body(self, body: bytes) -> bool:
        """Tell whether bytes are a copy, also re-encoded, resized or mirrored, of a picture that was taken down."""
        return bool(self.looks) and any(self.blocks_look(look) for look in looks_of(body))

    def names_in(self, text: str) -> bool:
        """Tell whether a text spells a name that was taken down."""
        return bool(self.names) and spells(text, self._is_name)

    def names_in_page(self, body: bytes) -> bool:
        """Tell whether a page names somebody who was taken down; such a page is read, but not kept."""
        return bool(self.names) and self.names_in(text_of(body))

    def without_names(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Give a subject's facts, less texts that spell a name that was taken down (`assistant of ...`)."""
        if not self.names:
            return dict(facts)
        return {
            key: None if isinstance(value, str) and self.names_in(value) else value for key, value in facts.items()
        }

    def _is_name(self, form: str) -> bool:
        return self._holds(self.names, "name", form)

    def _holds(self, values: frozenset[str], kind: str, value: str) -> bool:
        return bool(values) and (value in values or salted(kind, value, self.salt) in values)


def catalog_salt(catalog: Catalog) -> bytes:
    """The key of the hashes, drawn when the catalog was made."""
    with catalog.engine.connect() as connection:
        query = select(tables.facts.c.value).where(tables.facts.c.name == "salt")
        return bytes.fromhex(connection.execute(query).scalar_one())


def add_suppression(catalog: Catalog, kind: str, value: str, reason: str, created_at: str) -> list[Suppression]:
    """Record a takedown; the same twice is one.

    Args:
        catalog: keeps it.
        kind: one of KINDS.
        value: in clear: an address, an image or subject id, a name, or a look as hex digits. What is stored of it is
            hashed, a name in all its forms; a look is stored as it is, because it must be compared by distance.
        reason: for people; names nobody.
        created_at: UTC ISO 8601 with Z.

    Raises:
        UsageError: a kind that is none of KINDS, or a value that cannot be one of it.
    """
    if kind not in KINDS:
        raise UsageError(f"suppression kind {kind!r}, expected one of {KINDS}")
    salt = catalog_salt(catalog)
    if kind == "phash":
        try:
            stored = {str(Look.parse(value))}
        except ValueError as error:
            raise UsageError(f"suppression of a look: {error}") from None
    else:
        clear = name_forms(value) if kind == "name" else {value}
        stored = {salted(kind, each, salt) for each in clear}
    if not stored:
        raise UsageError("a name to take down: expected at least one word that is no title")
    rows = [
        Suppression(
            suppression_id=short_id("supp", kind, each), kind=kind, value=each, reason=reason, created_at=created_at
        )
        for each in sorted(stored)
    ]
    with catalog.begin() as connection:
        upsert(connection, tables.suppressions, [row.to_row() for row in rows], keep=("created_at",))
    return rows

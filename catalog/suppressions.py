"""Takedowns that hold: by address, bytes, perceptual hash, subject key or salted name.

They are asked at landing (before a fetch and before a record is kept), at curation and at release.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import select

from catalog import tables
from catalog.db import Catalog, upsert
from catalog.errors import UsageError
from catalog.ids import short_id
from catalog.schema import Suppression

KINDS = ("url", "image", "phash", "subject", "name")

_PHASH_RADIUS_BITS = 6
"""Re-encoded and resized copies stay within 4 bits (p95: 2 to 4, LIMITS of the design); 6 leaves a margin."""


def normalised_name(name: str) -> str:
    """Fold case, accents and spacing so that two spellings of one name compare equal."""
    decomposed = unicodedata.normalize("NFKD", name)
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(letters.casefold().replace(".", " ").split())


def salted_name(name: str, salt: bytes) -> str:
    """Hash a name so that the list of takedowns names nobody: 64 hex digits."""
    return hmac.new(salt, normalised_name(name).encode(), sha256).hexdigest()


@dataclass(frozen=True)
class Suppressions:
    """All takedowns, in memory; an empty one blocks nothing."""

    urls: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    phashes: tuple[int, ...] = ()
    salt: bytes = field(default=b"", repr=False)
    """Key of the hashed names; each catalog has its own."""

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
            phashes=tuple(sorted(int(value, 16) for value in by_kind["phash"])),
            salt=salt,
        )

    @classmethod
    def load(cls, catalog: Catalog) -> Suppressions:
        """Read all takedowns of a catalog."""
        with catalog.engine.connect() as connection:
            rows = connection.execute(select(tables.suppressions)).mappings().all()
        return cls.of((Suppression(**dict(row)) for row in rows), catalog_salt(catalog))

    def blocks_url(self, url: str) -> bool:
        """Tell whether an address was taken down."""
        return url in self.urls

    def blocks_image(self, image: str) -> bool:
        """Tell whether bytes (by image id) were taken down."""
        return image in self.images

    def blocks_subject(self, subject: str) -> bool:
        """Tell whether a subject (by id) was taken down."""
        return subject in self.subjects

    def blocks_name(self, name: str | None) -> bool:
        """Tell whether a person's name was taken down, in any spelling of case and accents."""
        return bool(self.names) and name is not None and salted_name(name, self.salt) in self.names

    def blocks_phash(self, phash: int) -> bool:
        """Tell whether a picture looks like one that was taken down (64-bit phash, imagehash bit order)."""
        return any((phash ^ known).bit_count() <= _PHASH_RADIUS_BITS for known in self.phashes)


def catalog_salt(catalog: Catalog) -> bytes:
    """The key of hashed names, drawn when the catalog was made."""
    with catalog.engine.connect() as connection:
        query = select(tables.facts.c.value).where(tables.facts.c.name == "salt")
        return bytes.fromhex(connection.execute(query).scalar_one())


def add_suppression(catalog: Catalog, kind: str, value: str, reason: str, created_at: str) -> Suppression:
    """Record a takedown; the same twice is one.

    Raises:
        UsageError: a kind that is none of KINDS.
    """
    if kind not in KINDS:
        raise UsageError(f"suppression kind {kind!r}, expected one of {KINDS}")
    row = Suppression(
        suppression_id=short_id("supp", kind, value), kind=kind, value=value, reason=reason, created_at=created_at
    )
    with catalog.begin() as connection:
        upsert(connection, tables.suppressions, [row.to_row()], keep=("created_at",))
    return row

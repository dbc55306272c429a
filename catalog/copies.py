"""Copies of the data that left the root: backups and hand-outs. A takedown cannot reach them, but it names them.

`takedowns/copies.jsonl`, one line a copy: kind, what, where, made_at.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from catalog.ids import canonical_json
from catalog.landing import iter_rows
from catalog.paths import DataRoot

_NAME = "copies.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy that left the root."""

    kind: str
    """`backup` or `handout`."""
    what: str
    """A release `recipe@version`, or what a backup holds."""
    where: str
    """A path, or who has it."""
    made_at: str


def record_copy(root: DataRoot, copy: Copy) -> None:
    """Write down a copy; the same again is one."""
    if copy in known_copies(root):
        return
    path = root.takedowns / _NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(canonical_json(asdict(copy)) + "\n")


def known_copies(root: DataRoot) -> list[Copy]:
    """List the copies, oldest first.

    Raises:
        CatalogCorrupt: the file is broken.
    """
    path = root.takedowns / _NAME
    return [Copy(**row) for row in iter_rows(path)] if path.exists() else []


def copies_with(root: DataRoot, releases: list[tuple[str, str]]) -> list[Copy]:
    """List the copies that hold what a takedown covers: every backup, and hand-outs of the affected releases."""
    names = {f"{recipe}@{version}" for recipe, version in releases}
    return [copy for copy in known_copies(root) if copy.kind == "backup" or copy.what in names]


def to_json(copies: list[Copy]) -> list[dict[str, str]]:
    """Give copies as JSON values."""
    values: list[dict[str, str]] = json.loads(canonical_json([asdict(copy) for copy in copies]))
    return values

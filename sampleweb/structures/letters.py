"""A to Z: people filed under ranges of letters, a page each, linked from a bar; the start shows the first range."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from sampleweb.structures.department import Department, Entry, PagePlan

RANGES = ("A-F", "G-L", "M-R", "S-Z")


def range_of(entry: Entry) -> str:
    """Give the range under which a person is filed (Ähre under A)."""
    family_name = entry.name.split(" ", 1)[1].removeprefix("von der ")
    initial = unicodedata.normalize("NFD", family_name)[0].upper()
    return next(letters for letters in RANGES if initial <= letters[-1])


def pages(department: Department) -> Iterator[PagePlan]:
    """Give a page for each range that somebody is in."""
    filed = {letters: [entry for entry in department.entries if range_of(entry) == letters] for letters in RANGES}
    used = [letters for letters in RANGES if filed[letters]]
    for place, letters in enumerate(used):
        path = department.start if place == 0 else f"{department.start}{letters.lower()}/"
        yield PagePlan(path, "letters.html", {"letter": letters, "letters": used, "entries": filed[letters]})

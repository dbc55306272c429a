"""Cards in a grid under role headings; the name links to a short profile page."""

from __future__ import annotations

from collections.abc import Iterator

from sampleweb.structures.department import Department, PagePlan


def pages(department: Department) -> Iterator[PagePlan]:
    """Give the grid and one profile page for each person."""
    yield PagePlan(department.start, "cards.html", {"sections": department.sections()})
    for entry in department.entries:
        yield PagePlan(f"{department.start}{entry.key}.html", "profile.html", {"entry": entry})

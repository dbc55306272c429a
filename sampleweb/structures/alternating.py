"""Wide rows, the picture now on the left, now on the right."""

from __future__ import annotations

from collections.abc import Iterator

from sampleweb.structures.department import Department, PagePlan


def pages(department: Department) -> Iterator[PagePlan]:
    """Give the one page."""
    yield PagePlan(department.start, "alternating.html", {"sections": department.sections()})

"""All sections on one page, shown one at a time as tabs or accordion."""

from __future__ import annotations

from collections.abc import Iterator

from sampleweb.structures.department import Department, PagePlan


def pages(department: Department) -> Iterator[PagePlan]:
    """Give the one page."""
    yield PagePlan(department.start, "tabs.html", {"sections": department.sections()})

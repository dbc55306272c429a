"""Table rows under one head, the role in a column of its own."""

from __future__ import annotations

from collections.abc import Iterator

from sampleweb.structures.department import Department, PagePlan


def pages(department: Department) -> Iterator[PagePlan]:
    """Give the one page."""
    yield PagePlan(department.start, "table.html", {"sections": department.sections()})

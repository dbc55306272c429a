"""Definition lists: the name as term, picture and details as descriptions."""

from __future__ import annotations

from collections.abc import Iterator

from sampleweb.structures.department import Department, PagePlan


def pages(department: Department) -> Iterator[PagePlan]:
    """Give the one page."""
    yield PagePlan(department.start, "definition_list.html", {"sections": department.sections()})

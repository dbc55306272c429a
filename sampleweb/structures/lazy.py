"""Cards whose pictures are loaded late: data-src, data-srcset and a noscript copy."""

from __future__ import annotations

from collections.abc import Iterator

from sampleweb.structures.department import Department, PagePlan


def pages(department: Department) -> Iterator[PagePlan]:
    """Give the one page."""
    yield PagePlan(department.start, "lazy.html", {"sections": department.sections()})

"""Tiles whose portrait is a CSS background, inline or in the page's style block."""

from __future__ import annotations

from collections.abc import Iterator

from sampleweb.structures.department import Department, PagePlan


def pages(department: Department) -> Iterator[PagePlan]:
    """Give the one page."""
    yield PagePlan(department.start, "background.html", {"sections": department.sections()})

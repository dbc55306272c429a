"""A list cut into pages of eight, with numbers and a next link below."""

from __future__ import annotations

from collections.abc import Iterator

from sampleweb.structures.department import Department, PagePlan

PER_PAGE = 8


def pages(department: Department) -> Iterator[PagePlan]:
    """Give the pages `?page=N`; the first also answers without the parameter."""
    last = (len(department.entries) - 1) // PER_PAGE + 1
    for number in range(1, last + 1):
        entries = department.entries[(number - 1) * PER_PAGE : number * PER_PAGE]
        values = {"sections": department.sections(entries), "number": number, "last": last}
        for path in [department.start] * (number == 1) + [f"{department.start}?page={number}"]:
            yield PagePlan(path, "paged.html", values)

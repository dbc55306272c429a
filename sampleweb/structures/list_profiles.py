"""A plain list of names; portrait and details stand on the profile pages (on some sites, a thumbnail on the list)."""

from __future__ import annotations

from collections.abc import Iterator

from sampleweb.structures.department import Department, PagePlan


def pages(department: Department) -> Iterator[PagePlan]:
    """Give the list and one profile page for each person."""
    yield PagePlan(department.start, "list_profiles.html", {"sections": department.sections()})
    for entry in department.entries:
        yield PagePlan(f"{department.start}{entry.key}/", "profile.html", {"entry": entry})

"""An empty page and a script that fetches JSON and builds the cards: without a browser there is nobody on it."""

from __future__ import annotations

from collections.abc import Iterator

from sampleweb.structures.department import Department, PagePlan


def pages(department: Department) -> Iterator[PagePlan]:
    """Give the shell and the JSON that its script fetches."""
    yield PagePlan(department.start, "javascript.html", {})
    groups = [
        {
            "heading": heading,
            "people": [
                {"name": it.shown_name, "role": it.role, "image": it.image, "alt": it.alt, "email": it.email}
                for it in entries
            ],
        }
        for heading, entries in department.sections()
    ]
    yield PagePlan("/api/people.json", "json", {"groups": groups})

"""Answers as JSON lines: to keep them safe, to merge those of other places, to take them elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import select

from catalog import files
from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ids import canonical_json
from catalog.schema import Verdict
from catalog.tables import verdict_releases
from curation.review.answers import checked_reviewer
from curation.review.queues.registry import find_queue

_TEXTS = ("verdict_id", "queue", "target_id", "answer", "reviewer", "answered_at")


def export_verdicts(catalog: Catalog, path: Path, queue: str | None = None) -> int:
    """Write all rows, undone ones too, in the order they were given, each with its `releases`; returns how many."""
    verdicts = catalog.verdicts(queue)
    releases: dict[str, list[str]] = {}
    with catalog.engine.connect() as connection:
        for name, recipe, version in connection.execute(select(verdict_releases)):
            releases.setdefault(name, []).append(f"{recipe}@{version}")
    rows = ({**one.to_json(), "releases": sorted(releases.get(one.verdict_id, []))} for one in verdicts)
    files.write_text(path, "".join(canonical_json(row) + "\n" for row in rows))
    return len(verdicts)


def import_verdicts(catalog: Catalog, path: Path) -> int:
    """Append the rows of a file that are not there yet; returns how many were new.

    Raises:
        UsageError: a line is no verdict; says which, and nothing is imported.
    """
    verdicts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            verdicts.append(_read_verdict(line))
        except (ValueError, UsageError) as error:
            raise UsageError(f"{path}, line {number}: {error}") from error
    return catalog.add_verdicts(verdicts)


def _read_verdict(line: str) -> Verdict:
    row = json.loads(line)
    if not isinstance(row, dict) or row.get("type") != Verdict.TYPE:
        raise ValueError(f"expected a JSON object of type {Verdict.TYPE!r}")
    row.pop("releases", None)  # those of the place it comes from
    verdict = Verdict.from_json(row)
    odd = [name for name in _TEXTS if not isinstance(getattr(verdict, name), str) or not getattr(verdict, name)]
    if odd or not isinstance(verdict.shown, dict):
        raise ValueError(f"expected text in {', '.join(odd or ['shown as an object'])}")
    find_queue(verdict.queue)
    checked_reviewer(verdict.reviewer)
    return verdict

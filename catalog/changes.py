"""What a run brought against the one before it: new subjects, replaced photos, subjects that are gone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from catalog import tables
from catalog.db import Catalog


@dataclass(frozen=True, slots=True)
class Changes:
    """Counts of subjects of one source."""

    new_count: int
    """First seen in this run."""
    changed_count: int
    """Known before, with a picture that was first seen in this run."""
    gone_count: int
    """Seen in the last good run before this one, and not in this one."""


def run_changes(catalog: Catalog, source: str, run_id: str) -> Changes:
    """Compare an ingested run with the last good run of its source before it; the latest run only tells all."""
    subjects, sightings, runs = tables.subjects, tables.sightings, tables.runs
    earlier = (
        select(func.max(runs.c.run_id))
        .where(runs.c.source == source, runs.c.state == "ok", runs.c.run_id < run_id)
        .scalar_subquery()
    )
    of_source = subjects.c.source == source
    new = select(func.count()).where(of_source, subjects.c.first_run_id == run_id)
    changed = (
        select(func.count(subjects.c.subject_id.distinct()))
        .join(sightings, sightings.c.subject_id == subjects.c.subject_id)
        .where(
            of_source,
            subjects.c.first_run_id != run_id,
            sightings.c.first_run_id == run_id,
            sightings.c.image_id.is_not(None),
        )
    )
    gone = select(func.count()).where(of_source, subjects.c.last_run_id == earlier)
    with catalog.engine.connect() as connection:
        counts = [int(connection.execute(query).scalar_one()) for query in (new, changed, gone)]
    return Changes(*counts)

"""What became of the pictures: the funnel from sightings to splits, and how many each reason took."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from sqlalchemy import func, select

from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.schema import REASONS, SPLITS
from catalog.tables import images, pages, runs
from curation.contract import Curated, columns_of
from curation.decisions import standing
from curation.engine import ImageSet

_STEPS = (
    ("readable", "decode_", ""),
    ("usable", "", "samples"),
    ("unique", "", "duplicates"),
    ("clean", "", "noise"),
    ("labelled", "", "labels"),
    ("clean where it must be", "", "clean"),
)
"""Step, and what it takes away: reasons of a prefix, or all of a stage."""


def funnel(curated: Curated, catalog: Catalog | None = None) -> pd.DataFrame:
    """Count what is left after each step.

    Args:
        curated: outcome of `curation.curate.curate`.
        catalog: gives the number of pages; None leaves that step out.

    Returns:
        step, count, dropped_count (of this step); samples from `samples` on, then one row per split.
    """
    rows: list[tuple[str, int, int]] = []
    if catalog is not None:
        query = select(func.count()).where(pages.c.source.in_(curated.sightings.sources))
        with catalog.engine.connect() as connection:
            rows.append(("pages", connection.execute(query).scalar_one(), 0))
    samples_count = curated.counts["samples_count"]
    rows += [(name, curated.counts[f"{name}_count"], 0) for name in ("sightings", "images", "samples")]
    if "faces" in curated.signals:
        with_faces = int((curated.signals["faces"]["faces_count"] > 0).sum())
        rows.insert(-1, ("images with a face", with_faces, 0))
    dropped = curated.decisions[curated.decisions["outcome"] == "drop"]
    gone: set[str] = set()
    for step, prefix, stage in _STEPS:
        if stage and stage not in curated.tables:
            continue
        is_here = (dropped["stage"] == stage) if stage else dropped["reason"].str.startswith(prefix)
        lost = set(dropped.loc[is_here, "sample_id"]) - gone
        gone |= lost
        rows.append((step, samples_count - len(gone), len(lost)))
    kept_count = curated.counts["kept_count"]
    rows.append(("kept", kept_count, samples_count - len(gone) - kept_count))
    if "splits" in curated.tables:
        counts = columns_of(curated.tables, "splits", ["split"])["split"].value_counts()
        rows += [(split, int(counts.get(split, 0)), 0) for split in SPLITS]
    return pd.DataFrame(rows, columns=["step", "count", "dropped_count"])


def since_run(curated: Curated, catalog: Catalog, run_id: str) -> Curated:
    """Narrow an outcome to the images that a crawl or import, or a later one, was the first to bring.

    Args:
        curated: outcome of `curation.curate.curate`.
        catalog: knows which run brought what.
        run_id: run ids sort by time.

    Raises:
        UsageError: there is no such run.
    """
    known = set(catalog.frame(runs)["run_id"])
    if run_id not in known:
        raise UsageError(f"run {run_id!r} is not in the catalog; the last one is {max(known, default='(none)')}")
    brought = set(catalog.frame(images, images.c.first_run_id >= run_id)["image_id"])

    def narrowed(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["image_id"].isin(brought)].reset_index(drop=True)

    samples = narrowed(curated.tables["samples"])
    own = set(samples["sample_id"])
    tables = {
        name: table[table["sample_id"].isin(own)] if "sample_id" in table else table
        for name, table in curated.tables.items()
    }
    sightings, decisions = curated.sightings.with_images(brought), narrowed(curated.decisions)
    counts = {
        "sightings_count": len(sightings),
        "images_count": len(ImageSet.of(sightings.image_ids)),
        "samples_count": len(samples),
        "kept_count": len(standing(samples, decisions)),
    }
    return replace(
        curated,
        sightings=sightings,
        signals={name: narrowed(curated.signals[name]) for name in ("faces",) if name in curated.signals},
        tables={**tables, "samples": samples},
        decisions=decisions,
        counts={**curated.counts, **counts},
    )


def reason_counts(curated: Curated) -> pd.DataFrame:
    """Count the decisions: stage, outcome, reason, count, meaning; the most frequent first."""
    columns = ["stage", "outcome", "reason"]
    counts = curated.decisions.groupby(columns).size().rename("count").reset_index()
    counts["meaning"] = counts["reason"].map(REASONS).astype("str")
    return counts.sort_values(["count", *columns], ascending=[False, True, True, True], ignore_index=True)

"""Frames as the table stages take them, made of a few facts per sample."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from catalog.recipe import Recipe
from curation.contract import SAMPLE_COLUMNS, TableInputs
from curation.decisions import decisions_frame
from curation.verdicts import verdicts_frame


def samples_frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows set sample_id and what matters; the rest has defaults."""
    full = []
    for row in rows:
        base = dict.fromkeys(SAMPLE_COLUMNS, "") | {
            "target": float("nan"),
            "face_index": -1,
            "turn_deg": 0,
            "attributes": "{}",
        }
        base |= {"box_x0": -1, "box_y0": -1, "box_x1": -1, "box_y1": -1, "slot": "portrait", "source": "s"}
        base |= {"image_id": f"i-{row['sample_id']}", "subject_id": f"u-{row['sample_id']}"} | dict(row)
        if isinstance(base["attributes"], dict):
            base["attributes"] = json.dumps(base["attributes"])
        full.append(base)
    frame = pd.DataFrame(full, columns=list(SAMPLE_COLUMNS))
    return frame.astype({"target": "float64"}).sort_values("sample_id", ignore_index=True)


def recipe(**changes: Any) -> Recipe:
    fixed: dict[str, Any] = {"name": "r", "title": "", "purpose": "", "sources": ("*",), "subject_kind": "person"}
    return Recipe(**(fixed | {"slots": ("portrait",)} | changes))


_NO_DECISIONS, _NO_VERDICTS = decisions_frame(), verdicts_frame(())
"""Made once: property tests ask for them thousands of times."""


def inputs(
    tables: Mapping[str, pd.DataFrame],
    *,
    params: Mapping[str, Any] | None = None,
    decisions: pd.DataFrame | None = None,
    signals: Mapping[str, pd.DataFrame] | None = None,
    verdicts: Iterable[Any] = (),
    assignments: Mapping[str, str] | None = None,
    sightings: pd.DataFrame | None = None,
    documents: Mapping[str, str] | None = None,
    **recipe_changes: Any,
) -> TableInputs:
    return TableInputs(
        recipe=recipe(**recipe_changes),
        params=params or {},
        sightings=pd.DataFrame() if sightings is None else sightings,
        signals=signals or {},
        tables=tables,
        decisions=_NO_DECISIONS if decisions is None else decisions,
        verdicts=verdicts_frame(verdicts) if verdicts else _NO_VERDICTS,
        assignments=assignments or {},
        documents=documents or {},
    )

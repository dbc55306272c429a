"""Making and reading decision rows (DECISION_COLUMNS)."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

import pandas as pd

from catalog.ids import canonical_json
from catalog.schema import OUTCOMES, REASONS
from curation.contract import DECISION_COLUMNS


def decision(
    stage: str, sample: Mapping[str, Any], outcome: str, reason: str, evidence: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Make one row.

    Args:
        stage: its name.
        sample: holds sample_id, image_id and subject_id.
        outcome: from OUTCOMES.
        reason: slug from REASONS.
        evidence: JSON values that let a person follow the decision.

    Raises:
        ValueError: an outcome or reason that the closed lists do not hold.
    """
    if outcome not in OUTCOMES or reason not in REASONS:
        raise ValueError(f"stage {stage}: outcome {outcome!r} or reason {reason!r} is not in the closed list")
    return {
        "sample_id": str(sample["sample_id"]),
        "image_id": str(sample["image_id"]),
        "subject_id": str(sample["subject_id"]),
        "stage": stage,
        "outcome": outcome,
        "reason": reason,
        "evidence": canonical_json(dict(evidence or {})),
    }


def decisions_frame(rows: Iterable[Mapping[str, str]] = ()) -> pd.DataFrame:
    """Make the frame, sorted by sample, stage and reason."""
    ordered = sorted(rows, key=itemgetter("sample_id", "stage", "reason"))
    return pd.DataFrame(ordered, columns=list(DECISION_COLUMNS), dtype="str")


def sorted_decisions(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put frames of decisions together, sorted by sample, stage and reason."""
    return pd.concat(frames).sort_values(["sample_id", "stage", "reason"], ignore_index=True)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a frame as dicts, in order; in half the time of `DataFrame.to_dict`."""
    names = list(frame.columns)
    columns = [frame[name].tolist() for name in names]
    with no_search_for_cycles():
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Make many small objects without Python looking among them for cycles, which takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def standing(samples: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Samples that no decision drops or holds for review, in the order given."""
    held = decisions.loc[decisions["outcome"] != "keep", "sample_id"]
    return samples[~samples["sample_id"].isin(held)]

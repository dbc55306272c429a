"""Answers of people that stand: those taken back are left out."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from catalog.db import Catalog
from catalog.ids import short_id
from catalog.schema import Verdict

COLUMNS = ("queue", "target_id", "answer", "reviewer", "answered_at", "position")
UNDONE = "undone"
REJECTED = "reject"


def load_standing(catalog: Catalog, queues: Iterable[str] | None = None) -> pd.DataFrame:
    """Read the answers that stand, of some queues or of all, in the order they were given within each."""
    if queues is None:
        return verdicts_frame(catalog.verdicts())
    return verdicts_frame([verdict for queue in sorted(set(queues)) for verdict in catalog.verdicts(queue)])


def verdicts_frame(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Make the frame of COLUMNS from answers in the order they were given.

    A reviewer's later answer to the same target replaces the earlier one; `undone` takes it back. Several reviewers of
    one target are several rows.
    """
    last: dict[tuple[str, str, str], dict[str, object]] = {}
    for position, verdict in enumerate(verdicts):
        key = (verdict.queue, verdict.target_id, verdict.reviewer)
        last.pop(key, None)
        if verdict.answer != UNDONE:
            last[key] = {name: getattr(verdict, name) for name in COLUMNS[:-1]} | {"position": position}
    frame = pd.DataFrame(list(last.values()), columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(COLUMNS[:-1], "str") | {"position": "int64"})


def label_answer(label: str) -> str:
    """Name a label as an answer: short and plain whatever the label is called."""
    return short_id("label", label)


def agreed_answers(verdicts: pd.DataFrame, queue: str) -> dict[str, str]:
    """Give one answer per target of a queue: the majority's, and the latest of a tie."""
    answers: dict[str, str] = {}
    for target, rows in verdicts[verdicts["queue"] == queue].groupby("target_id", sort=True):
        counts = rows["answer"].value_counts()
        leading = set(counts[counts == counts.max()].index)
        latest = rows[rows["answer"].isin(leading)].sort_values("position").iloc[-1]
        answers[str(target)] = str(latest["answer"])
    return answers

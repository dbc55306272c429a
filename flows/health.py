"""How each source is: what its latest run brought, what failed and why, and the trend of its last ten runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from catalog import tables
from catalog.changes import run_changes
from catalog.db import Catalog

TREND_RUNS = 10
_BARS = "▁▂▃▄▅▆▇█"
_STATE_MARKS = {"rejected": "r", "failed": "f", "blocked": "b"}
_CLASSES = {
    "policy_": "refused", "fetch_": "fetch", "page_": "page", "record_": "record", "decode_": "picture",
}  # fmt: skip
"""Prefix of a reason slug -> class of failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """One source as its latest run left it."""

    source: str
    run_id: str
    state: str
    """Of the latest run: ok, rejected, failed, blocked; or `none` where there is no run yet."""
    detail: str
    subjects_count: int
    new_count: int
    changed_count: int
    gone_count: int
    refused_count: int
    failed_count: int
    reasons: dict[str, int]
    """Issues of the latest run by reason slug."""
    trend: str
    """Subjects of the last ten runs as bars, oldest first; a run that does not count is r, f or b."""

    @property
    def has_news(self) -> bool:
        """Whether the latest run found anything that differs from the one before."""
        return self.new_count + self.changed_count + self.gone_count > 0

    def to_row(self) -> dict[str, Any]:
        """Give the row that the dashboard shows."""
        return {
            "source": self.source,
            "state": self.state,
            "subjects": self.subjects_count,
            "new": self.new_count,
            "changed": self.changed_count,
            "gone": self.gone_count,
            "refused": self.refused_count,
            "failed": self.failed_count,
            "failure class": ", ".join(f"{name} {count}" for name, count in failure_classes(self.reasons).items()),
            "last ten runs": self.trend,
            "detail": self.detail,
        }


def source_health(catalog: Catalog, sources: Iterable[str]) -> list[SourceHealth]:
    """Read the health of some sources, in their order."""
    return [_health_of(catalog, source) for source in sources]


def _health_of(catalog: Catalog, source: str) -> SourceHealth:
    runs, issues = tables.runs, tables.issues
    latest_first = select(runs).where(runs.c.source == source).order_by(runs.c.run_id.desc()).limit(TREND_RUNS)
    with catalog.engine.connect() as connection:
        rows = connection.execute(latest_first).mappings().all()
        run_id = rows[0]["run_id"] if rows else ""
        by_reason = select(issues.c.reason, func.count()).where(issues.c.run_id == run_id).group_by(issues.c.reason)
        reasons = {str(reason): int(count) for reason, count in connection.execute(by_reason)}
    latest: dict[str, Any] = dict(rows[0]) if rows else {"state": "none", "detail": "not collected yet", "counts": {}}
    counts = latest["counts"]
    changes = run_changes(catalog, source, run_id)
    return SourceHealth(
        source=source,
        run_id=run_id,
        state=latest["state"],
        detail=latest["detail"],
        subjects_count=counts.get("subjects", 0),
        new_count=changes.new_count,
        changed_count=changes.changed_count,
        gone_count=changes.gone_count if latest["state"] == "ok" else 0,  # a run that does not count tells nothing
        refused_count=counts.get("refused", 0),
        failed_count=counts.get("failed", 0),
        reasons=reasons,
        trend=trend([(row["state"], row["counts"].get("subjects", 0)) for row in reversed(rows)]),
    )


def failure_classes(reasons: dict[str, int]) -> dict[str, int]:
    """Count reasons by class, the most frequent first; slugs of no class keep their own name."""
    classes: Counter[str] = Counter()
    for reason, count in reasons.items():
        known = [name for prefix, name in _CLASSES.items() if reason.startswith(prefix)]
        classes[known[0] if known else reason] += count
    return dict(sorted(classes.items(), key=lambda item: (-item[1], item[0])))


def trend(runs: Sequence[tuple[str, int]]) -> str:
    """Draw (state, subjects) of some runs, oldest first, a sign each.

    Returns:
        A bar between the least and the most of the runs that count, or the mark of the state of one that does not.
    """
    counted = [count for state, count in runs if state == "ok"]
    low, high = min(counted, default=0), max(counted, default=0)
    signs = []
    for state, count in runs:
        if state == "ok":
            height = (count - low) / (high - low) if high > low else 0.5
            signs.append(_BARS[round(height * (len(_BARS) - 1))])
        else:
            signs.append(_STATE_MARKS.get(state, "?"))
    return "".join(signs)

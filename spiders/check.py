"""Crawl a little of a source, in a folder that is thrown away, and say whether its declaration still holds."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catalog import landing
from catalog.config import Config
from catalog.paths import DataRoot
from catalog.schema import FAILURE_CLASSES, PageRecord, RunRecord, SightingRecord, SubjectRecord
from catalog.suppressions import Suppressions
from spiders.run import crawl_source
from spiders.sources import Source

MAX_PAGES = 5
"""Pages that a check reads."""
MAX_IMAGES = 5
"""Pictures that a check fetches: enough to see refusals and dead addresses."""


@dataclass(frozen=True, slots=True)
class _Landed:
    """What one run says of the pages that it read."""

    pages: frozenset[str]
    subjects: frozenset[str]
    subjects_of: dict[str, frozenset[str]]
    """Subjects shown with a picture, by page."""


def check_source(
    source: Source, config: Config, started_at: str, suppressions: Suppressions | None = None
) -> dict[str, Any]:
    """Read the first pages of a source and a few of its pictures, by the same rules as a crawl; nothing lands.

    Args:
        source: what to look at.
        config: root and contact; the last good run under its root is compared with.
        started_at: UTC time of the check.
        suppressions: takedowns that hold.

    Returns:
        source; state: `ok`, `few` or `many` (people or items, against what is expected), `changed` (somebody whom the
        last good run saw on these pages is gone, or somebody is new), else the reason that stopped it; pages read;
        found; expected; new and missing against the last good run (None without one); refused and failed: texts
        that count reasons; detail.
    """
    # Expectations are judged here: a part of a site may hold fewer people than the whole.
    little = replace(source, max_pages=min(source.max_pages, MAX_PAGES), expected_min=0, expected_max=None)
    with tempfile.TemporaryDirectory(prefix="gleanery-check-") as folder:
        root = DataRoot(Path(folder))
        run = crawl_source(
            little, root, replace(config, blobs_url=""), started_at, suppressions=suppressions,
            locks=config.data_root.locks, max_images=MAX_IMAGES,
        )  # fmt: skip
        run_folder = root.run_folder(run.source, run.run_id)
        now = _landed(run_folder)
        issues = [issue.reason for issue in landing.iter_issues(run_folder)]
    found = run.counts.get("found", 0)
    last = landing.last_good_run(config.data_root.landing, source.name)
    new, missing = _changes(now, _landed(last)) if last is not None and run.state == "ok" else (None, None)
    state, detail = _judge(source, run, found, issues)
    if state == "ok" and (new or missing):
        state = "changed"
    most = source.expected_max
    return {
        "source": source.name,
        "state": state,
        "pages": len(now.pages),
        "found": found,
        "expected": f"{source.expected_min} to {most if most is not None else 'any'}",
        "new": new,
        "missing": missing,
        "refused": _counted([reason for reason in issues if reason.startswith("policy_")]),
        "failed": _counted([FAILURE_CLASSES[reason] for reason in issues if reason in FAILURE_CLASSES]),
        "detail": detail,
    }


def _landed(folder: Path) -> _Landed:
    pages, subjects = set(), set()
    shown: dict[str, set[str]] = {}
    for record in landing.iter_records(folder):
        if isinstance(record, PageRecord):
            pages.add(record.page_id)
        elif isinstance(record, SubjectRecord):
            subjects.add(record.subject_id)
        elif isinstance(record, SightingRecord):
            shown.setdefault(record.page_id, set()).add(record.subject_id)
    return _Landed(frozenset(pages), frozenset(subjects), {page: frozenset(of) for page, of in shown.items()})


def _changes(now: _Landed, before: _Landed) -> tuple[int, int]:
    """Count subjects that the last good run did not know, and those whom it saw on these pages and who are gone."""
    expected = frozenset().union(*(before.subjects_of.get(page, frozenset()) for page in now.pages))
    return len(now.subjects - before.subjects), len(expected - now.subjects)


def _judge(source: Source, run: RunRecord, found: int, issues: list[str]) -> tuple[str, str]:
    if run.state != "ok":
        stopped = [reason for reason in issues if reason in FAILURE_CLASSES or reason.startswith("policy_")]
        return (stopped[-1] if stopped else run.state), run.detail
    is_whole = not run.detail.startswith("stopped at max_pages")
    if is_whole and found < source.expected_min:
        return "few", f"found {found}, expected at least {source.expected_min}"
    if source.expected_max is not None and found > source.expected_max:
        return "many", f"found {found}, expected at most {source.expected_max}"
    return "ok", "" if is_whole else f"the first {MAX_PAGES} pages only"


def _counted(reasons: list[str]) -> str:
    return ", ".join(f"{reason} {reasons.count(reason)}" for reason in sorted(set(reasons)))

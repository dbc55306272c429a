"""Carrying a takedown out: a plan that is written first, steps that may be cut off and repeated, and a receipt.

The order matters. What keeps the person out comes first; a new release is built before the old ones end; databases
are compacted last, when nothing more is deleted from them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog import files, tables
from catalog.copies import copies_with, to_json
from catalog.errors import CatalogCorrupt, GleaneryError
from catalog.suppressions import add_suppression
from curation.places import Places
from curation.takedown import landed, results
from curation.takedown.databases import clear_tables, compact
from curation.takedown.find import Progress, find_trace
from curation.takedown.reissue import bury, reissue
from curation.takedown.request import Request, Requests
from curation.takedown.trace import Trace
from curation.takedown.verify import leftovers

_PLAN = "plan.json"
_CLEARED = ("landing", "blobs", "catalog", "derived", "runs and models", "exports", "fixture cases", "services")


@dataclass(frozen=True)
class Plan:
    """What was found, and how much of it stood where, before anything was changed."""

    trace: Trace
    counts: Mapping[str, int]
    """Place -> lines, rows, files or folders."""

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {"trace": self.trace.to_json(), "counts": dict(self.counts)}


def plan_takedown(
    places: Places, request: Request, picture: bytes | None = None, tell: Progress | None = None
) -> Plan:
    """Find the trace and count it in every place; changes nothing."""
    trace = find_trace(places, request, picture, tell)
    counts = {place: clear(places, trace, write=False) for place, clear in _clearers().items()}
    return Plan(trace, {**counts, "releases": len(trace.releases)})


def carry_out(
    places: Places,
    requests: Requests,
    request_id: str,
    plan: Plan,
    now: Callable[[], str],
    tell: Progress | None = None,
) -> dict[str, Any]:
    """Carry out a request that somebody agreed to, or go on with one that was cut off.

    Call it under `requests.only_one`, and let no crawl of the plan's sources run meanwhile.

    Args:
        places: the data root.
        requests: where the request stands.
        request_id: its id.
        plan: of `written_plan`.
        now: the clock, UTC ISO 8601 with Z.
        tell: told how far it is.

    Returns:
        The receipt, as it was written.

    Raises:
        UsageError: there is no such request.
        GleaneryError: something of it is left; the request stays open, and says what.
    """
    show = tell or (lambda *_: None)
    request = requests.load(request_id)
    state = _State(requests, request_id)
    steps = _steps(places, plan.trace, request, state, now())
    for number, (name, step) in enumerate(steps.items()):
        show(name, number, len(steps))
        step()
    left = leftovers(places, plan.trace)
    if left:
        raise GleaneryError(f"takedown {request_id}: a trace is left in {', '.join(left[:20])}; run it again")
    receipt = _receipt(places, request, plan, state.reissued, now())
    files.write_text(requests.receipt_path(request_id), json.dumps(receipt, indent=1, ensure_ascii=False) + "\n")
    requests.wipe(request_id)
    show("done", len(steps), len(steps))
    return receipt


def written_plan(places: Places, requests: Requests, request_id: str, tell: Progress | None = None) -> Plan:
    """Read the plan of a takedown that was begun, or make and write it: once rows go, it cannot be made again.

    Raises:
        UsageError: there is no such request.
    """
    request = requests.load(request_id)
    known = requests.read(request_id, _PLAN)
    if known is None:
        plan = plan_takedown(places, request, requests.picture(request_id), tell)
        keep_plan(requests, request_id, plan)
        return plan
    try:
        values = json.loads(known)
        return Plan(Trace.from_json(values["trace"]), values["counts"])
    except (ValueError, KeyError, TypeError) as error:
        raise CatalogCorrupt(f"takedown {request.request_id}: its plan cannot be read: {error}") from error


def keep_plan(requests: Requests, request_id: str, plan: Plan) -> None:
    """Write a plan beside its request."""
    requests.write(request_id, _PLAN, json.dumps(plan.to_json(), ensure_ascii=False).encode())


class _State:
    """What a takedown that goes on must not do again: releases that were built stay the new ones."""

    def __init__(self, requests: Requests, request_id: str) -> None:
        self._requests, self._id = requests, request_id
        self.reissued: dict[str, str] = json.loads(requests.read(request_id, "reissued.json") or b"{}")
        self.is_reissued = requests.read(request_id, "reissued.json") is not None

    def keep(self, reissued: dict[str, str]) -> None:
        self.reissued = reissued
        self._requests.write(self._id, "reissued.json", json.dumps(reissued).encode())


def _clearers() -> dict[str, Callable[..., int]]:
    clearers = (
        landed.clear_landing, landed.clear_blobs, clear_catalog, results.clear_derived, results.clear_runs,
        results.clear_exports, results.clear_cases, results.clear_services,
    )  # fmt: skip
    return dict(zip(_CLEARED, clearers, strict=True))


def _steps(places: Places, trace: Trace, request: Request, state: _State, now: str) -> dict[str, Callable[[], object]]:
    def clear(place: str) -> Callable[[], object]:
        return lambda: _clearers()[place](places, trace, write=True)

    def issue() -> None:
        if not state.is_reissued:
            state.keep(reissue(places, trace, now))

    return {
        "keep out": lambda: suppress_trace(places, trace, request, now),
        "landing": clear("landing"),
        "catalog": clear("catalog"),
        "blobs": clear("blobs"),
        # While the old releases stand: which of the decoded ones are theirs is told by their manifests.
        "derived": clear("derived"),
        "new releases": issue,
        "runs and models": clear("runs and models"),
        "tombstones": lambda: bury(places, trace, state.reissued, request.reason, now),
        "exports": clear("exports"),
        "fixture cases": clear("fixture cases"),
        "services": clear("services"),
        "compact": lambda: compact(places.catalog.engine),
    }


def suppress_trace(places: Places, trace: Trace, request: Request, now: str) -> None:
    """Keep everything of a trace out, from landing on."""
    by_kind = {
        "url": trace.urls, "image": list(trace.images), "phash": trace.looks, "subject": trace.subject_ids,
        "name": trace.names,
    }  # fmt: skip
    for kind, values in by_kind.items():
        for value in values:
            add_suppression(places.catalog, kind, value, request.reason, now)


def clear_catalog(places: Places, trace: Trace, *, write: bool) -> int:
    """Take the rows out of the catalog; returns how many there were."""
    own = [
        table
        for table in tables.METADATA.sorted_tables
        if table.name not in ("facts", "schema_version", "suppressions")
    ]
    return clear_tables(places.catalog.engine, own, trace, lambda name, row: _fate(name, row, trace), write=write)


_WITH_IDS = {"subjects": "subject_id", "pages": "page_id", "verdicts": "target_id"}


def _fate(table: str, row: Mapping[str, Any], trace: Trace) -> str:
    """Rows of the trace go; of others (a list page, a verdict that showed the picture beside another) a part."""
    if table in _WITH_IDS:
        is_own = row[_WITH_IDS[table]] in trace.needles.ids
        return "delete" if is_own else "scrub"
    return "scrub" if table in ("runs", "releases", "waits", "stage_runs") else "delete"


def _receipt(places: Places, request: Request, plan: Plan, reissued: Mapping[str, str], now: str) -> dict[str, Any]:
    trace = plan.trace
    outside = []
    if places.catalog.engine.dialect.name == "postgresql":
        outside.append("PostgreSQL's write-ahead log and its own backups, until they are recycled")
    if trace.shared:
        outside.append(f"{len(trace.shared)} pictures that stand for many differently named people were left alone")
    outside += ["copies of the file system (snapshots); reviewers' browsers, for an hour"]
    return {
        "request_id": request.request_id,
        "kind": request.kind,
        "reason": request.reason,
        "asked_at": request.created_at,
        "done_at": now,
        "removed": {
            "pictures": len(trace.images),
            "subjects": len(trace.subject_ids),
            "sightings": len(trace.sighting_ids),
            "saved pages": len(trace.bodies),
            "samples": len(trace.sample_ids),
        },
        "cleared": dict(plan.counts),
        "releases": [
            {"ended": f"{recipe}@{version}", "replaced_by": reissued.get(recipe)} for recipe, version in trace.releases
        ],
        "not_reached": {"copies": to_json(copies_with(places.root, trace.releases)), "others": outside},
    }

"""Subjects in the making, and how they become records once all pictures are in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from catalog.ids import sighting_id, subject_id
from catalog.schema import IssueRecord, Record, SightingRecord, SubjectRecord
from catalog.suppressions import SUPPRESSED, Suppressions

MIN_SHARED = 3
"""One picture that stands for so many people of different names is a placeholder; two may be one twice listed."""


class Outcome(Protocol):
    """What became of a picture."""

    @property
    def url(self) -> str:
        """As it is recorded."""

    @property
    def image_id(self) -> str | None:
        """None where it was refused or could not be had."""

    @property
    def reason(self) -> str | None:
        """Slug where `image_id` is None."""

    @property
    def detail(self) -> str:
        """For people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture as a page shows it for a subject."""

    page_id: str
    slot: str
    urls: tuple[str, ...]
    """Best first: the larger original, then the one that the page shows. The first that can be had is taken."""
    is_placeholder: bool = False
    """The page's own words say that it stands for a missing one."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """A subject with its pictures."""

    key: tuple[str, ...]
    """Raw stable inputs of its id."""
    facts: dict[str, Any]
    """Fields of SubjectRecord but for ids."""
    shown: list[Shown] = field(default_factory=list)


def sampled(drafts: Sequence[Draft], count: int) -> list[Draft]:
    """Keep only the first `count` pictures of all subjects together; for a look that is no crawl."""
    left = count
    kept = []
    for draft in drafts:
        kept.append(replace(draft, shown=draft.shown[:left]))
        left -= len(kept[-1].shown)
    return kept


def wanted(drafts: Iterable[Draft], is_fallback: bool = False) -> list[Shown]:
    """List the pictures to fetch, in order.

    Args:
        drafts: all subjects.
        is_fallback: those that have a second address.
    """
    return [
        shown
        for draft in drafts
        for shown in draft.shown
        if not shown.is_placeholder and len(shown.urls) > int(is_fallback)
    ]


def is_suppressed(source: str, draft: Draft, suppressions: Suppressions) -> bool:
    """Tell whether a takedown covers a subject; its pictures are not even fetched."""
    return (
        suppressions.blocks_subject(subject_id(source, *draft.key))
        or suppressions.blocks_name(draft.facts.get("name"))
        or suppressions.blocks_url(draft.facts.get("profile_url") or "")
    )


def records(
    source: str, drafts: Sequence[Draft], outcomes: Mapping[str, Outcome], suppressions: Suppressions
) -> Iterator[Record]:
    """Give subjects, sightings and issues; the same for the same inputs, whatever came first.

    Args:
        source: its name.
        drafts: all subjects of the run.
        outcomes: by address as a page gives it.
        suppressions: takedowns; what they cover is not landed.
    """
    landed: list[tuple[Draft, list[SightingRecord]]] = []
    for draft in drafts:
        subject = subject_id(source, *draft.key)
        if is_suppressed(source, draft, suppressions):
            yield IssueRecord(source=source, reason="policy_suppressed", where=SUPPRESSED)
            continue
        yield SubjectRecord(subject_id=subject, source=source, **suppressions.without_names(draft.facts))
        sightings, issues = _sightings(source, subject, draft, outcomes)
        landed.append((draft, sightings))
        yield from sightings
        yield from issues
    yield from _placeholders(source, landed)


def _sightings(
    source: str, subject: str, draft: Draft, outcomes: Mapping[str, Outcome]
) -> tuple[list[SightingRecord], list[IssueRecord]]:
    sightings: dict[str, SightingRecord] = {}
    issues: list[IssueRecord] = []
    ranks: dict[str, dict[str, int]] = {}
    for shown in draft.shown:
        chosen = _choose(shown, outcomes)
        if chosen is None:
            where = shown.urls[0] if shown.urls[0][:5] != "data:" else shown.page_id
            issues.append(IssueRecord(source=source, reason="record_placeholder", where=where))
            continue
        if chosen.reason == "policy_suppressed":  # not even its address is kept
            issues.append(IssueRecord(source=source, reason=chosen.reason, where=SUPPRESSED))
            continue
        slots = ranks.setdefault(shown.slot, {})
        rank = slots.setdefault(chosen.url, len(slots))
        identity = sighting_id(source, shown.page_id, subject, shown.slot, chosen.url, chosen.image_id)
        sightings.setdefault(
            identity,
            SightingRecord(
                sighting_id=identity, source=source, page_id=shown.page_id, subject_id=subject, slot=shown.slot,
                rank=rank, image_url=chosen.url, image_id=chosen.image_id,
            ),
        )  # fmt: skip
        issues += _given_up(source, shown, chosen, outcomes)
        if chosen.reason is not None:
            issues.append(IssueRecord(source=source, reason=chosen.reason, where=chosen.url, detail=chosen.detail))
    return list(sightings.values()), issues


def _given_up(source: str, shown: Shown, chosen: Outcome, outcomes: Mapping[str, Outcome]) -> list[IssueRecord]:
    """Say why a smaller picture was taken; nothing where the best one was had, or none."""
    best = outcomes.get(shown.urls[0])
    if chosen.image_id is None or best is None or best.image_id is not None or best.reason is None:
        return []
    detail = f"the page's own picture was taken instead: {chosen.url} {best.detail}".rstrip()
    return [IssueRecord(source=source, reason=best.reason, where=best.url, detail=detail)]


def _choose(shown: Shown, outcomes: Mapping[str, Outcome]) -> Outcome | None:
    """Take the first address that gave a picture, else the last one's failure; None for a placeholder."""
    if shown.is_placeholder:
        return None
    tried = [outcomes[url] for url in shown.urls if url in outcomes]
    return next((outcome for outcome in tried if outcome.image_id is not None), tried[-1])


def _placeholders(source: str, landed: Iterable[tuple[Draft, list[SightingRecord]]]) -> Iterator[IssueRecord]:
    """Report pictures that stand for many people; their sightings stay, curation drops them with a reason."""
    names: dict[str, set[str]] = {}
    urls: dict[str, str] = {}
    for draft, sightings in landed:
        if draft.facts["kind"] != "person":
            continue
        for sighting in sightings:
            if sighting.image_id is not None:
                names.setdefault(sighting.image_id, set()).add(str(draft.facts.get("name")))
                urls[sighting.image_id] = min(sighting.image_url, urls.get(sighting.image_id, sighting.image_url))
    for image, people in sorted(names.items()):
        if len(people) >= MIN_SHARED:
            detail = f"one picture stands for {len(people)} people: {image}"
            yield IssueRecord(source=source, reason="record_placeholder", where=urls[image], detail=detail)

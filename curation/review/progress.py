"""How far a queue is, what its answers say so far, who gave them, and how much longer it will take."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import select

from catalog import tables
from catalog.db import Catalog
from curation.contract import Curated
from curation.ops.estimates import Estimate, estimate
from curation.review.queues.contract import Card
from curation.review.queues.registry import find_queue
from curation.verdicts import UNDONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where one queue of one recipe stands."""

    cards_count: int
    answered_count: int
    """Cards that somebody answered."""
    mine_count: int
    """Cards that the asking reviewer answered."""
    needed_count: int
    """Answers that the recipe's gate asks for, at most all cards; 0 without a gate."""
    missing_count: int
    """Answers that the gate still waits for."""
    seconds_per_card: float | None
    """Median over the answers; None before the first timed one."""
    random_count: int
    """Answered random cards that a model had an answer to: the sample that the estimates stand on."""
    agreement: Estimate | None
    """Random cards on which the model was right; None before the first."""
    precision: Estimate | None
    """Of the queue's `positive` answer by the model, on random cards: how often people agreed."""
    recall: Estimate | None
    """Share of what people gave that answer to which the model gave it to, on random cards."""
    targets: Mapping[str, float]
    """`precision` and `recall` at which the recipe lets people stop."""

    @property
    def seconds_left(self) -> float | None:
        """Time that the missing answers will take at this pace."""
        return None if self.seconds_per_card is None else self.missing_count * self.seconds_per_card

    @property
    def may_stop(self) -> bool:
        """Whether the gate has its answers and the lower ends of the estimates reach the recipe's targets."""
        found = {"precision": self.precision, "recall": self.recall}
        shares = ((found[name], target) for name, target in self.targets.items())
        is_reached = all(share is not None and share.low_frac >= target for share, target in shares)
        return bool(self.needed_count or self.targets) and not self.missing_count and is_reached


@dataclass(frozen=True, kw_only=True)
class Given:
    """The answer rows of one queue, as far as progress needs them."""

    standing: Mapping[tuple[str, str], str]
    """(target, reviewer) -> answer, for answers that stand, in the order given."""
    durations_s: Mapping[str, list[float]]
    """Reviewer -> time per card of all timed answers."""

    @cached_property
    def reviewers_of(self) -> dict[str, list[str]]:
        """Target -> who answered it."""
        found: dict[str, list[str]] = {}
        for target, reviewer in self.standing:
            found.setdefault(target, []).append(reviewer)
        return found

    def agreed(self, targets: Iterable[str]) -> dict[str, str]:
        """Give one answer per answered target: the majority's, and the latest of a tie."""
        given: dict[str, list[str]] = {target: [] for target in targets}
        for (target, _), answer in self.standing.items():
            if target in given:
                given[target].append(answer)
        # Of equally frequent answers Counter names the first it saw: the latest, as they come in reverse.
        return {target: Counter(reversed(all_)).most_common(1)[0][0] for target, all_ in given.items() if all_}


def read_given(catalog: Catalog, queue: str) -> Given:
    """Read the answers of a queue; plain rows rather than frames, for a page asks for them each time."""
    row = tables.verdicts.c
    query = select(row.target_id, row.reviewer, row.answer, row.duration_s).where(row.queue == queue)
    standing: dict[tuple[str, str], str] = {}
    durations: dict[str, list[float]] = {}
    with catalog.engine.connect() as connection:
        for target, reviewer, answer, duration_s in connection.execute(query.order_by(row.position)):
            standing.pop((target, reviewer), None)
            if answer == UNDONE:
                continue
            standing[target, reviewer] = answer
            if duration_s is not None:
                durations.setdefault(reviewer, []).append(duration_s)
    return Given(standing=standing, durations_s=durations)


def build_queue(curated: Curated, catalog: Catalog, queue: str = "noise") -> list[Card]:
    """List the cards of a queue that nobody has answered yet, best first.

    Raises:
        UsageError: there is no such queue.
    """
    answered = read_given(catalog, queue).reviewers_of
    return [card for card in queue_cards(curated, queue) if card.target_id not in answered]


def queue_cards(curated: Curated, queue: str) -> list[Card]:
    """List all cards of a queue; none where the recipe does not use it.

    Raises:
        UsageError: there is no such queue.
    """
    kind = find_queue(queue)
    return kind.cards(curated) if kind.applies(curated) else []


def measure_progress(curated: Curated, catalog: Catalog, queue: str = "noise", reviewer: str = "") -> Progress:
    """Measure how far a queue is; a queue that the recipe does not use has no cards and misses nothing."""
    return progress_of(queue_cards(curated, queue), curated, read_given(catalog, queue), queue, reviewer)


def needed_count(curated: Curated, queue: str) -> int:
    """Answers that the recipe's gate asks of a queue."""
    return int(curated.recipe.gates.get(find_queue(queue).gate, 0))


def progress_of(cards: list[Card], curated: Curated, given: Given, queue: str, reviewer: str = "") -> Progress:
    """Compute the progress of known cards."""
    known = {card.target_id: card for card in cards}
    standing = [key for key in given.standing if key[0] in known]
    answered = len({target for target, _ in standing})
    needed = min(needed_count(curated, queue), len(cards))
    drawn = [target for target, card in known.items() if card.is_random and card.model_answer is not None]
    judged = [(answer, str(known[target].model_answer)) for target, answer in given.agreed(drawn).items()]
    positive = find_queue(queue).positive
    durations = [duration for all_ in given.durations_s.values() for duration in all_]
    targets = {name: float(curated.recipe.review[name]) for name in _TARGETS if name in curated.recipe.review}
    return Progress(
        cards_count=len(cards),
        answered_count=answered,
        mine_count=sum(name == reviewer for _, name in standing),
        needed_count=needed,
        missing_count=max(0, needed - answered),
        seconds_per_card=statistics.median(durations) if durations else None,
        random_count=len(judged),
        agreement=estimate([answer == model for answer, model in judged]),
        precision=estimate([answer == positive for answer, model in judged if model == positive]),
        recall=estimate([model == positive for answer, model in judged if answer == positive]),
        targets=targets if queue == _TARGETS_QUEUE else {},
    )


_TARGETS = ("precision", "recall")
_TARGETS_QUEUE = "noise"
"""The only queue whose answers train what they measure."""


def people(given: Given, targets: Iterable[str]) -> list[dict[str, Any]]:
    """Tell what each reviewer gave: name, answers to some targets, and median time per card in seconds."""
    known = set(targets)
    counts = Counter(reviewer for target, reviewer in given.standing if target in known)
    return [
        {
            "reviewer": reviewer,
            "answers_count": count,
            "seconds_per_card": statistics.median(given.durations_s[reviewer])
            if given.durations_s.get(reviewer)
            else None,
        }
        for reviewer, count in sorted(counts.items())
    ]

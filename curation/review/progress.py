"""How far a queue is, what its answers say so far, and how much longer it will take."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from sqlalchemy import select

from catalog import tables
from catalog.db import Catalog
from curation.contract import Curated
from curation.review.queues.contract import Card
from curation.review.queues.registry import find_queue
from curation.verdicts import UNDONE

_Z_95 = 1.96


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
    """Answered random cards: the sample that the estimates stand on."""
    agreement_frac: float | None
    """Share of them where the model's preset was right; None before the first."""
    agreement_low_frac: float | None
    """Ends of the 95 % Wilson interval."""
    agreement_high_frac: float | None

    @property
    def seconds_left(self) -> float | None:
        """Time that the missing answers will take at this pace."""
        return None if self.seconds_per_card is None else self.missing_count * self.seconds_per_card


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The answer rows of one queue, as far as progress needs them."""

    standing: dict[tuple[str, str], tuple[str, str | None]]
    """(target, reviewer) -> (answer, the model's answer then), for answers that stand."""
    durations_s: list[float]
    """Of all timed answers."""

    @property
    def answered(self) -> set[str]:
        """Targets that somebody answered."""
        return {target for target, _ in self.standing}


def read_given(catalog: Catalog, queue: str) -> Given:
    """Read the answers of a queue; plain rows rather than frames, for a page asks for them each time."""
    row = tables.verdicts.c
    columns = (row.target_id, row.reviewer, row.answer, row.model_answer, row.duration_s)
    query = select(*columns).where(row.queue == queue).order_by(row.position)
    standing: dict[tuple[str, str], tuple[str, str | None]] = {}
    durations: list[float] = []
    with catalog.engine.connect() as connection:
        for target, reviewer, answer, model_answer, duration_s in connection.execute(query):
            if answer == UNDONE:
                standing.pop((target, reviewer), None)
                continue
            standing[target, reviewer] = (answer, model_answer)
            if duration_s is not None:
                durations.append(duration_s)
    return Given(standing=standing, durations_s=durations)


def build_queue(curated: Curated, catalog: Catalog, queue: str = "noise") -> list[Card]:
    """List the cards of a queue that nobody has answered yet, best first.

    Raises:
        UsageError: there is no such queue.
    """
    kind = find_queue(queue)
    if not kind.applies(curated):
        return []
    answered = read_given(catalog, queue).answered
    return [card for card in kind.cards(curated) if card.target_id not in answered]


def measure_progress(curated: Curated, catalog: Catalog, queue: str = "noise", reviewer: str = "") -> Progress:
    """Measure how far a queue is; a queue that the recipe does not use has no cards and misses nothing."""
    kind = find_queue(queue)
    cards = kind.cards(curated) if kind.applies(curated) else []
    return progress_of(cards, int(curated.recipe.gates.get(kind.gate, 0)), read_given(catalog, queue), reviewer)


def progress_of(cards: list[Card], needed_count: int, given: Given, reviewer: str = "") -> Progress:
    """Compute the progress of known cards."""
    random_of = {card.target_id: card.is_random for card in cards}
    standing = {key: answers for key, answers in given.standing.items() if key[0] in random_of}
    answered = len({target for target, _ in standing})
    needed = min(needed_count, len(cards))
    judged = [pair for (target, _), pair in standing.items() if random_of[target] and pair[1] is not None]
    right, total = sum(answer == model_answer for answer, model_answer in judged), len(judged)
    low, high = wilson_interval(right, total) if total else (None, None)
    return Progress(
        cards_count=len(cards),
        answered_count=answered,
        mine_count=sum(name == reviewer for _, name in standing),
        needed_count=needed,
        missing_count=max(0, needed - answered),
        seconds_per_card=statistics.median(given.durations_s) if given.durations_s else None,
        random_count=total,
        agreement_frac=right / total if total else None,
        agreement_low_frac=low,
        agreement_high_frac=high,
    )


def wilson_interval(right_count: int, total_count: int) -> tuple[float, float]:
    """Give the 95 % interval of a share.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    share = right_count / total_count
    middle = share + _Z_95**2 / (2 * total_count)
    spread = _Z_95 * math.sqrt(share * (1 - share) / total_count + _Z_95**2 / (4 * total_count**2))
    scale = 1 + _Z_95**2 / total_count
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)

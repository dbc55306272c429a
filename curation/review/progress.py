"""How far a queue is, what its answers say so far, and how much longer it will take."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from catalog import tables
from catalog.db import Catalog
from curation.contract import Curated
from curation.review.answers import UNDONE, standing_verdicts
from curation.review.queues.contract import Card
from curation.review.queues.registry import find_queue

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


def build_queue(curated: Curated, catalog: Catalog, queue: str = "noise") -> list[Card]:
    """List the cards of a queue that nobody has answered yet, best first.

    Raises:
        UsageError: there is no such queue.
    """
    kind = find_queue(queue)
    if not kind.applies(curated):
        return []
    answered = set(standing_verdicts(verdict_rows(catalog, queue))["target_id"])
    return [card for card in kind.cards(curated) if card.target_id not in answered]


def measure_progress(curated: Curated, catalog: Catalog, queue: str = "noise", reviewer: str = "") -> Progress:
    """Measure how far a queue is; a queue that the recipe does not use has no cards and misses nothing."""
    kind = find_queue(queue)
    cards = kind.cards(curated) if kind.applies(curated) else []
    return progress_of(cards, int(curated.recipe.gates.get(kind.gate, 0)), verdict_rows(catalog, queue), reviewer)


def progress_of(cards: list[Card], needed_count: int, rows: pd.DataFrame, reviewer: str = "") -> Progress:
    """Compute the progress of known cards from the rows of the table `verdicts`."""
    targets = {card.target_id for card in cards}
    standing = standing_verdicts(rows)
    standing = standing[standing["target_id"].isin(targets)]
    answered = standing["target_id"].nunique()
    needed = min(needed_count, len(targets))
    right, total = _random_agreement(standing, rows)
    low, high = wilson_interval(right, total) if total else (None, None)
    timed = rows.loc[rows["answer"] != UNDONE, "duration_s"].dropna()
    return Progress(
        cards_count=len(targets),
        answered_count=answered,
        mine_count=int((standing["reviewer"] == reviewer).sum()),
        needed_count=needed,
        missing_count=max(0, needed - answered),
        seconds_per_card=float(timed.median()) if len(timed) else None,
        random_count=total,
        agreement_frac=right / total if total else None,
        agreement_low_frac=low,
        agreement_high_frac=high,
    )


def verdict_rows(catalog: Catalog, queue: str) -> pd.DataFrame:
    """Read all rows of one queue."""
    return catalog.frame(tables.verdicts, tables.verdicts.c.queue == queue)


def wilson_interval(right_count: int, total_count: int) -> tuple[float, float]:
    """Give the 95 % interval of a share.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    share = right_count / total_count
    middle = share + _Z_95**2 / (2 * total_count)
    spread = _Z_95 * math.sqrt(share * (1 - share) / total_count + _Z_95**2 / (4 * total_count**2))
    scale = 1 + _Z_95**2 / total_count
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def _random_agreement(standing: pd.DataFrame, rows: pd.DataFrame) -> tuple[int, int]:
    """Count how often the model was right on the random cards that it had spoken about."""
    judged = rows[rows["position"].isin(standing["position"]) & rows["model_answer"].notna()]
    judged = judged[judged["shown"].map(lambda shown: bool(shown.get("is_random"))).astype("bool")]
    return int((judged["answer"] == judged["model_answer"]).sum()), len(judged)

"""Answers as append-only rows, and what stands of them.

A saved page is a batch of `Verdict` rows; undoing adds rows whose answer is `undone` and that name the verdict they
take back. Nothing is ever changed or removed, and what stands is computed from the rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ids import digest, short_id
from catalog.schema import Verdict
from curation.review.queues.contract import Card
from curation.verdicts import UNDONE

_REVIEWER_CHARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One saved page."""

    batch_id: str
    """Drawn when the page was made; saving a batch twice adds nothing."""
    reviewer: str
    answered_at: str
    duration_s: float | None = None
    """From showing the page to saving it."""


def save_answers(catalog: Catalog, answers: Sequence[tuple[Card, str]], batch: Batch) -> int:
    """Append the answers of one page in one transaction; returns how many rows were new.

    Raises:
        UsageError: an answer that the card does not offer, or an unfit reviewer name; nothing is saved.
    """
    reviewer = checked_reviewer(batch.reviewer)
    for card, answer in answers:
        if answer not in card.slugs():
            raise UsageError(f"card {card.target_id}: answer {answer!r}, expected one of {', '.join(card.slugs())}")
    seconds = round(batch.duration_s / len(answers), 3) if batch.duration_s is not None and answers else None
    return catalog.add_verdicts(
        [
            Verdict(
                verdict_id=short_id("verdict", card.queue, card.target_id, reviewer, batch.batch_id, answer),
                queue=card.queue,
                target_id=card.target_id,
                answer=answer,
                reviewer=reviewer,
                answered_at=batch.answered_at,
                shown={**card.shown, "batch": batch.batch_id, "is_random": card.is_random},
                model_answer=card.model_answer,
                model_prob=card.model_prob,
                duration_s=seconds,
            )
            for card, answer in answers
        ]
    )


def undo_last(catalog: Catalog, queue: str, reviewer: str, now: str) -> list[Verdict]:
    """Take back the page that a reviewer saved last and that still stands; returns what was taken back."""
    name = checked_reviewer(reviewer)
    last: dict[str, Verdict] = {}
    for verdict in catalog.verdicts(queue):
        if verdict.reviewer == name:
            last.pop(verdict.target_id, None)
            last[verdict.target_id] = verdict
    standing = [verdict for verdict in last.values() if verdict.answer != UNDONE]
    if not standing:
        return []
    last_batch = standing[-1].shown.get("batch")
    taken = [standing[-1]] if last_batch is None else [v for v in standing if v.shown.get("batch") == last_batch]
    catalog.add_verdicts(
        [
            dataclasses.replace(
                verdict,
                verdict_id=short_id("verdict", verdict.verdict_id, UNDONE),
                answer=UNDONE,
                answered_at=now,
                shown={"undoes": verdict.verdict_id},
                duration_s=None,
            )
            for verdict in taken
        ]
    )
    return taken


def answer_cards(
    catalog: Catalog, cards: Sequence[Card], answer_of: Callable[[Card], str | None], reviewer: str, now: str
) -> int:
    """Answer cards by a function, as a simulated reviewer does; None leaves a card unanswered.

    Returns:
        How many answers were new.
    """
    answers = [(card, answer) for card in cards if (answer := answer_of(card)) is not None]
    batch_id = digest([reviewer, now, [[card.target_id, answer] for card, answer in answers]], 16)
    return save_answers(catalog, answers, Batch(batch_id=batch_id, reviewer=reviewer, answered_at=now))


def checked_reviewer(name: str) -> str:
    """Give a reviewer's name without outer spaces.

    Raises:
        UsageError: empty, longer than 80 characters, or with characters that cannot be printed.
    """
    trimmed = name.strip()
    if not trimmed or len(trimmed) > _REVIEWER_CHARS or not trimmed.isprintable():
        raise UsageError(f"reviewer: expected 1 to {_REVIEWER_CHARS} printable characters, found {name[:100]!r}")
    return trimmed

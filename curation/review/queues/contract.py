"""What a review queue is: cards to answer, the words of the answers, and an order.

A queue is one file in this folder and one line in `registry.py`; the app shows whatever is registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from curation.contract import Curated


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a queue."""

    slug: str
    """As it stands in the verdict."""
    title: str
    tone: str
    """How the app colours it: `good`, `bad` or `unsure`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One question."""

    queue: str
    target_id: str
    image_id: str
    """The picture shown."""
    answers: tuple[str, ...]
    """Slugs that may be answered."""
    preset: str
    """The answer that stands until the reviewer changes it: the model's, or the queue's first."""
    model_answer: str | None = None
    model_prob: float | None = None
    """Probability in [0, 1] that the model gives to the queue's second answer (noise); None without a model."""
    is_random: bool = False
    """Drawn at random, so that its answer counts in unbiased estimates."""
    title: str = ""
    """Short text from the source; untrusted."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """What goes into the verdict: image ids, boxes, labels."""


class ReviewQueue(Protocol):
    """One kind of question."""

    name: str
    """As in verdicts: noise, duplicates, faces, labels or roles."""
    title: str
    question: str
    answers: tuple[Answer, ...]
    gate: str
    """Key of the recipe's [gates] that says how many answers a release needs."""

    def applies(self, curated: Curated) -> bool:
        """Tell whether the recipe asks this kind of question."""
        ...

    def cards(self, curated: Curated) -> list[Card]:
        """List all cards, answered or not, in the order in which they are best answered."""
        ...

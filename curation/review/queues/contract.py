"""What a review queue is: cards to answer, the words of the answers, and an order.

A queue is one file in this folder and one line in `registry.py`; the app shows whatever is registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from curation.contract import Curated

FracBox = tuple[float, float, float, float]
"""(x0, y0, x1, y1) as shares of the picture's width and height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a queue."""

    slug: str
    """As it stands in the verdict, at most 40 characters."""
    title: str
    tone: str
    """How the app colours it: `good`, `bad` or `unsure`."""
    box: FracBox | None = None
    """Part of the first picture that this answer chooses."""
    is_offered: bool = True
    """False for one that another key makes (a turned face): it may be answered but has no button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture of a card that shows several."""

    image_id: str
    caption: str = ""
    """Short text from the source; untrusted."""
    view: str = ""
    """How it is shown, so that a copy lies on its original: `mirror`, or turned counter-clockwise (`turn90`, ...)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One question."""

    queue: str
    target_id: str
    image_id: str
    """The picture shown, or the first of several."""
    answers: tuple[Answer, ...]
    """What may be answered."""
    preset: str
    """The answer that stands until the reviewer changes it: the model's, or the queue's first; empty for none."""
    model_answer: str | None = None
    model_prob: float | None = None
    """Probability in [0, 1] that the model gives to the queue's second answer (noise); None without a model."""
    is_random: bool = False
    """Drawn at random, so that its answer counts in unbiased estimates."""
    title: str = ""
    """Short text from the source; untrusted."""
    pictures: tuple[Picture, ...] = ()
    """All pictures, where the card shows them side by side."""
    turn_deg: int = 0
    """By how much the pictures are shown turned, counter-clockwise."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """What goes into the verdict: image ids, boxes, labels."""

    def slugs(self) -> tuple[str, ...]:
        """List what may be answered."""
        return tuple(answer.slug for answer in self.answers)


class ReviewQueue(Protocol):
    """One kind of question."""

    name: str
    """As in verdicts: noise, duplicates, faces, labels or roles."""
    title: str
    question: str
    answers: tuple[Answer, ...]
    """Those that every card offers; the second one is what the model's probability is of."""
    layout: str
    """`grid`: small cards whose answer a digit toggles; `list`: large ones for which a digit chooses the answer."""
    page_cards: int
    """Cards of a page."""
    positive: str
    """The answer whose precision and recall are told; empty where no answer is one."""
    is_learning: bool
    """Whether a model is fitted to the answers, so that the order gets better as they come in."""
    gate: str
    """Key of the recipe's [gates] that says how many answers a release needs."""

    def applies(self, curated: Curated) -> bool:
        """Tell whether the recipe asks this kind of question."""
        ...

    def cards(self, curated: Curated) -> list[Card]:
        """List all cards, answered or not, in the order in which they are best answered."""
        ...

"""What the app shows: the cards of each recipe and queue, held in memory, and the pages cut from them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from catalog.db import Catalog
from catalog.errors import UsageError
from curation.contract import Curated
from curation.review.progress import Progress, progress_of, read_given
from curation.review.queues.contract import Card, ReviewQueue
from curation.review.queues.registry import QUEUES, find_queue

PAGE_CARDS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One screen of open cards."""

    cards: list[Card]
    number: int
    """From 0."""
    pages_count: int
    """At least 1."""
    progress: Progress


class Board:
    """The cards of one recipe and queue; what is answered is asked of the catalog each time."""

    def __init__(self, curated: Curated, queue: ReviewQueue) -> None:
        self.curated = curated
        self.queue = queue

    @cached_property
    def cards(self) -> list[Card]:
        """All cards, best first."""
        return self.queue.cards(self.curated) if self.queue.applies(self.curated) else []

    @cached_property
    def _by_target(self) -> dict[str, Card]:
        return {card.target_id: card for card in self.cards}

    def card(self, target_id: str) -> Card:
        """Find a card.

        Raises:
            UsageError: there is none.
        """
        if target_id not in self._by_target:
            raise UsageError(f"queue {self.queue.name}: no card {target_id[:80]!r}")
        return self._by_target[target_id]

    def page(self, catalog: Catalog, number: int, reviewer: str) -> Page:
        """Cut a page from the open cards; a number beyond the last page gives the last."""
        given = read_given(catalog, self.queue.name)
        answered = given.answered
        open_cards = [card for card in self.cards if card.target_id not in answered]
        pages_count = max(1, -(-len(open_cards) // PAGE_CARDS))
        number = min(max(0, number), pages_count - 1)
        return Page(
            cards=open_cards[number * PAGE_CARDS : (number + 1) * PAGE_CARDS],
            number=number,
            pages_count=pages_count,
            progress=progress_of(self.cards, self.needed_count, given, reviewer),
        )

    def page_of(self, catalog: Catalog, targets: Sequence[str]) -> int:
        """Number of the first page of open cards that holds one of some targets; 0 where none does."""
        wanted = set(targets)
        answered = read_given(catalog, self.queue.name).answered - wanted
        open_cards = (card for card in self.cards if card.target_id not in answered)
        place = next((i for i, card in enumerate(open_cards) if card.target_id in wanted), 0)
        return place // PAGE_CARDS

    @property
    def needed_count(self) -> int:
        """Answers that the recipe's gate asks for."""
        return int(self.curated.recipe.gates.get(self.queue.gate, 0))


class Boards:
    """The boards of all recipes, each loaded once until it is forgotten.

    Args:
        load_curated: recipe's name -> its latest curation; raises UsageError where there is none.
    """

    def __init__(self, load_curated: Callable[[str], Curated]) -> None:
        self._load_curated = load_curated
        self._lock = threading.Lock()
        self._boards: dict[str, dict[str, Board]] = {}
        self._thumbnails: dict[str, dict[str, bytes]] = {}

    def board(self, recipe: str, queue: str) -> Board:
        """Give a board.

        Raises:
            UsageError: there is no such recipe or queue.
        """
        find_queue(queue)
        return self.boards(recipe)[queue]

    def boards(self, recipe: str) -> dict[str, Board]:
        """Give the boards of a recipe by queue."""
        with self._lock:
            if recipe not in self._boards:
                curated = self._load_curated(recipe)
                self._boards[recipe] = {name: Board(curated, queue) for name, queue in QUEUES.items()}
                signal = curated.signals.get("thumbnails")
                self._thumbnails[recipe] = (
                    {} if signal is None else dict(zip(signal["image_id"], signal["jpeg"], strict=True))
                )
            return self._boards[recipe]

    def thumbnail(self, recipe: str, image_id: str) -> bytes | None:
        """Give the prepared small JPEG of a picture of the recipe; None where there is none."""
        self.boards(recipe)
        return self._thumbnails[recipe].get(image_id)

    def forget(self, recipe: str) -> None:
        """Load a recipe again when it is next asked for, with the model's latest answers."""
        with self._lock:
            self._boards.pop(recipe, None)
            self._thumbnails.pop(recipe, None)

"""What the app shows: the cards of each recipe and queue, held in memory, and the pages cut from them.

After each page of answers a recipe whose queue learns is loaded anew in the background, so that the next pages come in
the order that the model now finds best.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from catalog.db import Catalog
from catalog.errors import GleaneryError, UsageError
from curation.contract import Curated
from curation.review.agreement import disagreements
from curation.review.progress import Given, Progress, progress_of, read_given
from curation.review.queues.contract import Card, ReviewQueue
from curation.review.queues.order import draw
from curation.review.queues.registry import QUEUES, find_queue

_REVIEWERS_OF_OVERLAP = 2
_SHOWN_S = 600.0
"""So long a card that was shown to one reviewer is kept from the others."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One screen of open cards."""

    cards: list[Card]
    number: int
    """From 0."""
    pages_count: int
    """At least 1."""
    progress: Progress
    given: dict[str, dict[str, str]] = field(default_factory=dict)
    """Target -> reviewer -> answer, for cards that are to be settled."""


class Board:
    """The cards of one recipe and queue; what is answered is asked of the catalog each time.

    Args:
        curated: what the cards are made of.
        queue: their kind.
        earlier: the board that this one replaces: pages made of it may still be saved.
        clock: seconds of any origin, for the cards that others were shown.
    """

    def __init__(
        self,
        curated: Curated,
        queue: ReviewQueue,
        earlier: Board | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.curated = curated
        self.queue = queue
        self._clock = clock
        self._earlier: dict[str, Card] = {} if earlier is None else earlier.known
        self._shown: dict[str, tuple[float, frozenset[str]]] = {} if earlier is None else earlier._shown

    @cached_property
    def cards(self) -> list[Card]:
        """All cards, best first."""
        return self.queue.cards(self.curated) if self.queue.applies(self.curated) else []

    @cached_property
    def known(self) -> dict[str, Card]:
        """Cards by target, those of earlier boards too."""
        return {**self._earlier, **{card.target_id: card for card in self.cards}}

    @cached_property
    def _overlap(self) -> frozenset[str]:
        """Targets that two reviewers answer."""
        share = float(self.curated.recipe.review.get("overlap_frac", 0.0))
        return frozenset(card.target_id for card in self.cards if draw(0, "overlap", card.target_id) < share)

    def prepare(self) -> None:
        """Make the cards now, not when the first page is asked for."""
        _ = self.known, self._overlap

    def card(self, target_id: str) -> Card:
        """Find a card.

        Raises:
            UsageError: there is none.
        """
        if target_id not in self.known:
            raise UsageError(f"queue {self.queue.name}: no card {target_id[:80]!r}")
        return self.known[target_id]

    def page(self, catalog: Catalog, number: int, reviewer: str) -> Page:
        """Cut a page from the cards that are open to a reviewer; a number beyond the last page gives the last."""
        given = read_given(catalog, self.queue.name)
        open_cards = self._without_shown(self._open(given, reviewer), reviewer)
        page = self._cut(open_cards, number, given, reviewer)
        self._shown[reviewer] = (self._clock(), frozenset(card.target_id for card in page.cards))
        return page

    def settling_page(self, catalog: Catalog, number: int, reviewer: str) -> Page:
        """Cut a page from the cards on which reviewers disagree, with what each said."""
        given = read_given(catalog, self.queue.name)
        unsettled = disagreements(given.standing)
        page = self._cut([card for card in self.cards if card.target_id in unsettled], number, given, reviewer)
        page.given.update({card.target_id: unsettled[card.target_id] for card in page.cards})
        return page

    def progress(self, catalog: Catalog, reviewer: str) -> Progress:
        """Measure how far the queue is."""
        given = read_given(catalog, self.queue.name)
        return progress_of(self.cards, self.curated, given, self.queue.name, reviewer)

    def page_of(self, catalog: Catalog, targets: Sequence[str], reviewer: str) -> int:
        """Number of the first page of open cards that holds one of some targets; 0 where none does."""
        wanted = set(targets)
        cards = self._without_shown(self._open(read_given(catalog, self.queue.name), reviewer), reviewer)
        place = next((i for i, card in enumerate(cards) if card.target_id in wanted), 0)
        return place // self.queue.page_cards

    def _open(self, given: Given, reviewer: str) -> list[Card]:
        """Cards that nobody answered, and those of the overlap that another reviewer did."""
        answered = given.reviewers_of

        def is_open(target: str) -> bool:
            names = answered.get(target, ())
            is_second = target in self._overlap and reviewer not in names and len(names) < _REVIEWERS_OF_OVERLAP
            return not names or is_second

        return [card for card in self.cards if is_open(card.target_id)]

    def _without_shown(self, cards: list[Card], reviewer: str) -> list[Card]:
        """Leave out what others have before them, unless nothing else is left; in memory, as losing it is harmless."""
        now = self._clock()
        taken: set[str] = set()
        for name, (shown_at, targets) in list(self._shown.items()):
            if name != reviewer and now - shown_at < _SHOWN_S:
                taken |= targets - self._overlap
        return [card for card in cards if card.target_id not in taken] or cards

    def _cut(self, cards: list[Card], number: int, given: Given, reviewer: str) -> Page:
        size = self.queue.page_cards
        pages_count = max(1, -(-len(cards) // size))
        number = min(max(0, number), pages_count - 1)
        return Page(
            cards=cards[number * size : (number + 1) * size],
            number=number,
            pages_count=pages_count,
            progress=progress_of(self.cards, self.curated, given, self.queue.name, reviewer),
        )


def _made(curated: Curated, earlier: Mapping[str, Board]) -> dict[str, Board]:
    """Make the boards of a curation with all their cards, so that no page waits for them."""
    boards = {name: Board(curated, queue, earlier.get(name)) for name, queue in QUEUES.items()}
    for board in boards.values():
        board.prepare()
    return boards


class Boards:
    """The boards of all recipes, each loaded once until it is forgotten or learns.

    Args:
        load_curated: recipe's name -> its latest curation; raises UsageError where there is none.
    """

    def __init__(self, load_curated: Callable[[str], Curated]) -> None:
        self._load_curated = load_curated
        self._lock = threading.Lock()
        self._boards: dict[str, dict[str, Board]] = {}
        self._thumbnails: dict[str, dict[str, bytes]] = {}
        self._new_answers: dict[str, int] = {}
        self._learning: set[str] = set()

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
                self._put(recipe, self._load_curated(recipe))
            return self._boards[recipe]

    def is_loaded(self, recipe: str) -> bool:
        """Tell whether the boards of a recipe are in memory."""
        return recipe in self._boards

    def _put(self, recipe: str, curated: Curated) -> None:
        self._boards[recipe] = _made(curated, self._boards.get(recipe, {}))
        signal = curated.signals.get("thumbnails")
        self._thumbnails[recipe] = {} if signal is None else dict(zip(signal["image_id"], signal["jpeg"], strict=True))

    def thumbnail(self, recipe: str, image_id: str) -> bytes | None:
        """Give the prepared small JPEG of a picture of the recipe; None where there is none."""
        self.boards(recipe)
        return self._thumbnails[recipe].get(image_id)

    def forget(self, recipe: str) -> None:
        """Load a recipe again when it is next asked for, with the model's latest answers."""
        with self._lock:
            self._boards.pop(recipe, None)
            self._thumbnails.pop(recipe, None)

    def learn(self, recipe: str, queue: ReviewQueue, answers_count: int) -> None:
        """Take note of new answers; from a page of them on the recipe is loaded anew in the background."""
        if not queue.is_learning:
            return
        with self._lock:
            self._new_answers[recipe] = self._new_answers.get(recipe, 0) + answers_count
            if recipe in self._learning or self._new_answers[recipe] < queue.page_cards:
                return
            self._learning.add(recipe)
            self._new_answers[recipe] = 0
        threading.Thread(target=self._reload, args=(recipe,), daemon=True, name=f"learn {recipe}").start()

    def _reload(self, recipe: str) -> None:
        try:
            boards = _made(self._load_curated(recipe), self.boards(recipe))
            with self._lock:
                self._boards[recipe] = boards
        except GleaneryError:
            _LOG.exception("%s: could not learn from the new answers; the order stays as it was", recipe)
        finally:
            with self._lock:
                self._learning.discard(recipe)

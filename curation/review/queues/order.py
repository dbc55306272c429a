"""The order of cards: what teaches most first, and among them a share drawn at random.

A fifth of the targets is set aside by a hash of their id, so that the draw is the same whoever asks, stays as data
grows, and knows nothing of the model. Answers to those cards alone give unbiased estimates. They are asked in the
order of their draw, every fifth card.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import islice

from catalog.ids import digest
from curation.review.queues.contract import Card

RANDOM_FRAC = 0.2
_RANDOM_EVERY = 5
_HASH_DIGITS = 8


def draw(seed: int, queue: str, target_id: str) -> float:
    """Draw a number in [0, 1) for a target: below RANDOM_FRAC it is a random card."""
    return int(digest([seed, queue, target_id], _HASH_DIGITS), 16) / 16**_HASH_DIGITS


def in_order(cards: Sequence[Card], ranks: Sequence[float], seed: int) -> list[Card]:
    """Put cards into the order in which they are asked.

    Args:
        cards: of one queue, any order.
        ranks: one per card, the smallest is asked first; ties are drawn.
        seed: of the recipe's draw.
    """
    draws = [draw(seed, card.queue, card.target_id) for card in cards]
    aside = sorted((number, place) for place, number in enumerate(draws) if number < RANDOM_FRAC)
    chosen = sorted((ranks[place], number, place) for place, number in enumerate(draws) if number >= RANDOM_FRAC)
    drawn = [dataclasses.replace(cards[place], is_random=True) for _, place in aside]
    return _interleave([cards[place] for *_, place in chosen], drawn)


def _interleave(chosen: list[Card], drawn: list[Card]) -> list[Card]:
    """Put a drawn card at every fifth place while there are both."""
    result: list[Card] = []
    left, right = iter(chosen), iter(drawn)
    while True:
        page = [*islice(left, _RANDOM_EVERY - 1), *islice(right, 1)]
        if not page:
            return result
        result.extend(page)

"""Pairs of pictures for verification: those of the release, or drawn anew where people or pictures may be shared.

How far the parts are kept apart is what a figure means:

    person   no person stands in two parts (the release's own pairs)
    image    no picture does, but people do
    none     only no pair does, as much published work has it
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

DISJOINT = ("person", "image", "none")

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(M, 2) rows, and (M,) 1 where both show the same person, else 0."""


def draw_pairs(identity: NDArray[np.int64], rows: NDArray[np.int64], count: int, random: Generator) -> Pairs:
    """Draw distinct pairs of distinct pictures, half of one person and half of two, in a mixed order.

    The person is drawn first and then the picture, so that people with many pictures do not crowd the set.

    Args:
        identity: (N,) who each picture shows.
        rows: pictures to draw from.
        count: how many pairs; fewer where there are not so many of one person.
        random: generator.
    """
    order = rows[np.argsort(identity[rows], kind="stable")]
    _, starts, sizes = np.unique(identity[order], return_index=True, return_counts=True)
    able = np.flatnonzero(sizes > 1)
    possible = int((sizes * (sizes - 1) // 2).sum())
    same = _distinct(lambda n: _draw_same(order, starts[able], sizes[able], n, random), min(count // 2, possible))
    different = np.empty((0, 2), np.int64)
    if len(sizes) > 1:
        different = _distinct(lambda n: _draw_different(order, starts, sizes, n, random), len(same))
    pairs = np.concatenate([same, different])
    is_same = np.repeat([1, 0], [len(same), len(different)]).astype(np.int64)
    mixed = random.permutation(len(pairs))
    return pairs[mixed], is_same[mixed]


def _distinct(draw, count: int) -> NDArray[np.int64]:  # type: ignore[no-untyped-def]
    """Draw until there are so many distinct pairs; a set that is nearly used up gives fewer."""
    found = np.empty((0, 2), np.int64)
    for _ in range(50):
        if len(found) >= count:
            break
        drawn = np.concatenate([found, np.sort(draw(2 * (count - len(found)) + 8), axis=1)])
        _, first = np.unique(drawn, axis=0, return_index=True)
        found = drawn[np.sort(first)]
    return found[:count]


def _draw_same(
    order: NDArray[np.int64], starts: NDArray[np.int64], sizes: NDArray[np.int64], count: int, random: Generator
) -> NDArray[np.int64]:
    if not len(sizes):
        return np.empty((0, 2), np.int64)
    who = random.integers(len(sizes), size=count)
    first = random.integers(sizes[who])
    second = random.integers(sizes[who] - 1)
    second += second >= first  # another picture than the first
    return np.stack([order[starts[who] + first], order[starts[who] + second]], axis=1)


def _draw_different(
    order: NDArray[np.int64], starts: NDArray[np.int64], sizes: NDArray[np.int64], count: int, random: Generator
) -> NDArray[np.int64]:
    one = random.integers(len(sizes), size=count)
    two = random.integers(len(sizes) - 1, size=count)
    two += two >= one
    return np.stack(
        [order[starts[one] + random.integers(sizes[one])], order[starts[two] + random.integers(sizes[two])]], axis=1
    )


def deal_pairs(
    identity: NDArray[np.int64], disjoint: str, counts: dict[str, int], random: Generator
) -> dict[str, Pairs]:
    """Draw the pairs of all parts over all pictures, `image` or `none` disjoint.

    Args:
        identity: (N,) who each picture shows.
        disjoint: `image` deals the pictures to the parts first, 70 % to train, 10 % to validation and 20 % to test;
            `none` deals the pairs.
        counts: pairs per part, in the order in which they are drawn.
        random: generator.
    """
    everyone = np.arange(len(identity))
    if disjoint == "image":
        mixed = random.permutation(everyone)
        ends = [round(0.7 * len(mixed)), round(0.8 * len(mixed))]
        parts = dict(zip(("train", "validation", "test"), np.split(mixed, ends), strict=True))
        return {part: draw_pairs(identity, parts[part], count, random) for part, count in counts.items()}
    pairs, is_same = draw_pairs(identity, everyone, sum(counts.values()), random)
    ends = np.cumsum(list(counts.values()))
    return {
        part: (pairs[end - count : end], is_same[end - count : end])
        for (part, count), end in zip(counts.items(), ends, strict=True)
    }

"""Clusters of copies from confirmed pairs, with a guard against chains.

Plain components chain: of three pictures, the first a copy of the second and the second of the third, the first and
the third need not be copies, and in a large collection such chains run through everything. Here two clusters join
only where the pictures at their hearts are copies of each other too, and never across a pair that a person parted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Pair = tuple[int, int]
"""Rows (a, b), a < b."""


def guarded_clusters(
    probs: Mapping[Pair, float],
    is_copy: Callable[[int, int], bool],
    is_parted: Callable[[int, int], bool] | None = None,
) -> dict[int, int]:
    """Join confirmed pairs, the surest first.

    Args:
        probs: confirmed pair -> its probability; 1 for equal pixels and pairs that a person joined.
        is_copy: tells whether two rows are copies; asked for hearts of clusters that no confirmed pair joins.
        is_parted: tells whether two rows must not end up in one cluster; None where nothing is parted.

    Returns:
        Row -> its cluster's heart, for all rows of confirmed pairs. The heart is the member with the most and surest
        copies.
    """
    weight: dict[int, float] = {}
    for pair, prob in sorted(probs.items()):
        for row in pair:
            weight[row] = weight.get(row, 0.0) + prob
    members = {row: [row] for row in weight}
    heart = {row: row for row in weight}
    for a, b in sorted(probs, key=lambda pair: (-probs[pair], pair)):
        first, second = sorted((heart[a], heart[b]), key=lambda row: (-weight[row], row))
        if first == second:
            continue
        if is_parted and any(is_parted(row, other) for row in members[first] for other in members[second]):
            continue
        hearts = min(first, second), max(first, second)
        if hearts in probs or is_copy(*hearts):
            members[first] += members.pop(second)
            heart.update(dict.fromkeys(members[first], first))
    return heart

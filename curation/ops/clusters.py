"""Clusters of copies from confirmed pairs, with a guard against chains.

Plain components chain: of three pictures, the first a copy of the second and the second of the third, the first and
the third need not be copies, and in a large collection such chains run through everything. Here two clusters join
only where the pictures at their hearts are copies of each other too, and never across a pair that a person parted.
A pair of hearts that is doubtful itself does not vouch for itself: two further members must be copies then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Pair = tuple[int, int]
"""Rows (a, b), a < b."""
_SURE = 0.9
"""Probability from which a pair of hearts joins their clusters by itself."""


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
        asked = first, second
        if set(asked) == {a, b} and probs[a, b] < _SURE and min(len(members[first]), len(members[second])) > 1:
            asked = _next(members[first], weight), _next(members[second], weight)
        asked = min(asked), max(asked)
        if asked in probs or is_copy(*asked):
            members[first] += members.pop(second)
            heart.update(dict.fromkeys(members[first], first))
    return heart


def _next(members: list[int], weight: Mapping[int, float]) -> int:
    """The member that would be the heart if there were none."""
    return sorted(members, key=lambda row: (-weight[row], row))[1]

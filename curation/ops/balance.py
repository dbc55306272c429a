"""Dealing indivisible groups out to parts so that every part gets its share of every stratum.

The largest deviation of a stratum's share from the wanted one is made small. Groups are dealt largest first, each
where it helps most; then groups are moved and swapped as long as that helps, first against the sum of squares, then
against the largest deviation. Where groups of equal make-up leave few enough unknowns, an integer programme (HiGHS)
looks for something better. All of it is deterministic.

On a thousand groups of four classes the first steps reach the optimum that a solver proves
(benchmarks/bench_split.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FREE = -1
"""In the place of a part: the group has none yet."""

_SQUARES, _LARGEST = 2, 8
"""Powers of the deviation that are summed: the eighth is ruled by the largest."""
_SWEEPS_MAX = 30
_ALL_PAIRS_GROUPS_MAX = 1500
_PARTNERS = 12
"""Swaps look at all pairs where there are few groups, else each group at so many others."""
_SAME = 1e-12
_NEAR_ENOUGH = 1e-5
"""A thousandth of a percentage point: where no stratum is farther from its bound, no sweep is worth its seconds."""


@dataclass(frozen=True, slots=True)
class Dealt:
    """A deal."""

    sides: NDArray[np.int64]
    """(G,) part of each group."""
    deviation_frac: float
    """Largest deviation of a stratum's share in a part from the wanted one, in [0, 1]."""
    is_proved: bool
    """Whether it is known that no deal has a smaller one."""


def deal_groups(groups: csr_array, shares: NDArray[np.float64], fixed: NDArray[np.int64] | None = None) -> Dealt:
    """Deal groups out.

    A part that holds nothing of a stratum counts as wholly off: as far as there are groups enough, every part gets
    some of every stratum.

    Args:
        groups: (G, S) samples of each group in each stratum; every group has a size (column 0) of at least 1.
        shares: (P,) of each part, positive, sum 1.
        fixed: (G,) part of those that have theirs already, FREE for the others.

    Returns:
        The part of each group, and how far the shares are off.

    Invariant: no group is parted, fixed ones stay; the same input gives the same parts.
    """
    sides = np.full(groups.shape[0], FREE, np.int64) if fixed is None else fixed.copy()
    if not len(sides):
        return Dealt(sides, 0.0, is_proved=True)
    # Here, as numba and scipy take a second to load, and where nothing is new nobody deals.
    from curation.ops import dealing
    from curation.ops.exact_deal import solve_deal

    groups = groups[:, np.flatnonzero(groups.sum(axis=0))]  # what nobody has needs no balance
    free = np.flatnonzero(sides == FREE)
    held = _held(groups, sides, len(shares))
    have, totals = held.copy(), np.asarray(groups.sum(axis=0), np.float64).ravel()
    order = free[np.lexsort((free, -groups[free][:, [0]].toarray().ravel()))]
    rows = (groups.indptr.astype(np.int64), groups.indices.astype(np.int64), groups.data.astype(np.float64))
    dealing.deal_greedily(rows, have, totals, shares, sides, order, _SQUARES)
    partners = len(free) if len(free) <= _ALL_PAIRS_GROUPS_MAX else _PARTNERS
    floors = np.array([least_deviation(column, shares) for column in _columns(groups)])
    for power in (_SQUARES, _LARGEST):
        off = np.where(have > 0, np.abs(have / totals - shares[:, None]), 1.0)
        if (off.max(axis=0) > floors + _NEAR_ENOUGH).any():
            dealing.improve(rows, have, totals, shares, sides, order, power, _SWEEPS_MAX, partners)
    found, floor = largest_deviation(groups, shares, sides), float(floors.max())
    if found <= floor + _SAME:
        return Dealt(sides, found, is_proved=True)
    solved, is_proved = solve_deal(groups, shares, held, free, floor, found)
    if solved is None:
        return Dealt(sides, found, is_proved=is_proved or not len(free))
    exact = sides.copy()
    exact[free] = solved
    best = largest_deviation(groups, shares, exact)
    return Dealt(exact if best < found - _SAME else sides, min(best, found), is_proved=is_proved)


def _held(groups: csr_array, sides: NDArray[np.int64], parts: int) -> NDArray[np.float64]:
    """(P, S) what each part has by the groups that stand."""
    from scipy.sparse import csr_array

    stands = np.flatnonzero(sides != FREE)
    chosen = csr_array((np.ones(len(stands)), (sides[stands], stands)), shape=(parts, len(sides)))
    return np.asarray((chosen @ groups).toarray(), np.float64)


def largest_deviation(groups: csr_array, shares: NDArray[np.float64], sides: NDArray[np.int64]) -> float:
    """Give the largest distance of a stratum's share in a part from the wanted one, in [0, 1]; 0 without groups."""
    have = _held(groups, sides, len(shares))
    totals = have.sum(axis=0)
    return float(np.abs(have / np.where(totals, totals, 1) - shares[:, None])[:, totals > 0].max(initial=0.0))


def least_deviation(sizes: NDArray[np.int64], shares: NDArray[np.float64]) -> float:
    """Bound from below how near any deal of one stratum's groups can come to the wanted shares.

    Samples are whole and groups are not parted: each part's count is a sum of some group sizes, and the counts sum to
    all samples. The bound is reached where most groups are small.

    Args:
        sizes: (G,) samples of the stratum in each group.
        shares: (P,) wanted of each part, sum 1.

    Returns:
        In [0, 1]: the largest deviation over the parts is at least this.
    """
    total = int(sizes.sum())
    if not total:
        return 0.0
    wanted = shares * total
    reachable = _subset_sums(sizes)
    nearest = max(_distance_to(reachable, value, total) for value in wanted)
    # Whole counts that sum to the total: the parts of the largest remainders are rounded up, the others down.
    remainders = np.sort(wanted - np.floor(wanted + 1e-9))[::-1].clip(min=0)
    raised = int(total - np.floor(wanted + 1e-9).sum())
    rounded = max((1 - remainders[:raised]).max(initial=0.0), remainders[raised:].max(initial=0.0))
    return float(max(nearest, rounded) / total)


def _columns(groups: csr_array) -> list[NDArray[np.int64]]:
    columns = groups.tocsc()
    return [
        columns.data[columns.indptr[stratum] : columns.indptr[stratum + 1]].astype(np.int64)
        for stratum in range(groups.shape[1])
    ]


def _subset_sums(sizes: NDArray[np.int64]) -> int:
    """Mark the sums that some of the sizes make: bit n of the result."""
    sums = 1
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        left, chunk = int(count), 1
        while left:  # binary splitting: 13 of a kind are 1 + 2 + 4 + 6 of it
            taken = min(chunk, left)
            sums |= sums << (int(size) * taken)
            left, chunk = left - taken, chunk * 2
    return sums


def _distance_to(sums: int, wanted: float, total: int) -> float:
    """Distance of the nearest marked sum."""
    for step in range(total + 1):
        near = [int(np.floor(wanted)) - step, int(np.floor(wanted)) + 1 + step]
        found = [abs(value - wanted) for value in near if 0 <= value <= total and sums >> value & 1]
        if found:
            below = int(np.floor(wanted)) - step - 1  # the other side of the same distance
            return min([*found, *([wanted - below] if below >= 0 and sums >> below & 1 else [])])
    return 0.0

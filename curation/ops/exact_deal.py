"""The smallest possible deviation of a deal, by an integer programme over kinds of groups (HiGHS).

Groups of equal make-up are interchangeable, so the unknowns are how many of each kind go to each part: a thousand
groups of one to three pictures of four classes are twelve kinds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack, kron

UNKNOWNS_MAX = 900
"""Kinds times parts up to which the programme is asked; larger ones end seldom."""
_NODES_MAX = 500
_TIME_MAX_S = 20.0
"""A net for odd cases: nodes end the search long before, so that the answer does not hang on the machine."""
_GAP = 1e-4
"""Relative difference of two largest deviations that is not worth a search."""
_SLACK = 1e-9
_INFEASIBLE = 2
"""Status of `scipy.optimize.milp`."""


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Free groups of equal make-up."""

    makeup: NDArray[np.float64]
    """(K, S) samples per stratum of one group of the kind."""
    counts: NDArray[np.int64]
    """(K,) groups of the kind."""
    kind_of: NDArray[np.int64]
    """(F,) kind of each free group."""


def solve_deal(
    groups: csr_array,
    shares: NDArray[np.float64],
    held: NDArray[np.float64],
    free: NDArray[np.int64],
    floor: float,
    known: float,
) -> tuple[NDArray[np.int64] | None, bool]:
    """Deal the free groups so that the largest deviation is smallest, and the sum of deviations after that.

    Args:
        groups: (G, S) samples per group and stratum.
        shares: (P,) wanted.
        held: (P, S) what the parts have already.
        free: (F,) rows of the groups to deal.
        floor: no deal has a smaller largest deviation, in [0, 1].
        known: that of a deal at hand; only what is better by one part in ten thousand counts.

    Returns:
        ((F,) part of each free group, or None where none better than `known` was found; whether it is proved that
        none is). Nothing is found, nor proved, where there are too many kinds, or where the nodes ran out.
    """
    kinds = _kinds(groups[free])
    unknowns = len(kinds.counts) * len(shares)
    if not unknowns or unknowns > UNKNOWNS_MAX:
        return None, False
    first = _solve(kinds, shares, held, (floor, max(floor, known * (1 - _GAP))), is_sum=False)
    if first.x is None:
        return None, first.status == _INFEASIBLE
    second = _solve(kinds, shares, held, (0.0, float(first.x[-1]) + _SLACK), is_sum=True)
    chosen = first.x if second.x is None else second.x
    numbers = np.rint(chosen[:unknowns]).astype(np.int64).reshape(len(shares), -1)
    return _sides_of(kinds, numbers), first.status == 0


def _kinds(free: csr_array) -> _Kinds:
    makeup, kind_of, counts = np.unique(free.toarray(), axis=0, return_inverse=True, return_counts=True)
    return _Kinds(makeup, counts, kind_of.ravel())


def _solve(
    kinds: _Kinds,
    shares: NDArray[np.float64],
    held: NDArray[np.float64],
    largest: tuple[float, float],
    *,
    is_sum: bool,
) -> Any:
    """Solve for the largest deviation, within bounds, or for the sum of deviations of which none is larger.

    Unknowns: number of each kind in each part (P * K), deviation of each stratum in each part (P * S), the largest.
    """
    parts, strata, count = *held.shape, len(kinds.counts)
    totals = held.sum(axis=0) + kinds.counts @ kinds.makeup
    numbers, offs = parts * count, parts * strata
    have = csr_array(kron(np.eye(parts), (kinds.makeup / totals).T))
    wanted = (shares[:, None] - held / totals).ravel()
    eye = csr_array(np.eye(offs))
    one, nothing = csr_array(np.ones((offs, 1))), csr_array((offs, 1))
    constraints = [
        LinearConstraint(hstack([have, -eye, nothing]), -np.inf, wanted),
        LinearConstraint(hstack([have, eye, nothing]), wanted, np.inf),
        LinearConstraint(hstack([csr_array((offs, numbers)), eye, -one]), -np.inf, 0),
        LinearConstraint(_padded(kron(np.ones((1, parts)), np.eye(count)), offs + 1), kinds.counts, kinds.counts),
    ]
    holders = kron(np.eye(parts), (kinds.makeup > 0).T.astype(np.float64)).toarray()
    is_due = (held == 0).ravel() & (holders @ np.tile(kinds.counts, parts) >= parts)
    if is_due.any():  # a part without any of a stratum would be wholly off
        constraints.append(LinearConstraint(_padded(holders[is_due], offs + 1), 1, np.inf))
    constraints += _ordered(kinds, shares, held, offs + 1)
    upper = np.concatenate([np.tile(kinds.counts, parts), np.ones(offs), [largest[1]]])
    lower = np.concatenate([np.zeros(numbers + offs), [largest[0]]])
    cost = np.zeros(numbers + offs + 1)
    cost[slice(numbers, -1) if is_sum else -1] = 1.0
    return milp(
        cost,
        integrality=np.concatenate([np.ones(numbers), np.zeros(offs + 1)]),
        bounds=Bounds(lower, upper),
        constraints=constraints,
        options={"node_limit": _NODES_MAX, "time_limit": _TIME_MAX_S, "mip_rel_gap": _GAP},
    )


def _ordered(
    kinds: _Kinds, shares: NDArray[np.float64], held: NDArray[np.float64], further: int
) -> list[LinearConstraint]:
    """Let the first of two interchangeable parts have no fewer of the largest kind: folds have many equal deals."""
    parts, count = len(shares), len(kinds.counts)
    largest = int(np.argmax(kinds.makeup.sum(axis=1)))
    rows = []
    for part in range(1, parts):
        if shares[part] == shares[part - 1] and (held[part] == held[part - 1]).all():
            row = np.zeros(parts * count)
            row[(part - 1) * count + largest], row[part * count + largest] = 1, -1
            rows.append(row)
    return [LinearConstraint(_padded(np.array(rows), further), 0, np.inf)] if rows else []


def _padded(rows: Any, columns: int) -> Any:
    rows = csr_array(rows)
    return hstack([rows, csr_array((rows.shape[0], columns))])


def _sides_of(kinds: _Kinds, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Hand the parts out within each kind, in row order."""
    sides = np.empty(len(kinds.kind_of), np.int64)
    for kind in range(len(kinds.counts)):
        sides[kinds.kind_of == kind] = np.repeat(np.arange(len(numbers)), numbers[:, kind])
    return sides

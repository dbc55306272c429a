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
_SLACK = 1e-9


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
    groups: csr_array, shares: NDArray[np.float64], held: NDArray[np.float64], free: NDArray[np.int64]
) -> tuple[NDArray[np.int64], bool] | None:
    """Deal the free groups so that the largest deviation is smallest, and the sum of deviations after that.

    Args:
        groups: (G, S) samples per group and stratum.
        shares: (P,) wanted.
        held: (P, S) what the parts have already.
        free: (F,) rows of the groups to deal.

    Returns:
        ((F,) part of each free group, whether the smallest largest deviation is proved); None where there are too many
        kinds, or nothing was found in the nodes allowed.
    """
    kinds = _kinds(groups[free])
    unknowns = len(kinds.counts) * len(shares)
    if not unknowns or unknowns > UNKNOWNS_MAX:
        return None
    first = _solve(kinds, shares, held, None)
    if first.x is None:
        return None
    second = _solve(kinds, shares, held, float(first.x[-1]))
    chosen = first.x if second.x is None else second.x
    numbers = np.rint(chosen[:unknowns]).astype(np.int64).reshape(len(shares), -1)
    return _sides_of(kinds, numbers), first.status == 0


def _kinds(free: csr_array) -> _Kinds:
    makeup, kind_of, counts = np.unique(free.toarray(), axis=0, return_inverse=True, return_counts=True)
    return _Kinds(makeup, counts, kind_of.ravel())


def _solve(kinds: _Kinds, shares: NDArray[np.float64], held: NDArray[np.float64], largest: float | None) -> Any:
    """Solve for the largest deviation or, where that is given, for the sum of deviations that stay under it.

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
    upper = np.concatenate(
        [np.tile(kinds.counts, parts), np.ones(offs), [1.0 if largest is None else largest + _SLACK]]
    )
    cost = np.zeros(numbers + offs + 1)
    cost[-1 if largest is None else slice(numbers, -1)] = 1.0
    return milp(
        cost,
        integrality=np.concatenate([np.ones(numbers), np.zeros(offs + 1)]),
        bounds=Bounds(0, upper),
        constraints=constraints,
        options={"node_limit": _NODES_MAX, "time_limit": _TIME_MAX_S, "mip_rel_gap": 1e-4},
    )


def _padded(rows: Any, columns: int) -> Any:
    rows = csr_array(rows)
    return hstack([rows, csr_array((rows.shape[0], columns))])


def _sides_of(kinds: _Kinds, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Hand the parts out within each kind, in row order."""
    sides = np.empty(len(kinds.kind_of), np.int64)
    for kind in range(len(kinds.counts)):
        sides[kinds.kind_of == kind] = np.repeat(np.arange(len(numbers)), numbers[:, kind])
    return sides

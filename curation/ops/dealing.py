"""Dealing groups out and improving a deal, compiled by numba; `curation.ops.balance` says what for.

Importing this costs numba's import; the compiled code is kept on disk. Groups are the rows of a CSR matrix (`indptr`,
`columns`, `counts`), `have[p, s]` is what part p has of stratum s, `totals[s]` what there is of it. The cost is the
sum over parts and strata of |deviation| ** power (2 or 8), where a part without any of a stratum is off by 1.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import numpy as np
from numba import njit

_GAIN_MIN = 1e-9
"""Of the size of the terms: what is less is rounding."""


@njit(cache=True)
def _cost(off, power):
    square = off * off
    return square if power == 2 else square * square * square * square


@njit(cache=True)
def _change(rows, have, totals, shares, power, group, part, sign):
    """By how much the cost grows if a group comes to a part (1) or leaves it (-1)."""
    indptr, columns, counts = rows
    grown = 0.0
    for at in range(indptr[group], indptr[group + 1]):
        stratum = columns[at]
        before, after = have[part, stratum], have[part, stratum] + sign * counts[at]
        off_before = 1.0 if before <= 0 else abs(before / totals[stratum] - shares[part])
        off_after = 1.0 if after <= 0 else abs(after / totals[stratum] - shares[part])
        grown += _cost(off_after, power) - _cost(off_before, power)
    return grown


@njit(cache=True)
def _place(rows, have, group, part, sign):
    indptr, columns, counts = rows
    for at in range(indptr[group], indptr[group + 1]):
        have[part, columns[at]] += sign * counts[at]


@njit(cache=True)
def _best_part(rows, have, totals, shares, power, group, start):
    """The part to which a group that stands nowhere goes best; `start` where none is better."""
    best = start
    least = np.inf if start < 0 else _change(rows, have, totals, shares, power, group, start, 1.0)
    for part in range(len(shares)):
        grown = _change(rows, have, totals, shares, power, group, part, 1.0)
        if (start < 0 and grown < least) or grown < least - _GAIN_MIN * abs(least):
            best, least = part, grown
    return best


@njit(cache=True)
def deal_greedily(rows, have, totals, shares, sides, order, power):
    """Deal the groups of `order` one after the other; writes `sides` and `have`."""
    for group in order:
        sides[group] = _best_part(rows, have, totals, shares, power, group, -1)
        _place(rows, have, group, sides[group], 1.0)


@njit(cache=True)
def _swap(rows, have, totals, shares, power, sides, one, two):
    """Swap two groups of two parts where that helps; tells whether it did."""
    a, b = sides[one], sides[two]
    leave = _change(rows, have, totals, shares, power, one, a, -1.0)
    _place(rows, have, one, a, -1.0)
    arrive = _change(rows, have, totals, shares, power, two, a, 1.0)
    _place(rows, have, two, a, 1.0)
    go = _change(rows, have, totals, shares, power, two, b, -1.0)
    _place(rows, have, two, b, -1.0)
    come = _change(rows, have, totals, shares, power, one, b, 1.0)
    terms = abs(leave) + abs(arrive) + abs(go) + abs(come)
    if leave + arrive + go + come < -_GAIN_MIN * terms:
        _place(rows, have, one, b, 1.0)
        sides[one], sides[two] = b, a
        return True
    _place(rows, have, two, b, 1.0)
    _place(rows, have, two, a, -1.0)
    _place(rows, have, one, a, 1.0)
    return False


@njit(cache=True)
def _move(rows, have, totals, shares, power, sides, group):
    """Move a group to where it helps most; tells whether it moved."""
    side = sides[group]
    _place(rows, have, group, side, -1.0)
    sides[group] = _best_part(rows, have, totals, shares, power, group, side)
    _place(rows, have, group, sides[group], 1.0)
    return sides[group] != side


@njit(cache=True)
def improve(rows, have, totals, shares, sides, order, power, sweeps, partners):
    """Move and swap the groups of `order` as long as that helps, at most `sweeps` times each.

    Each is tried with `partners` others drawn by a fixed generator, or with all of them where that is as many.
    """
    seed = np.uint64(88172645463325252)
    for _ in range(sweeps):
        changes = 0
        for position in range(len(order)):
            changes += _move(rows, have, totals, shares, power, sides, order[position])
            for turn in range(position + 1 if partners >= len(order) else 0, min(partners, len(order))):
                other = order[turn]
                if partners < len(order):  # xorshift
                    seed ^= seed << np.uint64(13)
                    seed ^= seed >> np.uint64(7)
                    seed ^= seed << np.uint64(17)
                    other = order[np.int64(seed % np.uint64(len(order)))]
                if sides[order[position]] != sides[other]:
                    changes += _swap(rows, have, totals, shares, power, sides, order[position], other)
        if changes == 0:
            break

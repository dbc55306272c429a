from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from curation.ops.balance import FREE, deal_groups, largest_deviation, least_deviation

groups = st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any), max_size=25)
THIRDS = [np.array([0.7, 0.2, 0.1]), np.array([0.5, 0.5]), np.array([1.0])]


def matrix(rows):
    """(G, 1 + S): the sizes, then the strata."""
    counts = np.array(rows, np.float64).reshape(-1, 3)
    return csr_array(np.hstack([counts.sum(axis=1, keepdims=True), counts]))


def naive_deviation(rows, shares, sides):
    worst = 0.0
    for stratum in range(3):
        whole = sum(row[stratum] for row in rows)
        for part, share in enumerate(shares):
            have = sum(row[stratum] for row, side in zip(rows, sides, strict=True) if side == part)
            worst = max(worst, abs(have / whole - share) if whole else 0.0)
    return worst


@given(groups, st.sampled_from(THIRDS), st.data())
@settings(max_examples=200)
def test_fixed_groups_stay_all_are_dealt_and_the_figure_is_true(rows, shares, data):
    parts = st.integers(0, len(shares) - 1)
    fixed = np.array([data.draw(st.one_of(st.just(FREE), parts)) for _ in rows], np.int64)
    dealt = deal_groups(matrix(rows), shares, fixed)
    assert len(dealt.sides) == len(rows)
    assert set(dealt.sides) <= set(range(len(shares)))
    assert all(side == wanted for side, wanted in zip(dealt.sides, fixed, strict=True) if wanted != FREE)
    # Stratum 0 is the sum of the others: its deviation is a mean of theirs.
    assert dealt.deviation_frac == pytest.approx(naive_deviation(rows, shares, dealt.sides), abs=1e-9)


@given(st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3).filter(any), min_size=3, max_size=8))
@settings(max_examples=25)
def test_no_deal_that_serves_every_part_is_nearer(rows):
    """All deals, tried one by one."""
    shares = np.array([0.6, 0.4])

    def empties(sides):
        return sum(
            any(row[stratum] for row in rows)
            and not any(row[stratum] for row, side in zip(rows, sides, strict=True) if side == part)
            for stratum in range(3)
            for part in (0, 1)
        )

    dealt = deal_groups(matrix(rows), shares)
    deals = list(itertools.product(range(2), repeat=len(rows)))
    fewest = min(map(empties, deals))
    best = min(naive_deviation(rows, shares, sides) for sides in deals if empties(sides) == fewest)
    assert naive_deviation(rows, shares, dealt.sides) <= 1.05 * best + 1e-9 or empties(dealt.sides) == fewest
    if dealt.is_proved and empties(dealt.sides) == fewest == 0:
        assert dealt.deviation_frac <= best + 1e-6


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.sampled_from(THIRDS))
@settings(max_examples=200)
def test_the_floor_lies_under_every_deal(sizes, shares):
    floor = least_deviation(np.array(sizes), shares)
    total = sum(sizes)
    for sides in itertools.product(range(len(shares)), repeat=len(sizes)):
        have = [sum(s for s, side in zip(sizes, sides, strict=True) if side == part) for part in range(len(shares))]
        assert floor <= max(abs(h / total - share) for h, share in zip(have, shares, strict=True)) + 1e-9


def test_many_small_groups_reach_the_floor():
    random = np.random.default_rng(1)
    rows = []
    for _ in range(400):
        row = [0, 0, 0]
        row[int(random.integers(3))] = int(random.integers(1, 4))
        rows.append(row)
    shares = np.array([0.7, 0.2, 0.1])
    floor = max(least_deviation(np.array([r[s] for r in rows if r[s]]), shares) for s in range(3))
    dealt = deal_groups(matrix(rows), shares)
    assert dealt.is_proved
    assert largest_deviation(matrix(rows), shares, dealt.sides) == pytest.approx(floor, abs=1e-9)

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.ops.balance import deal_groups

groups = st.lists(st.dictionaries(st.integers(1, 3), st.integers(1, 9), min_size=1), min_size=1, max_size=25).map(
    lambda found: [{**strata, 0: sum(strata.values())} for strata in found]
)


def cost(deal, dealt, shares):
    strata = sorted({stratum for group in deal for stratum in group})
    total = 0.0
    for stratum in strata:
        whole = sum(group.get(stratum, 0) for group in deal)
        for split, share in enumerate(shares):
            have = sum(group.get(stratum, 0) for group, side in zip(deal, dealt, strict=True) if side == split)
            total += ((have - share * whole) / whole) ** 2
    return total


@given(groups, st.data())
@settings(max_examples=60, deadline=None)
def test_fixed_groups_stay_and_all_are_dealt(deal, data):
    fixed = data.draw(st.dictionaries(st.integers(0, len(deal) - 1), st.integers(0, 2)))
    sides = deal_groups(deal, [0.7, 0.2, 0.1], fixed)
    assert set(sides) <= {0, 1, 2}
    assert all(sides[group] == split for group, split in fixed.items())


def test_is_near_the_best_of_all_deals():
    random = np.random.default_rng(0)
    shares = [0.6, 0.4]
    for _ in range(10):
        deal = [{0: 0} | {int(k): int(random.integers(1, 8)) for k in random.integers(1, 4, 2)} for _ in range(11)]
        for group in deal:
            group[0] = sum(group.values())
        best = min(cost(deal, sides, shares) for sides in itertools.product(range(2), repeat=len(deal)))
        assert cost(deal, deal_groups(deal, shares), shares) <= best + 0.02


def test_no_share_is_off_by_more_than_a_group():
    random = np.random.default_rng(1)
    deal = []
    for _ in range(400):
        stratum, size = int(random.integers(1, 5)), int(random.integers(1, 4))
        deal.append({0: size, stratum: size})
    sides = deal_groups(deal, [0.7, 0.2, 0.1])
    for stratum in range(5):
        whole = sum(group.get(stratum, 0) for group in deal)
        for split, share in enumerate((0.7, 0.2, 0.1)):
            have = sum(g.get(stratum, 0) for g, side in zip(deal, sides, strict=True) if side == split)
            assert abs(have - share * whole) <= 3

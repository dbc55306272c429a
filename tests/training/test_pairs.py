from __future__ import annotations

import numpy as np
import pytest

from training.pairs import deal_pairs, draw_pairs


@pytest.fixture
def identity() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 30, 200)


def test_half_of_the_pairs_show_one_person_and_all_are_distinct(identity: np.ndarray) -> None:
    rows = np.arange(50, 200)
    pairs, is_same = draw_pairs(identity, rows, 300, np.random.default_rng(2))
    assert len(pairs) == 300
    assert is_same.sum() == 150
    assert len({tuple(sorted(pair)) for pair in pairs.tolist()}) == 300
    for (a, b), same in zip(pairs.tolist(), is_same, strict=True):
        assert a != b
        assert a >= 50
        assert b >= 50
        assert bool(same) == (identity[a] == identity[b])
    assert 0.3 < is_same[:100].mean() < 0.7, "the order is mixed"


def test_a_small_part_gives_all_its_pairs_of_one_person_and_as_many_of_two() -> None:
    pairs, is_same = draw_pairs(np.array([0, 0, 0, 1, 1, 2]), np.arange(6), 1000, np.random.default_rng(3))
    assert {tuple(pair) for pair in pairs[is_same == 1].tolist()} == {(0, 1), (0, 2), (1, 2), (3, 4)}
    assert (is_same == 0).sum() == 4


def test_parts_share_what_is_said_and_no_more(identity: np.ndarray) -> None:
    counts = {"validation": 20, "test": 40, "train": 100}
    by_image = deal_pairs(identity, "image", counts, np.random.default_rng(4))
    shown = {part: set(pairs.ravel().tolist()) for part, (pairs, _) in by_image.items()}
    assert not shown["train"] & (shown["test"] | shown["validation"])
    assert not shown["validation"] & shown["test"]
    people = {part: {int(identity[row]) for row in rows} for part, rows in shown.items()}
    assert people["train"] & people["test"], "people are shared"
    loose = deal_pairs(identity, "none", counts, np.random.default_rng(4))
    assert {part: len(pairs) for part, (pairs, _) in loose.items()} == counts
    drawn = [tuple(pair) for pairs, _ in loose.values() for pair in pairs.tolist()]
    assert len(set(drawn)) == 160

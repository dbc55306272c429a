from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.ops import hamming
from curation.ops.hamming import near_pairs, self_pairs


def naive(left, right, radius):
    return [
        (i, j) for i, a in enumerate(left) for j, b in enumerate(right) if bin(int(a) ^ int(b)).count("1") <= radius
    ]


def clustered(seed: int, count: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = random.integers(0, 2**63, 8, dtype=np.uint64)
    flips = np.array(
        [sum(1 << int(b) for b in random.choice(64, random.integers(0, 12), replace=False)) for _ in range(count)],
        np.uint64,
    )
    return centres[random.integers(0, 8, count)] ^ flips


words = st.lists(st.integers(0, 2**64 - 1), max_size=12)


@given(words, words, st.integers(0, 19))
@settings(max_examples=60)
def test_equals_the_double_loop(left, right, radius):
    found = near_pairs(np.array(left, np.uint64), np.array(right, np.uint64), radius)
    assert [tuple(pair) for pair in found.tolist()] == naive(left, right, radius)


@pytest.mark.parametrize("radius", [0, 3, 4, 7, 10, 13])
def test_bands_find_what_brute_force_finds(monkeypatch, radius):
    left, right = clustered(1, 150), clustered(2, 130)
    right[:40] = left[:40]
    expected = near_pairs(left, right, radius)
    assert [tuple(pair) for pair in expected.tolist()] == naive(left, right, radius)
    monkeypatch.setattr(hamming, "_BRUTE_PRODUCT", -1)
    assert np.array_equal(near_pairs(left, right, radius), expected)


def test_bands_in_which_many_hashes_are_equal_lose_none(monkeypatch):
    random = np.random.default_rng(5)
    hashes = random.integers(0, 2**64, 300, dtype=np.uint64) & ~np.uint64(0xFFFF)  # one bucket of the lowest band
    hashes[150:] = hashes[:150] ^ random.integers(0, 1 << 5, 150, dtype=np.uint64)
    expected = [(i, j) for i, j in naive(hashes, hashes, 6) if i < j]
    monkeypatch.setattr(hamming, "_BRUTE_PRODUCT", -1)
    assert [tuple(pair) for pair in self_pairs(hashes, 6).tolist()] == expected
    assert [tuple(pair) for pair in near_pairs(hashes, hashes[::-1], 6).tolist()] == naive(hashes, hashes[::-1], 6)


def test_self_pairs_hold_no_diagonal_and_each_pair_once():
    hashes = clustered(3, 80)
    expected = [(i, j) for i, j in naive(hashes, hashes, 8) if i < j]
    assert [tuple(pair) for pair in self_pairs(hashes, 8).tolist()] == expected


def test_refuses_a_radius_that_bands_do_not_cover():
    with pytest.raises(ValueError, match="radius_bits"):
        near_pairs(np.zeros(1, np.uint64), np.zeros(1, np.uint64), 20)

"""All pairs of 64-bit hashes within a Hamming radius, exactly: brute force for few, bands of 16 bits for many."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int64]

_BRUTE_PRODUCT = 100_000_000
"""Comparisons up to which NumPy's brute force (under a second) beats compiling the banded join."""
_BANDS = 4
_BAND_BITS = 16


def near_pairs(left: Hashes, right: Hashes, radius_bits: int) -> Pairs:
    """List index pairs (i, j) with at most `radius_bits` bits between `left[i]` and `right[j]`.

    Args:
        left: (N,) hashes.
        right: (M,) hashes.
        radius_bits: 0 to 19; 0 keeps equal hashes only.

    Returns:
        (P, 2), sorted, each pair once.

    Raises:
        ValueError: a radius outside 0..19.

    Source: multi-index hashing (Norouzi et al., "Fast search in Hamming space", 2012): of four 16-bit bands one is
        within a quarter of the radius.
    Invariant: equals the double loop.
    """
    if not 0 <= radius_bits < 20:
        raise ValueError(f"radius_bits is {radius_bits}, expected 0 to 19")
    if len(left) * len(right) <= _BRUTE_PRODUCT:
        pairs = _brute_pairs(left, right, radius_bits)
    else:
        pairs = _banded_pairs(left, right, radius_bits)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def self_pairs(hashes: Hashes, radius_bits: int) -> Pairs:
    """As `near_pairs` of hashes with themselves, i < j only."""
    pairs = near_pairs(hashes, hashes, radius_bits)
    return pairs[pairs[:, 0] < pairs[:, 1]]


def _brute_pairs(left: Hashes, right: Hashes, radius_bits: int) -> Pairs:
    rows = max(1, 4_000_000 // max(1, len(right)))
    found = [np.empty((0, 2), np.int64)]
    for start in range(0, len(left), rows):
        distances = np.bitwise_count(left[start : start + rows, None] ^ right[None, :])
        hits = np.argwhere(distances <= radius_bits)
        hits[:, 0] += start
        found.append(hits)
    return np.concatenate(found)


def _banded_pairs(left: Hashes, right: Hashes, radius_bits: int) -> Pairs:
    join = _compiled_join()
    quarter, rest = divmod(radius_bits, _BANDS)
    # Pigeonhole: if every band of the first rest + 1 differs by more than `quarter`, and every other by `quarter` or
    # more, the sum exceeds the radius.
    radii = np.array([quarter if band <= rest else quarter - 1 for band in range(_BANDS)])
    found = [np.empty((0, 2), np.int64)]
    for band in range(_BANDS):
        if radii[band] < 0:
            continue
        keys = _band(right, band)
        order = np.argsort(keys, kind="stable")
        starts = np.searchsorted(keys[order], np.arange((1 << _BAND_BITS) + 1))
        # Both sides are walked in the order of the band, so that neighbours in time are neighbours in memory.
        rows = np.argsort(_band(left, band), kind="stable")
        pairs = join(left[rows], right[order], starts, _flips(int(radii[band])), band, radii, radius_bits)
        found.append(np.stack([rows[pairs[:, 0]], order[pairs[:, 1]]], axis=1))
    return np.concatenate(found)


def _band(hashes: Hashes, band: int) -> NDArray[np.int64]:
    shift = np.uint64(band * _BAND_BITS)
    return ((hashes >> shift) & np.uint64(0xFFFF)).astype(np.int64)


@cache
def _flips(radius_bits: int) -> NDArray[np.int64]:
    """All 16-bit masks of at most `radius_bits` ones."""
    masks = np.arange(1 << _BAND_BITS, dtype=np.uint64)
    return masks[np.bitwise_count(masks) <= radius_bits].astype(np.int64)


@cache
def _compiled_join() -> Any:
    """Compile the inner loop on first use (some seconds): importing numba costs what small jobs do not need."""
    from numba import njit

    count_bits = njit(_count_bits)

    @njit
    def is_near_before(differing, band, radii):  # type: ignore[no-untyped-def]
        for earlier in range(band):
            part = (differing >> np.uint64(16 * earlier)) & np.uint64(0xFFFF)
            if np.int64(count_bits(part)) <= radii[earlier]:
                return True
        return False

    @njit
    def join(left, right, starts, flips, band, radii, radius):  # type: ignore[no-untyped-def]
        out = np.empty((1024, 2), np.int64)
        size = 0
        for i in range(len(left)):
            key = np.int64((left[i] >> np.uint64(16 * band)) & np.uint64(0xFFFF))
            for flip in flips:
                bucket = key ^ flip
                for j in range(starts[bucket], starts[bucket + 1]):
                    differing = left[i] ^ right[j]
                    # A pair belongs to the first band that finds it: so it is found once.
                    if count_bits(differing) > radius or is_near_before(differing, band, radii):
                        continue
                    if size == len(out):
                        larger = np.empty((2 * size, 2), np.int64)
                        larger[:size] = out
                        out = larger
                    out[size, 0], out[size, 1] = i, j
                    size += 1
        return out[:size].copy()

    return join


def _count_bits(value: Any) -> Any:
    """Count the ones of a 64-bit number, in steps that numba compiles."""
    value = value - ((value >> np.uint64(1)) & np.uint64(0x5555555555555555))
    value = (value & np.uint64(0x3333333333333333)) + ((value >> np.uint64(2)) & np.uint64(0x3333333333333333))
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (value * np.uint64(0x0101010101010101)) >> np.uint64(56)

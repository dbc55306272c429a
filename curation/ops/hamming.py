"""All pairs of 64-bit hashes within a Hamming radius, exactly: brute force for few, bands of 16 bits for many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Pairs = NDArray[np.integer[Any]]
"""(P, 2) of unsigned 32 bits."""
_Keys = NDArray[np.uint64]
"""Pairs as i << 32 | j: they sort as pairs do, in half the memory and a tenth of the time."""

_BRUTE_PRODUCT = 100_000_000
"""Comparisons up to which NumPy's brute force (under a second) beats compiling the banded join."""
_BANDS = 4
_BAND_BITS = 16
_CHUNK_ROWS = 1 << 16
_SAMPLE_ROWS = 5000


def near_pairs(left: Hashes, right: Hashes, radius_bits: int) -> Pairs:
    """List index pairs (i, j) with at most `radius_bits` bits between `left[i]` and `right[j]`.

    Args:
        left: (N,) hashes, N below 2^32.
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
    _check_radius(radius_bits)
    is_small = len(left) * len(right) <= _BRUTE_PRODUCT
    keys = (_brute_keys if is_small else _banded_keys)(left, right, radius_bits)
    keys.sort()
    return _pairs_of(keys)


def self_pairs(hashes: Hashes, radius_bits: int) -> Pairs:
    """As `near_pairs` of hashes with themselves, i < j only, for half the work.

    Ten million take some 2 GB and two minutes of two cores (benchmarks/bench_duplicates.py).
    """
    _check_radius(radius_bits)
    if len(hashes) ** 2 <= _BRUTE_PRODUCT:
        pairs = near_pairs(hashes, hashes, radius_bits)
        return pairs[pairs[:, 0] < pairs[:, 1]]
    keys = _banded_keys(hashes, None, radius_bits)
    keys.sort()
    return _pairs_of(keys)


def _check_radius(radius_bits: int) -> None:
    if not 0 <= radius_bits < 20:
        raise ValueError(f"radius_bits is {radius_bits}, expected 0 to 19")


def _pairs_of(keys: _Keys) -> Pairs:
    """Read the halves of the keys where they lie, without a copy (the low half comes first in memory)."""
    return keys.astype("<u8", copy=False).view("<u4").reshape(-1, 2)[:, ::-1]


def _brute_keys(left: Hashes, right: Hashes, radius_bits: int) -> _Keys:
    rows = max(1, 4_000_000 // max(1, len(right)))
    found = [np.empty(0, np.uint64)]
    for start in range(0, len(left), rows):
        distances = np.bitwise_count(left[start : start + rows, None] ^ right[None, :])
        hits = np.argwhere(distances <= radius_bits).astype(np.uint64)
        found.append((hits[:, 0] + np.uint64(start)) << np.uint64(32) | hits[:, 1])
    return np.concatenate(found)


def _banded_keys(left: Hashes, right: Hashes | None, radius_bits: int) -> _Keys:
    """Join by bands; `right` None joins `left` with itself, each pair once."""
    quarter, rest = divmod(radius_bits, _BANDS)
    # Pigeonhole: if every band of the first rest + 1 differs by more than `quarter`, and every other by `quarter` or
    # more, the sum exceeds the radius.
    radii = np.array([quarter if band <= rest else quarter - 1 for band in range(_BANDS)])
    order = _spread_bits(left if right is None else right)
    left, right = _reordered(left, order), None if right is None else _reordered(right, order)
    found = [np.empty(0, np.uint64)]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for band in range(_BANDS):
            if radii[band] >= 0:
                found += pool.map(lambda call: call(), _calls(left, right, radii, band, radius_bits))
    return np.concatenate(found)


def _spread_bits(hashes: Hashes) -> list[int]:
    """Order the bits so that those which go together stand in different bands.

    Bands of bits that go together have few values, and then many hashes in each bucket: the same pairs at many times
    the cost. Distances do not depend on the order.
    """
    sample = hashes[:: max(1, len(hashes) // _SAMPLE_ROWS)]
    bits = (sample[:, None] >> np.arange(64, dtype=np.uint64)[None, :]) & np.uint64(1)
    centred = bits.astype(np.float64) - bits.mean(axis=0)
    lengths = np.maximum(np.linalg.norm(centred, axis=0), 1e-9)
    alike = np.abs(centred.T @ centred / np.outer(lengths, lengths)) - np.eye(64)
    bands: list[list[int]] = [[] for _ in range(_BANDS)]
    for bit in np.argsort(-alike.sum(axis=0), kind="stable"):
        free = [band for band in bands if len(band) < _BAND_BITS]
        min(free, key=lambda band: (float(alike[bit, band].sum()), len(band))).append(int(bit))
    return [bit for band in bands for bit in band]


def _reordered(hashes: Hashes, order: list[int]) -> Hashes:
    """Move bit order[k] to place k in every hash, a byte at a time."""
    places = np.argsort(order)
    found = np.zeros_like(hashes)
    for byte in range(8):
        values = np.zeros(256, np.uint64)
        for bit in range(8):
            has_bit = np.arange(256) >> bit & 1
            values |= has_bit.astype(np.uint64) << np.uint64(places[8 * byte + bit])
        found |= values[(hashes >> np.uint64(8 * byte)).astype(np.uint8)]
    return found


def _calls(
    left: Hashes, right: Hashes | None, radii: NDArray[np.int64], band: int, radius_bits: int
) -> Iterator[Callable[[], _Keys]]:
    """Cut one band's join into calls that run beside each other."""
    # Here, as numba costs what small jobs do not need.
    from curation.ops.hamming_join import join, named

    # Both sides are walked in the order of the band, so that neighbours in time are neighbours in memory.
    hashes, rows, starts = _ordered(left, band)
    others, numbers, buckets = (hashes, rows, starts) if right is None else _ordered(right, band)
    flips, is_self = _flips(int(radii[band])), right is None

    def call(first_key: int, last_key: int) -> _Keys:
        found = join(hashes, starts, others, buckets, flips, radius_bits, is_self, first_key, last_key)
        keys: _Keys = named(found, hashes, rows, others, numbers, band, radii, is_self)
        return keys

    edges = np.searchsorted(starts, np.arange(0, len(left), _CHUNK_ROWS))
    for first_key, last_key in pairwise(np.unique([*edges, 1 << _BAND_BITS]).tolist()):
        yield partial(call, first_key, last_key)


def _ordered(hashes: Hashes, band: int) -> tuple[Hashes, NDArray[np.uint32], NDArray[np.int64]]:
    """Sort by a band: hashes, their numbers, and where each value of the band begins (and one more)."""
    values = (hashes >> np.uint64(band * _BAND_BITS)).astype(np.uint16)
    order = np.argsort(values, kind="stable").astype(np.uint32)
    counts = np.bincount(values, minlength=1 << _BAND_BITS)
    return hashes[order], order, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


@cache
def _flips(radius_bits: int) -> NDArray[np.int64]:
    """All 16-bit masks of at most `radius_bits` ones."""
    masks = np.arange(1 << _BAND_BITS, dtype=np.uint64)
    return masks[np.bitwise_count(masks) <= radius_bits].astype(np.int64)

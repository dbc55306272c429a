"""The compiled loops of the banded Hamming join; importing this imports numba (some seconds the first time)."""

# Types are numba's to find: its compiled functions have none that mypy could read.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def count_bits(value):
    """Count the ones of a 64-bit number; the compiler knows this for the processor's own instruction."""
    value = value - ((value >> np.uint64(1)) & np.uint64(0x5555555555555555))
    value = (value & np.uint64(0x3333333333333333)) + ((value >> np.uint64(2)) & np.uint64(0x3333333333333333))
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((value * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True)
def is_near_before(differing, band, radii):
    """Tell whether an earlier band finds the pair too."""
    for earlier in range(band):
        part = (differing >> np.uint64(16 * earlier)) & np.uint64(0xFFFF)
        if count_bits(part) <= radii[earlier]:
            return True
    return False


@njit(cache=True)
def count_near(hashed, hashes, first, last, radius):
    """Count the hashes of a stretch within the radius: no branch, so that several are compared at a time."""
    hits = 0
    for j in range(first, last):
        hits += count_bits(hashed ^ hashes[j]) <= radius
    return hits


@njit(cache=True)
def grown(out, size, more):
    """Give an array with room for more."""
    if size + more <= len(out):
        return out
    larger = np.empty(max(2 * len(out), size + more), np.uint64)
    larger[:size] = out[:size]
    return larger


@njit(cache=True)
def add_near(out, size, left, stretch, bands, numbers):
    """Append the pairs of one hash with a stretch of others, those that no earlier band finds."""
    hashed, own = left
    hashes, first, last = stretch
    band, radii, radius, is_self = bands
    for j in range(first, last):
        differing = hashed ^ hashes[j]
        if count_bits(differing) > radius or is_near_before(differing, band, radii):
            continue
        other = np.uint64(numbers[j])
        low, high = (other, own) if is_self and other < own else (own, other)
        out[size] = low << np.uint64(32) | high
        size += 1
    return size


@njit(cache=True, nogil=True)
def join(left, rows, right, order, starts, flips, band, radii, radius, start, stop, is_self):
    """Join rows start .. stop of `left` with `right`, both in the order of a band.

    Args:
        left: hashes.
        rows: their numbers.
        right: hashes.
        order: their numbers.
        starts: bucket -> first place in `right`, and one more.
        flips: 16-bit masks that lead from a bucket to its neighbours.
        band: which 16 bits, from the lowest.
        radii: per band.
        radius: of the whole.
        start: first row.
        stop: one beyond the last.
        is_self: both sides are the same: each pair once.

    Returns:
        Pairs as number << 32 | number.
    """
    out = np.empty(1024, np.uint64)
    size = 0
    for i in range(start, stop):
        key = np.int64((left[i] >> np.uint64(16 * band)) & np.uint64(0xFFFF))
        own = np.uint64(rows[i])
        for flip in flips:
            bucket = key ^ flip
            if is_self and bucket < key:
                continue  # found from the other side
            first, last = starts[bucket], starts[bucket + 1]
            if is_self and bucket == key:
                first = i + 1
            hits = count_near(left[i], right, first, last, radius)
            if hits:
                out = grown(out, size, hits)
                size = add_near(out, size, (left[i], own), (right, first, last), (band, radii, radius, is_self), order)
    return out[:size].copy()

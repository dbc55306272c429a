"""The compiled loops of the banded Hamming join; importing this imports numba (some seconds the first time)."""

# Types are numba's to find: its compiled functions have none that mypy could read.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

STRETCH_ROWS = 64
"""So many hashes of a bucket are compared with another bucket at a time."""


@intrinsic
def count_bits(typing_context, value):
    """Count the ones of a 64-bit number by the processor's own instruction."""
    return types.int64(types.uint64), lambda context, builder, signature, given: builder.ctpop(given[0])


@njit(cache=True)
def grown(found, size, more):
    """Give an array with room for more."""
    larger = np.empty(max(2 * len(found), size + more), np.uint64)
    larger[:size] = found[:size]
    return larger


@njit(cache=True)
def add_near(found, size, hashes, i, others, first, last, radius):
    """Append the places of one hash and of those in a stretch of others that are near it."""
    hashed = hashes[i]
    for j in range(np.uint64(first), np.uint64(last)):  # unsigned: no index is looked at for being negative
        if count_bits(hashed ^ others[j]) <= radius:
            found[size] = np.uint64(i) << np.uint64(32) | j
            size += 1
    return size


@njit(cache=True)
def add_near_four(found, size, hashes, i, others, first, last, radius):
    """As `add_near` for four hashes that follow each other: each other that is read serves four times.

    Near ones are rare, so that the branch is foretold; counting first without a branch, several at a time, is slower.
    """
    one, two, three, four = hashes[i], hashes[i + 1], hashes[i + 2], hashes[i + 3]
    for j in range(np.uint64(first), np.uint64(last)):
        hashed = others[j]
        least = min(
            min(count_bits(one ^ hashed), count_bits(two ^ hashed)),
            min(count_bits(three ^ hashed), count_bits(four ^ hashed)),
        )
        if least <= radius:
            for k in range(i, i + 4):
                if count_bits(hashes[k] ^ hashed) <= radius:
                    found[size] = np.uint64(k) << np.uint64(32) | j
                    size += 1
    return size


@njit(cache=True)
def add_stretch(found, size, hashes, start, stop, others, first, last, radius):
    """Append the places of near ones in a stretch of hashes and another of others."""
    i = start
    while i + 4 <= stop:
        size = add_near_four(found, size, hashes, i, others, first, last, radius)
        i += 4
    while i < stop:
        size = add_near(found, size, hashes, i, others, first, last, radius)
        i += 1
    return size


@njit(cache=True)
def add_own(found, size, hashes, start, stop, last, radius):
    """Append the places of near ones in a stretch of hashes and what follows in their bucket, each pair once."""
    for i in range(start, stop):
        size = add_near(found, size, hashes, i, hashes, i + 1, last, radius)
    return size


@njit(cache=True)
def is_near_before(differing, band, radii):
    """Tell whether an earlier band finds the pair too."""
    for earlier in range(band):
        part = (differing >> np.uint64(16 * earlier)) & np.uint64(0xFFFF)
        if count_bits(part) <= radii[earlier]:
            return True
    return False


@njit(cache=True, nogil=True)
def named(found, hashes, rows, others, numbers, band, radii, is_self):
    """Turn places into numbers, without the pairs that an earlier band finds.

    Apart from finding, which has fewer arrays to hold thereby and takes a quarter less time.

    Args:
        found: pairs as place << 32 | place.
        hashes: what the first places are of.
        rows: their numbers.
        others: what the second places are of.
        numbers: their numbers.
        band: which one, from the lowest.
        radii: of each band.
        is_self: both sides are the same: the lower number comes first.

    Returns:
        Pairs as number << 32 | number.
    """
    kept = 0
    for pair in found:
        i, j = pair >> np.uint64(32), pair & np.uint64(0xFFFFFFFF)
        if not is_near_before(hashes[i] ^ others[j], band, radii):
            own, other = np.uint64(rows[i]), np.uint64(numbers[j])
            low, high = (other, own) if is_self and other < own else (own, other)
            found[kept] = low << np.uint64(32) | high
            kept += 1
    return found[:kept].copy()


@njit(cache=True, nogil=True)
def join(hashes, starts, others, buckets, flips, radius, is_self, first_key, last_key):
    """Join the buckets first_key .. last_key of `hashes` with `others`, both in the order of a band.

    Args:
        hashes: one side.
        starts: bucket -> first place among them (and one more).
        others: the other side.
        buckets: as `starts`.
        flips: masks that lead from a bucket to its neighbours.
        radius: of the whole.
        is_self: both sides are the same: each pair once.
        first_key: first bucket.
        last_key: one beyond the last.

    Returns:
        Pairs as place << 32 | place.
    """
    found = np.empty(1024, np.uint64)
    size = 0
    for key in range(first_key, last_key):
        # By stretches: room for whole buckets would be more than there is memory where many hashes are alike.
        for start in range(starts[key], starts[key + 1], STRETCH_ROWS):
            stop = min(start + STRETCH_ROWS, starts[key + 1])
            for flip in flips:
                bucket = key ^ flip
                if is_self and bucket < key:
                    continue  # found from the other side
                first, last = buckets[bucket], buckets[bucket + 1]
                more = (stop - start) * (last - first)
                if size + more > len(found):
                    found = grown(found, size, more)
                if is_self and bucket == key:
                    size = add_own(found, size, hashes, start, stop, last, radius)
                else:
                    size = add_stretch(found, size, hashes, start, stop, others, first, last, radius)
    return found[:size]

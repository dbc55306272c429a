"""The compiled loops of the banded Hamming join; importing this imports numba (some seconds the first time)."""

# Types are numba's to find: its compiled functions have none that mypy could read.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import intrinsic


@intrinsic
def count_bits(typing_context, value):
    """Count the ones of a 64-bit number by the processor's own instruction."""
    return types.int64(types.uint64), lambda context, builder, signature, given: builder.ctpop(given[0])


@njit(cache=True)
def is_near_before(differing, band, radii):
    """Tell whether an earlier band finds the pair too."""
    for earlier in range(band):
        part = (differing >> np.uint64(16 * earlier)) & np.uint64(0xFFFF)
        if count_bits(part) <= radii[earlier]:
            return True
    return False


@njit(cache=True)
def grown(found, size, more):
    """Give an array with room for more."""
    larger = np.empty(max(2 * len(found), size + more), np.uint64)
    larger[:size] = found[:size]
    return larger


@njit(cache=True)
def add_pair(found, size, own, other, differing, bands):
    """Append a pair, unless an earlier band finds it; gives the new size."""
    band, radii, is_self = bands
    if is_near_before(differing, band, radii):
        return size
    low, high = (other, own) if is_self and other < own else (own, other)
    found[size] = np.uint64(low) << np.uint64(32) | np.uint64(high)
    return size + 1


@njit(cache=True)
def add_near(found, size, hashed, own, right, numbers, first, last, radius, bands):
    """Append the pairs of one hash with a stretch of others."""
    for j in range(np.uint64(first), np.uint64(last)):  # unsigned: no index is looked at for being negative
        differing = hashed ^ right[j]
        if count_bits(differing) <= radius:
            size = add_pair(found, size, own, numbers[j], differing, bands)
    return size


@njit(cache=True)
def add_near_four(found, size, four, owns, right, numbers, first, last, radius, bands):
    """Append the pairs of four hashes: each other that is read serves four times.

    Near ones are rare, so that the branch is foretold; counting first without a branch, several at a time, is slower.
    """
    one, two, three, last_one = four
    for j in range(np.uint64(first), np.uint64(last)):
        hashed = right[j]
        least = min(
            min(count_bits(one ^ hashed), count_bits(two ^ hashed)),
            min(count_bits(three ^ hashed), count_bits(last_one ^ hashed)),
        )
        if least <= radius:
            for k in range(4):
                differing = four[k] ^ hashed
                if count_bits(differing) <= radius:
                    size = add_pair(found, size, owns[k], numbers[j], differing, bands)
    return size


@njit(cache=True, nogil=True)
def join(left, right, flips, band, radii, radius, first_key, last_key, is_self):
    """Join the buckets first_key .. last_key of `left` with `right`, both in the order of a band.

    Args:
        left: hashes, their numbers, and bucket -> first place among them (and one more).
        right: as well.
        flips: masks that lead from a bucket to its neighbours.
        band: which 16 bits, from the lowest.
        radii: per band.
        radius: of the whole.
        first_key: first bucket.
        last_key: one beyond the last.
        is_self: both sides are the same: each pair once.

    Returns:
        Pairs as number << 32 | number.
    """
    hashes, rows, starts = left
    others, numbers, buckets = right
    found = np.empty(1024, np.uint64)
    size = 0
    bands = (band, radii, is_self)
    for key in range(first_key, last_key):
        start, stop = starts[key], starts[key + 1]
        if start == stop:
            continue
        for flip in flips:
            bucket = key ^ flip
            first, last = buckets[bucket], buckets[bucket + 1]
            if first == last or (is_self and bucket < key):
                continue  # found from the other side
            is_own = is_self and bucket == key
            i = start
            while i < stop:
                begin = i + 1 if is_own else first
                if size + 4 * (last - begin) > len(found):
                    found = grown(found, size, 4 * (last - begin))
                if is_own or i + 4 > stop:
                    size = add_near(found, size, hashes[i], rows[i], others, numbers, begin, last, radius, bands)
                    i += 1
                else:
                    four = (hashes[i], hashes[i + 1], hashes[i + 2], hashes[i + 3])
                    owns = (rows[i], rows[i + 1], rows[i + 2], rows[i + 3])
                    size = add_near_four(found, size, four, owns, others, numbers, begin, last, radius, bands)
                    i += 4
    return found[:size].copy()

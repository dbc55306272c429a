"""Perceptual hashes with the definitions of the library imagehash, for all views of a picture from one reading.

Shrinking (Lanczos, as Pillow does it) and the DCT are linear: each is a matrix per side, made once per length, and one
product gives all views. The mirrored and turned views cost no further one: mirroring flips the sign of every odd
column of a DCT, a quarter turn transposes it. Bits stand in imagehash's order: row by row, the first one highest.
Pictures with pixels to spare are halved first: the matrices are smooth, so that their sums over pairs read the halved
picture as they would the whole one, with a quarter of the work.
"""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
"""(H, W) luma."""
Floats = NDArray[np.float32]

SIDE_PX = 32
"""imagehash.phash shrinks to 32 x 32 (hash_size 8, highfreq_factor 4) before its DCT."""
_HALVED_FROM_PX = 5 * SIDE_PX
"""Pictures whose shorter side has so many px are halved. Of 3,000 photos 99.67 % are within 2 bits of imagehash then,
99.73 % where none is halved; from 4 * SIDE_PX on it would be 99.60 %."""
CROP_FRAC = 0.9
"""The centre view keeps this share of each side: a copy cropped by 5 % all round then has the whole one's hash."""
PHASH_VIEWS = ("phash", "phash_mirror", "phash_turn90", "phash_turn180", "phash_turn270", "phash_crop")
DHASH_VIEWS = ("dhash", "dhash_mirror", "dhash_crop")
_PLACES = np.arange((8 + 8 + 8 + 8) * (8 + 8 + 9 + 9)).reshape(32, 34)
"""Where in what `_readers` read stand the low DCT of the whole and of the centre, and both shrunk to 8 x 9."""
_PLAIN, _CENTRE, _WHOLE, _INNER = _PLACES[:8, :8], _PLACES[8:16, 8:16], _PLACES[16:24, 16:25], _PLACES[24:, 25:]
_ONES, _ODD = np.ones((8, 8), np.float32), np.where(np.arange(8) % 2, np.float32(-1), np.float32(1))
_LOWS = np.stack([_PLAIN, _PLAIN, _PLAIN.T, _PLAIN, _PLAIN.T, _CENTRE]).reshape(-1, 64)
"""(6, 64) which coefficients make each of PHASH_VIEWS; _SIGNS says with which sign."""
_SIGNS = np.stack(
    [_ONES, _ONES * _ODD, _ONES * _ODD[:, None], np.outer(_ODD, _ODD), _ONES * _ODD, _ONES]
).reshape(-1, 64)  # fmt: skip
_FIRST = np.stack([_WHOLE[:, :-1], _WHOLE[:, 8:0:-1], _INNER[:, :-1]]).reshape(-1, 64)
_SECOND = np.stack([_WHOLE[:, 1:], _WHOLE[:, 7::-1], _INNER[:, 1:]]).reshape(-1, 64)
"""(3, 64) neighbours that each of DHASH_VIEWS compares."""
_HALVED = np.where(np.arange(8) == 0, 0.5, 1.0)
_POWERS = np.asarray(np.outer(_HALVED, _HALVED) / (2 * SIDE_PX * SIDE_PX) ** 2, np.float32).ravel()
"""Square of an unnormalised coefficient -> its share of the variance (Parseval); the mean has none."""
_POWERS[0] = 0
_KEPT_READERS = 1500
"""Matrices that are kept, some 40 kB each: making one takes a third of the time of a decode."""
_COLOUR_BITS = 3
_HUES = 6
_GREY, _BETWEEN, _BLACK = 2 * _HUES, 3 * _HUES, 4 * _HUES
"""Codes of pixels: six faint hues, six bright ones, then these, of which the first two are of any hue."""


def hash_views(gray: Gray) -> tuple[dict[str, int], float]:
    """Hash a picture in all views.

    Args:
        gray: the picture, of any size.

    Returns:
        PHASH_VIEWS and DHASH_VIEWS, 64-bit numbers, and the standard deviation of the luma (0 to 127.5) that the
        lowest 8 x 8 frequencies make, which is all that pHash sees.
        `phash_turn90` is the hash of `np.rot90(gray)`, counter-clockwise, and so on.

    Source: imagehash.phash and imagehash.dhash 4.3.2; without Pillow's rounding between the passes, so within 2 bits.
    """
    height, width = gray.shape
    is_halved = min(height, width) >= _HALVED_FROM_PX
    levels = (_halved(gray) if is_halved else gray).astype(np.float32)
    read = ((_readers(height, 8, is_halved) @ levels) @ _readers(width, 9, is_halved).T).ravel()
    lows = read[_LOWS] * _SIGNS
    ranked = np.sort(lows, axis=1)
    bits = np.empty((len(PHASH_VIEWS) + len(DHASH_VIEWS), 64), np.bool_)
    np.greater(lows, (ranked[:, 31:32] + ranked[:, 32:33]) / 2, out=bits[: len(lows)])
    shrunk = np.rint(read)  # as pixels are: what is flat stays flat
    np.greater(shrunk[_SECOND], shrunk[_FIRST], out=bits[len(lows) :])
    numbers = np.packbits(bits, axis=1).view(">u8")[:, 0].tolist()
    found = dict(zip((*PHASH_VIEWS, *DHASH_VIEWS), numbers, strict=True))
    return found, float(np.sqrt(np.dot(lows[0] * lows[0], _POWERS)))


def colour_hash(rgb: NDArray[np.uint8]) -> int:
    """Hash the shares of black, grey and six hues, faint and bright: 14 numbers of 3 bits, the first one highest.

    Args:
        rgb: (H, W, 3); shares need no detail, so a thinned picture will do.

    Source: imagehash.colorhash 4.3.2 (binbits 3); hues are OpenCV's, which round differently.
    """
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV_FULL).reshape(-1, 3)
    codes = _hue_codes()[hsv[:, 0]] + _saturation_codes()[hsv[:, 1]]
    codes[cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).ravel() < 256 // 8] = _BLACK
    counts = np.bincount(codes, minlength=_BLACK + 1).tolist()
    black, grey = counts[_BLACK], sum(counts[_GREY:_BETWEEN])
    coloured = max(1, len(codes) - black - grey)
    shares = [black / len(codes), grey / len(codes), *(count / coloured for count in counts[: 2 * _HUES])]
    value = 0
    for share in shares:
        value = value << _COLOUR_BITS | min((1 << _COLOUR_BITS) - 1, int(share * (1 << _COLOUR_BITS)))
    return value


@cache
def _hue_codes() -> NDArray[np.int64]:
    """Hue 0..255 -> which sixth of the circle."""
    return np.minimum(np.arange(256) / (255 / _HUES), _HUES - 1).astype(np.int64)


@cache
def _saturation_codes() -> NDArray[np.int64]:
    """Saturation 0..255 -> what is added to the hue's code: faint, bright, grey, or on the border of the first two."""
    values, border = np.arange(256), 256 * 2 // 3
    codes = np.where(values < border, 0, np.where(values > border, _HUES, _BETWEEN))
    return np.where(values < 256 // 3, _GREY, codes)


def _halved(gray: Gray) -> Gray:
    """Take the means of 2 x 2 pixels; of an odd side the last pixel is left out."""
    height, width = (length // 2 for length in gray.shape)
    return np.asarray(
        cv2.resize(gray[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA), np.uint8
    )


@lru_cache(maxsize=_KEPT_READERS)
def _readers(length: int, steps: int, is_halved: bool) -> Floats:
    """All that is read along one side of a picture, as a matrix (16 + 2 * steps, length, or half of it).

    8 rows give the low DCT of the whole, 8 of the centre; then `steps` shrink the whole, and `steps` the centre, for
    differences of neighbours.
    """
    margin = round(length * (1 - CROP_FRAC) / 2)
    boxes = (0, length), (margin, max(margin + 1, length - margin))
    low = [_dct_rows() @ _lanczos(length, box, SIDE_PX) for box in boxes]
    weights = np.concatenate([*low, *(_lanczos(length, box, steps) for box in boxes)])
    if not is_halved:
        return weights
    even = length - length % 2
    halved = weights[:, :even:2] + weights[:, 1:even:2]
    halved[:, -1] += weights[:, even:].sum(axis=1)  # the last takes the odd one in
    return halved


def _lanczos(length: int, box: tuple[int, int], size: int) -> Floats:
    """Weights with which Pillow's Lanczos filter makes `size` pixels of a box, as (size, length)."""
    start, end = box
    weights = np.zeros((size, length), np.float32)
    half = (size + 1) // 2  # the others mirror these
    scale = (end - start) / size
    centres = start + (np.arange(half)[:, None] + 0.5) * scale
    stop = min(end, int(centres[-1, 0] + 3 * max(scale, 1.0)) + 1)
    offsets = (np.arange(start, stop) + 0.5 - centres) / max(scale, 1.0)
    places = np.flatnonzero(np.abs(offsets) < 3)
    angles = offsets.ravel()[places] * (np.pi / 3)
    angles[angles == 0] = 1e-20
    squares = np.sin(angles) ** 2  # sin(3 a) = sin(a) (3 - 4 sin(a)^2): one sine for both of the filter
    read = np.zeros(offsets.shape)
    read.ravel()[places] = squares * (3 - 4 * squares) / (3 * angles**2)
    weights[:half, start:stop] = read / read.sum(axis=1, keepdims=True)
    weights[half:] = weights[: size - half][::-1, ::-1]
    return weights


@cache
def _dct_rows() -> Floats:
    """The 8 lowest rows of the unnormalised DCT-II: (8, 32)."""
    positions = np.arange(SIDE_PX)
    angles = np.pi * np.arange(8)[:, None] * (2 * positions + 1) / (2 * SIDE_PX)
    return np.asarray(2 * np.cos(angles), np.float32)

"""Perceptual hashes with the definitions of the library imagehash, for several views of a picture from one reading.

The DCT is a matrix product, and the mirrored view costs no second one: mirroring flips the sign of every odd column.
Bits stand in imagehash's order: row by row, the first one highest.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE_PX = 32
"""imagehash.phash shrinks to 32 x 32 (hash_size 8, highfreq_factor 4) before its DCT."""


def gray_image(rgb: NDArray[np.uint8]) -> Image.Image:
    """Give Pillow's luma picture, as imagehash makes it.

    Args:
        rgb: (H, W, 3).
    """
    return Image.fromarray(rgb).convert("L")


def shrunk(gray: Image.Image) -> NDArray[np.float64]:
    """Shrink as imagehash.phash does: (32, 32), 0 to 255."""
    return np.asarray(gray.resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS), np.float64)


def phash(small: NDArray[np.float64]) -> tuple[int, int]:
    """Hash a shrunk picture, and its mirror image: two 64-bit numbers.

    Args:
        small: (32, 32) of `shrunk`.

    Source: imagehash.phash 4.3.2; equal to it bit by bit but for ties of rounding (tests).
    """
    low = _dct_rows() @ small @ _dct_rows().T
    return _median_bits(low), _median_bits(low * _MIRROR_SIGNS)


def dhash(gray: Image.Image) -> tuple[int, int]:
    """Hash by differences of neighbours, and the mirror image: two 64-bit numbers.

    Source: imagehash.dhash 4.3.2.
    """
    small = np.asarray(gray.resize((9, 8), Image.Resampling.LANCZOS), np.int16)
    mirrored = small[:, ::-1]
    return pack_bits(small[:, 1:] > small[:, :-1]), pack_bits(mirrored[:, 1:] > mirrored[:, :-1])


def pack_bits(bits: NDArray[np.bool_]) -> int:
    """Pack 64 booleans into a number, the first one highest."""
    return int.from_bytes(np.packbits(bits.ravel()).tobytes(), "big")


def _median_bits(low: NDArray[np.float64]) -> int:
    return pack_bits(low > np.median(low))


_MIRROR_SIGNS = np.where(np.arange(8) % 2, -1.0, 1.0)[None, :]


@cache
def _dct_rows() -> NDArray[np.float64]:
    """The 8 lowest rows of the unnormalised DCT-II: (8, 32)."""
    positions = np.arange(SIDE_PX)
    return 2 * np.cos(np.pi * np.arange(8)[:, None] * (2 * positions + 1) / (2 * SIDE_PX))

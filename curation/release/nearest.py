"""The nearest pictures across two parts: by perceptual hash, by pixels, by embedding; the same on every machine.

Pixels and embeddings are whole numbers, small enough that every sum of products is exact in float32: so neither the
order of additions nor the number of threads changes a distance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_ROWS = 2048
"""Rows of one block: 2048 x 100,000 distances take 200 MB as bytes, four times that as float32."""
_SIDE_PX = 16
"""256 squares of at most 255 sum to less than 2 ** 24: exact in float32."""
_LEVELS = 127
"""Steps of an embedding's value from 0 to 1."""

MEASURES = {
    "phash": "bits of 64 in which the perceptual hashes of the released pictures differ",
    "pixels": f"root mean square over {_SIDE_PX} x {_SIDE_PX} grey levels (0 to 255) of the released pictures",
    "embedding": "1 - cosine of the embeddings of the originals",
}
"""What is measured, and in what."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest pair across two sets, the first such in row order."""

    distance: float
    left: int
    right: int


def picture_facts(body: bytes) -> tuple[int, NDArray[np.uint8]]:
    """Look at a released picture: its 64-bit pHash (imagehash bit order), and (256,) grey levels."""
    import imagehash

    with Image.open(BytesIO(body)) as image:
        phash = int(str(imagehash.phash(image)), 16)
        small = image.convert("L").resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    return phash, np.asarray(small, np.uint8).ravel()


def quantised(embedding: NDArray[np.float32]) -> NDArray[np.int8]:
    """Round vectors of length 1, (N, D), to steps of 1/127."""
    return np.rint(np.clip(embedding, -1, 1) * _LEVELS).astype(np.int8)


def nearest_hash(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> Nearest | None:
    """Find the nearest hashes in bits; None for an empty set."""
    best = None
    for start, block in _blocks(left, len(right)):
        distances = np.bitwise_count(block[:, None] ^ right[None, :])
        best = _better(best, distances, start)
    return best


def nearest_pixels(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> Nearest | None:
    """Find the nearest grey levels, (N, 256) each, by root mean square; None for an empty set."""
    best = None
    values = right.astype(np.float32)
    squares = np.square(values).sum(axis=1)
    for start, block in _blocks(left, len(right)):
        rows = block.astype(np.float32)
        distances = np.square(rows).sum(axis=1)[:, None] + squares[None, :] - 2 * (rows @ values.T)
        best = _better(best, distances, start)
    return best and Nearest(round(float(np.sqrt(best.distance / left.shape[1])), 3), best.left, best.right)


def nearest_embedding(left: NDArray[np.int8], right: NDArray[np.int8]) -> Nearest | None:
    """Find the nearest quantised embeddings, (N, D) each, by cosine; None for an empty set."""
    best = None
    values = right.astype(np.float32)
    lengths = np.sqrt(np.square(values, dtype=np.float64).sum(axis=1)).clip(min=1)
    for start, block in _blocks(left, len(right)):
        rows = block.astype(np.float32)
        own = np.sqrt(np.square(rows, dtype=np.float64).sum(axis=1)).clip(min=1)
        distances = 1 - (rows @ values.T).astype(np.float64) / own[:, None] / lengths[None, :]
        best = _better(best, distances, start)
    return best and Nearest(round(max(0.0, best.distance), 6), best.left, best.right)


def _blocks(left: NDArray[Any], others: int) -> Iterator[tuple[int, NDArray[Any]]]:
    for start in range(0, len(left) if others else 0, _ROWS):
        yield start, left[start : start + _ROWS]


def _better(best: Nearest | None, distances: NDArray[np.generic], start: int) -> Nearest:
    row, column = divmod(int(distances.argmin()), distances.shape[1])
    found = Nearest(float(distances[row, column]), start + row, column)
    return found if best is None or found.distance < best.distance else best

"""Batches of decoded pictures in an order that the seed and the epoch alone decide."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalog.ids import digest


@dataclass(frozen=True, slots=True)
class Examples:
    """What one epoch runs over."""

    rows: NDArray[np.int64]
    """(M, V) rows of the pixel array: V = 1 picture per example, 2 for pairs, 3 for triplets."""
    targets: NDArray[np.generic]
    """(M,) class index, value or 0/1."""


def seed_of(*parts: str | int) -> int:
    """Make a 32-bit seed from names and numbers, so that no two purposes share a stream."""
    return int(digest(list(parts), 8), 16)


def epoch_order(count: int, copies: int, seed: int) -> NDArray[np.int64]:
    """Shuffle the indices of one epoch.

    Returns:
        (count * copies,) each index `copies` times; every copy of the whole stands together, shuffled anew.
    """
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.permutation(count) for _ in range(copies)]).astype(np.int64)


class BatchFeed:
    """One pass over examples, as Lightning takes it.

    Args:
        pixels: (N, C, H, W) uint8.
        examples: what to show.
        batch_size: examples per batch; the last batch may be smaller.
        order: indices into the examples.

    Yields dicts: `image` (B, V, C, H, W) uint8, `target` (B,), `row` (B, V). While one batch is computed on, the next
    is read in a thread, into pinned memory where there is a GPU.
    """

    def __init__(
        self, pixels: NDArray[np.uint8], examples: Examples, batch_size: int, order: NDArray[np.int64] | None = None
    ) -> None:
        self._pixels, self._examples, self._batch_size = pixels, examples, batch_size
        self._order = np.arange(len(examples.rows)) if order is None else order

    def __len__(self) -> int:
        return -(-len(self._order) // self._batch_size)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        pending = None
        with ThreadPoolExecutor(1) as pool:
            for start in range(0, len(self._order), self._batch_size):
                following = pool.submit(self._read, start)
                if pending is not None:
                    yield pending.result()
                pending = following
            if pending is not None:
                yield pending.result()

    def _read(self, start: int) -> dict[str, Tensor]:
        chosen = self._order[start : start + self._batch_size]
        rows = self._examples.rows[chosen]
        batch = {
            "image": torch.from_numpy(self._pixels[rows]),
            "target": torch.from_numpy(self._examples.targets[chosen]),
            "row": torch.from_numpy(rows),
        }
        return {name: value.pin_memory() for name, value in batch.items()} if torch.cuda.is_available() else batch

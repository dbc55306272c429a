"""Exact search among vectors, and what it is worth: the rank of the first right answer, R@K, mean reciprocal rank."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

RANKS = (1, 3, 5, 10, 25, 50, 100)
CHUNK = 512
"""Queries compared at once: 512 x 100,000 float32 are 200 MB."""
NEVER = np.iinfo(np.int64).max
"""Rank of a query that has no match in the gallery."""


def nearest(
    queries: NDArray[np.float32], gallery: NDArray[np.float32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the nearest gallery vectors of each query, exactly.

    Args:
        queries: (Q, D), L2-normalised.
        gallery: (G, D), L2-normalised.
        count: how many; fewer where the gallery is smaller.

    Returns:
        (Q, count) rows of the gallery, nearest first (the first of equals first), and their cosines.
    """
    count = min(count, len(gallery))
    rows = np.empty((len(queries), count), np.int64)
    cosines = np.empty((len(queries), count), np.float32)
    for start in range(0, len(queries), CHUNK):
        similar = queries[start : start + CHUNK] @ gallery.T
        order = np.argsort(-similar, axis=1, kind="stable")[:, :count]
        rows[start : start + CHUNK] = order
        cosines[start : start + CHUNK] = np.take_along_axis(similar, order, axis=1)
    return rows, cosines


def first_match_ranks(
    queries: NDArray[np.float32],
    query_items: NDArray[np.int64],
    gallery: NDArray[np.float32],
    gallery_items: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Rank the nearest right answer of each query among all of the gallery, from 1.

    Args:
        queries: (Q, D), L2-normalised.
        query_items: (Q,) what each shows.
        gallery: (G, D), L2-normalised.
        gallery_items: (G,).

    Returns:
        (Q,) ranks; NEVER where the gallery does not show the item. A wrong answer that is just as near comes first.
    """
    ranks = np.full(len(queries), NEVER, np.int64)
    for start in range(0, len(queries), CHUNK):
        part = slice(start, start + CHUNK)
        similar = queries[part] @ gallery.T
        is_match = query_items[part, np.newaxis] == gallery_items
        best = np.where(is_match, similar, -np.inf).max(axis=1, initial=-np.inf)
        ahead = ((similar >= best[:, np.newaxis]) & ~is_match).sum(axis=1)
        ranks[part] = np.where(np.isfinite(best), ahead + 1, NEVER)
    return ranks


def retrieval_measures(ranks: NDArray[np.int64], gallery_count: int) -> dict[str, Any]:
    """Measure ranks of the first right answers.

    Args:
        ranks: (Q,) from 1, Q > 0; NEVER counts as a miss at every K.
        gallery_count: how many pictures were searched.

    Returns:
        JSON values: `recall_at_K` for K of RANKS, mean reciprocal rank, `loss` (1 - that), counts of queries, of those
        without a match, and of the gallery.
    """
    reciprocal = float(np.where(ranks == NEVER, 0.0, 1.0 / ranks).mean())
    recalls = {f"recall_at_{k}": float((ranks <= k).mean()) for k in RANKS}
    return {
        "count": len(ranks),
        **recalls,
        "mean_reciprocal_rank": reciprocal,
        "loss": 1.0 - reciprocal,
        "lone_count": int((ranks == NEVER).sum()),
        "gallery_count": gallery_count,
    }

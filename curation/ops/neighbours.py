"""Nearest neighbours by cosine, in chunks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CHUNK_ROWS = 1024


def nearest_pairs(
    vectors: NDArray[np.float32], neighbours: int, min_similarity: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """List the pairs in which one is among the other's nearest.

    Args:
        vectors: (N, D), L2-normalised.
        neighbours: how many per row.
        min_similarity: cosine from which a neighbour counts, in [-1, 1].

    Returns:
        (P, 2) pairs i < j, sorted, each once, and their cosines (P,).
    """
    count = min(neighbours, len(vectors) - 1)
    found, cosines = [np.empty((0, 2), np.int64)], [np.empty(0, np.float32)]
    for start in range(0, len(vectors) if count > 0 else 0, _CHUNK_ROWS):
        similarity = vectors[start : start + _CHUNK_ROWS] @ vectors.T
        rows = np.arange(len(similarity))
        similarity[rows, rows + start] = -np.inf
        best = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
        nearest = similarity[rows[:, None], best]
        chosen = nearest >= min_similarity
        found.append(np.stack([np.repeat(rows + start, count)[chosen.ravel()], best[chosen]], axis=1))
        cosines.append(nearest[chosen])
    pairs, first = np.unique(np.sort(np.concatenate(found), axis=1), axis=0, return_index=True)
    return pairs, np.concatenate(cosines)[first]

"""Connected components over names."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


def component_of_pairs(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the components of a graph of `count` nodes.

    Args:
        count: nodes 0 .. count - 1.
        pairs: (P, 2) edges.

    Returns:
        (count,) component numbers.
    """
    # Here, as scipy takes a quarter of a second to load, and where nothing is new nobody calls.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(pairs), np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def component_of_keys(columns: Iterable[Sequence[Hashable | None]]) -> NDArray[np.int64]:
    """Number the components of rows that share a key in any column.

    Args:
        columns: each holds one key per row; None joins nothing.

    Returns:
        (N,) component numbers.
    """
    count = 0
    pairs: list[tuple[int, int]] = []
    for column in columns:
        count = len(column)
        first: dict[Hashable, int] = {}
        for row, key in enumerate(column):
            if key is not None:
                pairs.append((first.setdefault(key, row), row))
    return component_of_pairs(count, np.array(pairs, np.int64).reshape(-1, 2))

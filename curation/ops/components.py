"""Connected components over names."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def component_of_pairs(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the components of a graph of `count` nodes.

    Args:
        count: nodes 0 .. count - 1.
        pairs: (P, 2) edges.

    Returns:
        (count,) component numbers.
    """
    ones = np.ones(len(pairs), np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def component_apart(count: int, pairs: NDArray[np.int64], apart: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """Number the components of a graph in which some nodes must never meet.

    Args:
        count: nodes 0 .. count - 1.
        pairs: (P, 2) edges, the surest first: one that would join two nodes that must stay apart is left out.
        apart: pairs of nodes that no component may hold together.

    Returns:
        (count,) component numbers.
    """
    foes: dict[int, set[int]] = {}
    for a, b in apart:
        foes.setdefault(a, set()).add(b)
        foes.setdefault(b, set()).add(a)
    if not foes:
        return component_of_pairs(count, pairs)
    component = list(range(count))
    members = {node: {node} for node in range(count)}
    for a, b in pairs.tolist():
        large, small = sorted((component[a], component[b]), key=lambda one: -len(members[one]))
        is_barred = any(foes.get(node, set()) & members[large] for node in members[small])
        if large == small or is_barred:
            continue
        for node in members[small]:
            component[node] = large
        members[large] |= members.pop(small)
    return np.array(component, np.int64)


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

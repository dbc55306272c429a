from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.retrieval import NEVER, RANKS, first_match_ranks, nearest, retrieval_measures


def _unit(generator: np.random.Generator, count: int) -> np.ndarray:
    vectors = generator.normal(size=(count, 3)).round(1) + 0.01
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _naive_rank(query: np.ndarray, item: int, gallery: np.ndarray, items: np.ndarray) -> int:
    similar = [float(query @ other) for other in gallery]
    matches = [value for value, other in zip(similar, items, strict=True) if other == item]
    if not matches:
        return int(NEVER)
    return 1 + sum(value >= max(matches) for value, other in zip(similar, items, strict=True) if other != item)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 30))
def test_ranks_are_those_of_the_loop(seed: int, queries: int, gallery: int) -> None:
    generator = np.random.default_rng(seed)
    # Small whole numbers: products are exact, so that ties are ties in any order of summation.
    query_vectors = generator.integers(-3, 4, (queries, 3)).astype(np.float32)
    gallery_vectors = generator.integers(-3, 4, (gallery, 3)).astype(np.float32)
    query_items, gallery_items = generator.integers(0, 6, queries), generator.integers(0, 6, gallery)
    ranks = first_match_ranks(query_vectors, query_items, gallery_vectors, gallery_items)
    expected = [
        _naive_rank(query, item, gallery_vectors, gallery_items)
        for query, item in zip(query_vectors, query_items, strict=True)
    ]
    assert ranks.tolist() == expected
    measures = retrieval_measures(ranks, gallery)
    for k in RANKS:
        assert measures[f"recall_at_{k}"] == sum(rank <= k for rank in expected) / queries
    assert measures["lone_count"] == sum(item not in gallery_items for item in query_items)


def test_chunks_make_no_difference_and_the_nearest_come_first() -> None:
    generator = np.random.default_rng(5)
    queries, gallery = _unit(generator, 1100), _unit(generator, 40)
    rows, cosines = nearest(queries, gallery, 4)
    for index in (0, 511, 512, 1099):
        similar = gallery @ queries[index]
        assert rows[index].tolist() == np.argsort(-similar, kind="stable")[:4].tolist()
        assert np.allclose(cosines[index], np.sort(similar)[::-1][:4], atol=1e-6)
    assert nearest(queries, gallery[:2], 5)[0].shape == (1100, 2)

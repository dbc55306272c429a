from __future__ import annotations

import numpy as np

from curation.ops import neighbours
from curation.ops.neighbours import nearest_pairs


def test_equals_the_naive_sort(monkeypatch):
    random = np.random.default_rng(0)
    vectors = random.normal(size=(50, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = set()
    for i in range(50):
        others = sorted((j for j in range(50) if j != i), key=lambda j: -float(vectors[i] @ vectors[j]))
        expected |= {(min(i, j), max(i, j)) for j in others[:3] if vectors[i] @ vectors[j] >= 0.5}
    monkeypatch.setattr(neighbours, "_CHUNK_ROWS", 7)
    pairs, cosines = nearest_pairs(vectors, 3, 0.5)
    assert {tuple(pair) for pair in pairs.tolist()} == expected
    np.testing.assert_allclose(cosines, [vectors[i] @ vectors[j] for i, j in pairs], rtol=1e-6)


def test_one_picture_has_no_neighbour():
    assert [len(found) for found in nearest_pairs(np.ones((1, 4), np.float32), 5, 0.0)] == [0, 0]

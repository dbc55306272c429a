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
    assert {tuple(pair) for pair in nearest_pairs(vectors, 3, 0.5).tolist()} == expected


def test_one_picture_has_no_neighbour():
    assert nearest_pairs(np.ones((1, 4), np.float32), 5, 0.0).shape == (0, 2)

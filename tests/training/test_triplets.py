from __future__ import annotations

import numpy as np
import torch

from training.triplets import batch_triplet_loss, choose_triplets, triplet_loss


def _vectors(seed: int, *shape: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def _squared(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a.astype(np.float64) - b) ** 2).sum())


def test_the_loss_is_that_of_the_loop() -> None:
    vectors = _vectors(1, 9, 3, 4)
    expected = [max(0.0, _squared(a, p) - _squared(a, n) + 0.3) for a, p, n in vectors]
    assert np.isclose(float(triplet_loss(torch.from_numpy(vectors), 0.3)), np.mean(expected), atol=1e-6)


def test_the_loss_of_a_batch_is_that_of_the_loop() -> None:
    vectors, items = _vectors(2, 12, 2, 3), np.random.default_rng(2).integers(0, 5, 12)
    losses = []
    for index, (anchor, positive) in enumerate(vectors):
        near = _squared(anchor, positive)
        far = [_squared(anchor, vectors[j, 1]) for j in range(12) if items[j] != items[index]]
        beyond = [distance for distance in far if distance > near]
        losses.append(max(0.0, near - (min(beyond) if beyond else max(far)) + 0.3))
    found = batch_triplet_loss(torch.from_numpy(vectors), torch.from_numpy(items), 0.3)
    assert np.isclose(float(found), np.mean(losses), atol=1e-5)
    alone = batch_triplet_loss(torch.from_numpy(vectors), torch.zeros(12, dtype=torch.int64), 0.3)
    assert float(alone) == 0.0, "a batch of one item has no negatives"


def test_triplets_cross_the_domains_and_their_negatives_are_those_of_the_loop() -> None:
    vectors, random = _vectors(3, 60, 3), np.random.default_rng(3)
    items, is_anchor = random.integers(0, 8, 60), random.random(60) < 0.5
    triplets = choose_triplets(vectors, items, is_anchor, 100, 0.3, random)
    assert triplets.shape == (100, 3)
    others = [index for index in range(60) if not is_anchor[index]]
    for anchor, positive, negative in triplets:
        assert (is_anchor[anchor], is_anchor[positive], is_anchor[negative]) == (True, False, False)
        assert items[anchor] == items[positive] != items[negative]
        near = _squared(vectors[anchor], vectors[positive])
        far = {j: _squared(vectors[anchor], vectors[j]) for j in others if items[j] != items[anchor]}
        beyond = {j: distance for j, distance in far.items() if distance > near}
        expected = min(beyond, key=beyond.__getitem__) if beyond else max(far, key=far.__getitem__)
        assert np.isclose(far[negative], far[expected], atol=1e-5)
    counts = np.unique(triplets[:, 0], return_counts=True)[1]
    assert counts.max() - counts.min() <= 1, "every anchor comes equally often"
    assert len(set(map(tuple, triplets.tolist()))) > 60, "positives are drawn anew"


def test_there_is_nothing_to_choose_without_a_second_item_or_domain() -> None:
    vectors, random = _vectors(4, 4, 3), np.random.default_rng(4)
    one_item = choose_triplets(vectors, np.zeros(4, int), np.array([True, False, True, False]), 5, 0.3, random)
    one_domain = choose_triplets(vectors, np.arange(4), np.ones(4, bool), 5, 0.3, random)
    assert one_item.shape == one_domain.shape == (0, 3)

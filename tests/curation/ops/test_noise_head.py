from __future__ import annotations

import numpy as np
import pytest

from curation.ops.estimates import estimate, wilson_interval
from curation.ops.noise_head import (
    cluster_weights,
    diverse_order,
    fit_head,
    midway,
    nearest_similarity,
    precise_threshold,
    recalling_threshold,
)


def blobs(counts: list[int], seed: int = 0) -> np.ndarray:
    """Unit vectors around different axes, so many around each."""
    random = np.random.default_rng(seed)
    points = [random.normal(0, 0.12, (count, 12)) + np.eye(12)[axis] for axis, count in enumerate(counts)]
    rows = np.vstack(points)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_new_kind_of_noise_is_learnt_from_ten_labels():
    """Kinds 0 and 1 are good, 2 is noise by 200 labels, 3 by ten; 3 lies on the side of the good."""
    vectors = blobs([150, 150, 200, 60])
    vectors[500:] = vectors[500:] + 0.8 * vectors[:60]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    is_noise = np.repeat([False, True], [300, 260])
    known = np.r_[0:510]
    head, crossed = fit_head(vectors[known], is_noise[known], known)
    assert (head.probs(vectors[510:]) > 0.5).mean() > 0.9
    assert (head.probs(vectors[:300]) > 0.5).mean() < 0.05
    assert np.mean((crossed > 0.5) == is_noise[known]) > 0.95


def test_clusters_and_classes_weigh_the_same():
    vectors = blobs([100, 10, 40])
    is_noise = np.repeat([True, True, False], [100, 10, 40])
    weights = cluster_weights(vectors, is_noise)
    assert weights.mean() == pytest.approx(1)
    assert weights[is_noise].sum() == pytest.approx(weights[~is_noise].sum())
    assert weights[100:110].mean() > 2 * weights[:100].mean()


def test_no_fold_parts_a_group():
    """Every picture stands twice under one group: a fold that parted them would know the answer by heart."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(60, 200))
    twice, labels = np.vstack([vectors, vectors]), np.tile(random.random(60) < 0.5, 2)
    _, crossed = fit_head(twice, labels, np.tile(np.arange(60), 2))
    assert abs(np.mean((crossed > 0.5) == labels) - 0.5) < 0.25
    _, leaking = fit_head(twice, labels, np.arange(120))
    assert np.mean((leaking > 0.5) == labels) > 0.9


@pytest.mark.parametrize("seed", range(5))
def test_thresholds_are_those_of_the_plain_loop(seed):
    random = np.random.default_rng(seed)
    probs, truth = random.random(40).round(1), random.random(40) < 0.5
    cuts = sorted(set(probs))
    precise = [cut for cut in cuts if truth[probs >= cut].mean() >= 0.6]
    assert precise_threshold(probs, truth, 0.6) == (precise[0] if precise else np.inf)
    assert ((probs >= midway(probs, 0.5)) == (probs >= 0.5)).all()
    recalling = [cut for cut in cuts if (probs[truth] >= cut).mean() >= 0.7]
    assert recalling_threshold(probs, truth, 0.7) == recalling[-1]


def test_order_takes_doubtful_ones_that_differ():
    vectors = blobs([30, 30, 30])
    doubt = np.repeat([1.0, 0.9, 0.1], 30)
    first = diverse_order(vectors, doubt, vectors[:0], 10)
    assert sorted(first) == list(range(90))
    assert set(first[:2] // 30) == {0, 1}
    # What is near the labelled ones waits, however doubtful.
    assert diverse_order(vectors, doubt, vectors[:30], 10)[0] // 30 == 1


def test_nearest_similarity_leaves_out_ones_own():
    vectors = np.eye(3)[[0, 0, 1]]
    own = np.eye(3, dtype=bool)
    assert nearest_similarity(vectors, vectors, own).tolist() == [1.0, 1.0, 0.0]
    assert nearest_similarity(vectors, vectors[:0]).tolist() == [-1.0] * 3


def test_estimates():
    assert estimate([]) is None
    found = estimate([True] * 9 + [False])
    assert (found.frac, found.count) == (0.9, 10)
    assert (found.low_frac, found.high_frac) == pytest.approx(wilson_interval(9, 10))
    assert wilson_interval(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)

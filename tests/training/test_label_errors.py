from __future__ import annotations

import numpy as np

from training.label_errors import doubted, out_of_fold_probs


def test_planted_wrong_labels_are_doubted_and_few_right_ones() -> None:
    random = np.random.default_rng(1)
    truth = np.repeat(np.arange(3), 60)
    features = (np.eye(3)[truth].repeat(20, axis=1) * 2 + random.normal(size=(180, 60))).astype(np.float32)
    labels, wrong = truth.copy(), random.choice(180, 12, replace=False)
    labels[wrong] = (truth[wrong] + 1) % 3
    probs = out_of_fold_probs(features, labels, np.arange(180), 5, 1)
    assert np.allclose(probs.sum(axis=1), 1)
    suggested = doubted(probs, labels)
    found = np.flatnonzero(suggested >= 0)
    assert len(set(found) & set(wrong)) >= 10
    assert len(set(found) - set(wrong)) <= 8
    assert (suggested[np.intersect1d(found, wrong)] == truth[np.intersect1d(found, wrong)]).mean() > 0.9


def test_no_sample_is_judged_by_its_own_group() -> None:
    # Every group bears one label and features of its own: a classifier that saw the group would be sure.
    random = np.random.default_rng(2)
    groups = np.repeat(np.arange(40), 4)
    features = random.normal(size=(40, 20)).astype(np.float32)[groups] * 5
    targets = random.integers(0, 2, 40)[groups]
    probs = out_of_fold_probs(features, targets, groups, 5, 1)
    own = probs[np.arange(160), targets]
    assert abs(own.mean() - 0.5) < 0.2


def test_doubt_is_that_of_the_loop() -> None:
    random = np.random.default_rng(3)
    probs, labels = random.dirichlet(np.ones(4), 50), random.integers(0, 4, 50)
    usual = [np.mean([row[k] for row, own in zip(probs, labels, strict=True) if own == k]) for k in range(4)]
    for row, own, found in zip(probs, labels, doubted(probs, labels), strict=True):
        able = [k for k in range(4) if row[k] >= usual[k]]
        best = max(able, key=lambda k: row[k]) if able else own
        assert found == (best if best != own else -1)

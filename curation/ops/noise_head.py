"""A linear head that tells noise from good pictures: fit, calibration, thresholds, all plain numerics.

The head is a logistic regression on a frozen embedding and a few cheap signals. Within each class every cluster of
look-alikes weighs the same, so that ten pictures of a new kind of noise count as much as three hundred of an old one.
Platt's calibration and all thresholds stand on cross-validated margins; cross-validation never parts a group.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FOLDS = 5
_C = 100.0
"""Inverse regularisation. Measured on the real photos of benchmarks/bench_noise.py: with 100 a kind of noise known by
ten labels is found as often as with 1,000, more often than with 10 (0.75 against 0.65), the known kinds alike."""
_CLUSTERS_MAX = 24
_CLUSTER_PICTURES = 5
"""A class of fewer than twice as many pictures is one cluster."""


@dataclass(frozen=True, slots=True)
class Head:
    """A fitted head: probability of noise = sigmoid(slope * (features @ weights + bias) + offset)."""

    weights: Floats
    """(F,)."""
    bias: float
    slope: float
    """Of Platt's calibration."""
    offset: float

    def margins(self, features: Floats) -> Floats:
        """Distance from the border, above 0 on the side of noise: (N,)."""
        return features @ self.weights + self.bias

    def probs(self, features: Floats) -> Floats:
        """Calibrated probability of noise: (N,) in (0, 1)."""
        return _sigmoid(self.slope * self.margins(features) + self.offset)

    def to_json(self) -> dict[str, Any]:
        """Give the numbers as JSON values."""
        numbers = {"bias": self.bias, "slope": self.slope, "offset": self.offset}
        return {"weights": [float(f"{weight:.9g}") for weight in self.weights], **numbers}


def fit_head(features: Floats, is_noise: Bools, groups: NDArray[Any]) -> tuple[Head, Floats]:
    """Fit a head.

    Args:
        features: (N, F) of labelled pictures.
        is_noise: (N,) their labels, both present.
        groups: (N,) what cross-validation must not part: subjects, or what else makes pictures alike.

    Returns:
        The head, and the cross-validated probability of each labelled picture.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    weights = cluster_weights(features, is_noise)

    def fitted(rows: NDArray[np.int64]) -> LogisticRegression:
        model = LogisticRegression(C=_C, max_iter=2000)
        return model.fit(features[rows], is_noise[rows], sample_weight=weights[rows])

    margins = np.zeros(len(features))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for train, test in folds.split(features, is_noise, groups):
        # Where the other folds lack a class nothing can be learnt: the margin stays 0.
        if len(set(is_noise[train])) == 2:
            margins[test] = fitted(train).decision_function(features[test])
    calibration = LogisticRegression(C=1.0).fit(margins[:, None], is_noise)
    model = fitted(np.arange(len(features)))
    head = Head(
        weights=np.asarray(model.coef_[0], np.float64),
        bias=float(model.intercept_[0]),
        slope=float(calibration.coef_[0, 0]),
        offset=float(calibration.intercept_[0]),
    )
    return head, _sigmoid(head.slope * margins + head.offset)


def cluster_weights(features: Floats, is_noise: Bools) -> Floats:
    """Weigh labelled pictures so that both classes, and within each all clusters of look-alikes, count the same.

    Returns:
        (N,) weights with mean 1.

    Source: measured on the real photos of benchmarks/bench_noise.py: of fabric close-ups known by ten labels 0.83 are
    found instead of 0.75, with no loss elsewhere.
    """
    from sklearn.cluster import KMeans

    weights = np.empty(len(features))
    for rows in (np.flatnonzero(is_noise), np.flatnonzero(~is_noise)):
        count = max(1, min(_CLUSTERS_MAX, len(rows) // _CLUSTER_PICTURES))
        clusters = KMeans(count, n_init=1, random_state=0).fit_predict(features[rows])
        sizes = np.bincount(clusters, minlength=count)
        share = 1.0 / sizes[clusters]
        weights[rows] = share / share.sum() * len(features) / 2
    return weights


def precise_threshold(probs: Floats, is_hit: Bools, precision: float) -> float:
    """Lowest threshold from which on the share of hits among what reaches it is at least `precision`.

    Args:
        probs: (N,) cross-validated.
        is_hit: (N,) the truth.
        precision: in [0, 1].

    Returns:
        The threshold, a value of `probs`; infinite where none does.
    """
    return _lowest(probs, is_hit, lambda hits, total: hits / total >= precision)


def midway(probs: Floats, threshold: float) -> float:
    """Move a threshold halfway to the next lower probability: it decides the same, and new pictures more evenly."""
    lower = probs[probs < threshold]
    return (threshold + (float(lower.max()) if len(lower) else 0.0)) / 2


def recalling_threshold(probs: Floats, is_hit: Bools, recall: float) -> float:
    """Highest threshold that at least the share `recall` of the hits reaches; arguments as in `precise_threshold`."""
    ranked = np.sort(probs[is_hit])[::-1]
    needed = max(1, math.ceil(recall * len(ranked) - 1e-9))
    return float(ranked[needed - 1]) if len(ranked) else math.inf


def _lowest(probs: Floats, is_hit: Bools, holds: Callable[[Floats, Floats], Bools]) -> float:
    order = np.argsort(-probs, kind="stable")
    good = holds(np.cumsum(is_hit[order]).astype(np.float64), np.arange(1, len(order) + 1, dtype=np.float64))
    # Equal probabilities are decided together: only the last of them is a cut.
    is_cut = np.append(np.diff(probs[order]) != 0, True)
    places = np.flatnonzero(good & is_cut)
    return float(probs[order][places[-1]]) if len(places) else math.inf


def nearest_similarity(vectors: Floats, others: Floats, is_same: Bools | None = None) -> Floats:
    """Cosine similarity to the nearest of others.

    Args:
        vectors: (N, D), length 1.
        others: (M, D), length 1.
        is_same: (N, M) pairs that do not count: a picture is no neighbour of its own group.

    Returns:
        (N,) in [-1, 1]; -1 where there is none.
    """
    if not len(others):
        return np.full(len(vectors), -1.0)
    nearest = np.empty(len(vectors))
    for start in range(0, len(vectors), 4096):
        rows = slice(start, start + 4096)
        similarity = vectors[rows] @ others.T
        nearest[rows] = (similarity if is_same is None else np.where(is_same[rows], -1.0, similarity)).max(axis=1)
    return nearest


def diverse_order(vectors: Floats, doubt: Floats, known: Floats, count: int) -> NDArray[np.int64]:
    """Order pictures so that each next one is both doubtful and unlike those before it.

    Args:
        vectors: (N, D), length 1.
        doubt: (N,) in [0, 1], how little is known of each.
        known: (M, D) labelled ones, from which the first are to differ.
        count: how many to order so; the rest follows by doubt.

    Returns:
        (N,) row numbers, best first.

    Source: greedy k-centre (O. Sener, S. Savarese, ICLR 2018), weighted by uncertainty.
    """
    by_doubt = np.lexsort((np.arange(len(doubt)), -doubt))
    pool = by_doubt[: 10 * count]
    distance = 1.0 - nearest_similarity(vectors[pool], known) if len(known) else np.ones(len(pool))
    chosen: list[int] = []
    is_open = np.ones(len(pool), bool)
    for _ in range(min(count, len(pool))):
        place = int(np.argmax(np.where(is_open, doubt[pool] * distance, -1.0)))
        chosen.append(int(pool[place]))
        is_open[place] = False
        distance = np.minimum(distance, 1.0 - vectors[pool] @ vectors[pool[place]])
    taken = set(chosen)
    return np.array([*chosen, *(int(row) for row in by_doubt if int(row) not in taken)], np.int64)


def _sigmoid(values: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -60.0, 60.0)))

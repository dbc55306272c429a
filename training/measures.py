"""What outputs are worth, in plain NumPy: accuracy and confusion of classes, correlation and error of numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Turn (..., K) logits into probabilities that sum to 1 along the last axis."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def confusion_matrix(targets: NDArray[np.int64], predicted: NDArray[np.int64], class_count: int) -> NDArray[np.int64]:
    """Count (K, K) samples: row = true class, column = predicted class."""
    matrix = np.zeros((class_count, class_count), np.int64)
    np.add.at(matrix, (targets, predicted), 1)
    return matrix


def wilson_interval(hits: int, count: int) -> tuple[float, float]:
    """Give the 95 % interval of a share.

    Source: Wilson, JASA 22 (1927) 209-212.
    """
    z = 1.959964
    share, spread = hits / count, z * z / count
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def classification_measures(
    logits: NDArray[np.floating[Any]], targets: NDArray[np.int64], classes: tuple[str, ...]
) -> dict[str, Any]:
    """Measure predictions against the truth.

    Args:
        logits: (N, K), N > 0.
        targets: (N,) class indices.
        classes: names of the K classes.

    Returns:
        JSON values: accuracy with its 95 % interval, `chance_frac` (1 / K), `majority_frac` (what always naming the
        commonest class would reach), loss, per class precision, recall, F1 and counts, and the confusion matrix.
    """
    probs = softmax(logits)
    predicted = probs.argmax(axis=1)
    matrix = confusion_matrix(targets, predicted, len(classes))
    count, hits = int(matrix.sum()), int(np.trace(matrix))
    low, high = wilson_interval(hits, count)
    true_probs = probs[np.arange(count), targets]
    per_class = {name: _class_measures(matrix, index) for index, name in enumerate(classes)}
    return {
        "count": count,
        "accuracy": hits / count,
        "accuracy_low": low,
        "accuracy_high": high,
        "chance_frac": 1 / len(classes),
        "majority_frac": float(matrix.sum(axis=1).max() / count),
        "macro_f1": float(np.mean([values["f1"] for values in per_class.values()])),
        "loss": float(-np.log(np.maximum(true_probs, 1e-12)).mean()),
        "per_class": per_class,
        "confusion": matrix.tolist(),
    }


def _class_measures(matrix: NDArray[np.int64], index: int) -> dict[str, float | int]:
    hits = int(matrix[index, index])
    real, predicted = int(matrix[index].sum()), int(matrix[:, index].sum())
    return {
        "count": real,
        "predicted_count": predicted,
        "precision": hits / predicted if predicted else 0.0,
        "recall": hits / real if real else 0.0,
        "f1": 2 * hits / (real + predicted) if real + predicted else 0.0,
    }


def running_mean(values: NDArray[np.floating[Any]], window: int) -> NDArray[np.float64]:
    """Average each value with those before it, up to `window` in all; (N,) in, (N,) out."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def regression_measures(predicted: NDArray[np.float64], targets: NDArray[np.float64]) -> dict[str, Any]:
    """Measure predicted numbers against the truth.

    Args:
        predicted: (N,), N > 0.
        targets: (N,).

    Returns:
        JSON values: count, `pearson` (0 where either side is constant), `mae` and `rmse` in the target's unit.
    """
    errors = predicted - targets
    spread = float(predicted.std() * targets.std())
    covariance = float(((predicted - predicted.mean()) * (targets - targets.mean())).mean())
    return {
        "count": len(targets),
        "pearson": covariance / spread if spread else 0.0,
        "mae": float(np.abs(errors).mean()),
        "rmse": float(np.sqrt((errors**2).mean())),
    }


def calibrate(values: NDArray[np.floating[Any]], is_same: NDArray[np.int64]) -> tuple[float, float]:
    """Fit the probability of `same` to values that grow with it: sigmoid(slope * (value - threshold)).

    Args:
        values: (M,) similarities or logits.
        is_same: (M,) 0 or 1, both present.

    Returns:
        slope (> 0) and threshold, at which the probability is one half. All pairs pull on the threshold, so that it
        depends less on a few of them than the one that happens to make the fewest mistakes.

    Source: J. Platt, Probabilistic outputs for support vector machines (1999); fitted by Newton's method with a small
    ridge, so that parted values give a finite slope.
    """
    centre, spread = float(values.mean()), float(values.std()) or 1.0
    columns = np.stack([(values - centre) / spread, np.ones(len(values))], axis=1).astype(np.float64)
    weights = np.zeros(2)
    for _ in range(100):
        probs = 1 / (1 + np.exp(-np.clip(columns @ weights, -500, 500)))
        gradient = columns.T @ (probs - is_same) + 1e-3 * weights
        curvature = (columns * (probs * (1 - probs))[:, None]).T @ columns + 1e-3 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step * min(1.0, 2.0 / float(np.abs(step).max() or 1.0))
        if np.abs(step).max() < 1e-9:
            break
    slope = max(float(weights[0]), 1e-6)
    return slope / spread, centre - float(weights[1]) / slope * spread


def roc_curve(
    values: NDArray[np.floating[Any]], is_same: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the share of wrong and of right acceptances as the threshold falls, both from 0 to 1."""
    order = np.argsort(-values, kind="stable")
    hits = is_same[order].astype(np.float64)
    # One point per distinct value: within a tie no threshold can tell.
    last = np.append(np.flatnonzero(np.diff(values[order])), len(order) - 1)
    right = np.cumsum(hits)[last] / max(hits.sum(), 1)
    wrong = np.cumsum(1 - hits)[last] / max((1 - hits).sum(), 1)
    return np.concatenate([[0.0], wrong]), np.concatenate([[0.0], right])


def _balanced(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Average the shares of same and of different pairs that are recognised; 0.5 is chance however many there are."""
    shares = [float((predicted[truth == side] == side).mean()) for side in (True, False) if (truth == side).any()]
    return float(np.mean(shares))


def verification_measures(
    values: NDArray[np.floating[Any]], is_same: NDArray[np.int64], slope: float, threshold: float
) -> dict[str, Any]:
    """Measure answers to `do both show the same?`.

    Args:
        values: (M,) similarities or logits, M > 0.
        is_same: (M,) 0 or 1.
        slope: of `calibrate`, fitted on other pairs.
        threshold: likewise; larger values are called the same.

    Returns:
        JSON values: accuracy with its 95 % interval, error_frac, balanced accuracy, precision, recall and F1 of
        `same`, auc, the error
        where both kinds of mistake are equally frequent, loss (mean negative log probability), shares of same pairs in
        truth and prediction.
    """
    predicted = values > threshold
    truth = is_same.astype(bool)
    count, hits = len(truth), int((predicted == truth).sum())
    low, high = wilson_interval(hits, count)
    right, named, real = int((predicted & truth).sum()), int(predicted.sum()), int(truth.sum())
    wrong_frac, right_frac = roc_curve(values, is_same)
    logits = slope * (values.astype(np.float64) - threshold)
    crossing = int(np.argmin(np.abs(wrong_frac - (1 - right_frac))))
    return {
        "count": count,
        "accuracy": hits / count,
        "accuracy_low": low,
        "accuracy_high": high,
        "error_frac": 1 - hits / count,
        "balanced_accuracy": _balanced(predicted, truth),
        "precision": right / named if named else 0.0,
        "recall": right / real if real else 0.0,
        "f1": 2 * right / (named + real) if named + real else 0.0,
        "auc": float(np.trapezoid(right_frac, wrong_frac)),
        "equal_error_frac": float((wrong_frac[crossing] + 1 - right_frac[crossing]) / 2),
        "loss": float(np.logaddexp(0, np.where(truth, -logits, logits)).mean()),
        "same_frac": real / count,
        "predicted_same_frac": named / count,
    }

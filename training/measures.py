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

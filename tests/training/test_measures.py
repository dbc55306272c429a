from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.measures import classification_measures, running_mean, wilson_interval
from training.tasks.classification import top_answers


@given(st.integers(1, 40), st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_measures_equal_plain_loops(count: int, class_count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 3, (count, class_count)).astype(np.float32)
    targets = generator.integers(0, class_count, count)
    classes = tuple("abcde"[:class_count])
    found = classification_measures(logits, targets, classes)

    confusion = [[0] * class_count for _ in range(class_count)]
    loss = 0.0
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        confusion[target][row.index(max(row))] += 1
        loss -= math.log(max(math.exp(row[target]) / sum(math.exp(value) for value in row), 1e-12))
    assert found["confusion"] == confusion
    assert found["accuracy"] == sum(confusion[i][i] for i in range(class_count)) / count
    assert math.isclose(found["loss"], loss / count, rel_tol=1e-6, abs_tol=1e-9)
    assert found["majority_frac"] == max(sum(row) for row in confusion) / count
    for index, name in enumerate(classes):
        hits, real = confusion[index][index], sum(confusion[index])
        predicted = sum(row[index] for row in confusion)
        measures = found["per_class"][name]
        assert measures["recall"] == (hits / real if real else 0)
        assert measures["precision"] == (hits / predicted if predicted else 0)
        assert (measures["count"], measures["predicted_count"]) == (real, predicted)


def test_wilson_interval_against_published_values() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    for hits, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        found = wilson_interval(hits, count)
        assert np.allclose(found, (low, high), atol=5e-5)


def test_running_mean_equals_a_loop() -> None:
    values = np.random.default_rng(1).normal(size=37)
    expected = [np.mean(values[max(0, index - 4) : index + 1]) for index in range(37)]
    assert np.allclose(running_mean(values, 5), expected)


def test_top_answers_are_the_surest_of_each_kind() -> None:
    probs = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8], [0.45, 0.55], [0.8, 0.2]])
    targets = np.array([0, 0, 1, 0, 0, 0])
    assert top_answers(probs, targets, 0, 2) == {
        "true positives": [0, 5],
        "false positives": [2],
        "false negatives": [3, 4],
    }

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch

from catalog.errors import UsageError
from catalog.paths import DataRoot
from catalog.release_format import Release
from training import inference
from training.measures import regression_measures
from training.predict import Predictor
from training.tasks.regression import RegressionTask
from training.train import train

Make = Callable[..., Release]
NOW = "2026-11-21T05:00:00Z"
OVERRIDES = ("machine.threads=1", "machine.accelerator=cpu", "phases.train.epochs=8", "phases.train.patience=0",
             "augment.copies=2", "augment.rotation_deg=2", "augment.zoom_frac=0.02", "batch_size=16",
             "phases.train.learning_rate=0.002")  # fmt: skip


def with_targets(release: Release) -> Release:
    """Rate each picture by the height of its bar: 1 to 4."""
    samples = release.samples()
    heights = {name: float(index + 1) for index, name in enumerate(sorted(set(samples["label"])))}
    samples.assign(target=samples["label"].map(heights), label="").to_parquet(release.folder / "samples.parquet")
    return release


def test_a_planted_rating_is_learned(make_release: Make, root: DataRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "TRAIN_SHOWN_COUNT", 30)
    release = with_targets(make_release(per_class={"train": 10, "validation": 4, "test": 6}))
    result = train("regression", release, root, overrides=OVERRIDES, now=NOW)
    test = result.metrics["parts"]["test"]
    assert test["pearson"] > 0.9
    assert test["mae"] < 0.6
    # Of a large train part some stand for all, from its first picture to its last.
    answers = pd.read_parquet(result.folder / "predictions.parquet")
    trained = release.samples().query("split == 'train'")["sample_id"].to_list()
    shown = answers.loc[answers["split"] == "train", "sample_id"].to_list()
    assert len(trained) == 40
    assert len(shown) == len(set(shown)) == result.metrics["parts"]["train"]["count"] == 30
    assert (shown[0], shown[-1]) == (trained[0], trained[-1])
    assert (answers["split"] == "test").sum() == 24
    page = result.report_path.read_text()
    assert all(words in page for words in ("Pearson correlation", "Too high", f"{test['rmse']:.4f}"))
    predictor = Predictor(result.model_folder)
    bright = np.full((72, 72, 3), 45, np.uint8)
    low, high = bright.copy(), bright.copy()
    low[6:18, 12:60], high[54:66, 12:60] = 200, 200
    below, above = (predictor.predict(image) for image in (low, high))
    assert below["value"] + 1 < above["value"]
    assert 0 <= below["below_frac"] < above["below_frac"] <= 1


def test_measures_and_loss_equal_plain_loops() -> None:
    generator = np.random.default_rng(2)
    outputs, targets = generator.normal(size=(23, 1)).astype(np.float32), generator.normal(3, 0.7, 23)
    task = RegressionTask(3.0, 0.5, (1.0, 5.0))
    values = [float(row[0]) * 0.5 + 3.0 for row in outputs]
    errors = [value - target for value, target in zip(values, targets, strict=True)]
    mean_v, mean_t = sum(values) / 23, sum(targets) / 23
    upper = sum((v - mean_v) * (t - mean_t) for v, t in zip(values, targets, strict=True))
    lower = math.sqrt(sum((v - mean_v) ** 2 for v in values) * sum((t - mean_t) ** 2 for t in targets))
    found = regression_measures(task.values(outputs), targets)
    assert found["pearson"] == pytest.approx(upper / lower)
    assert found["mae"] == pytest.approx(sum(abs(error) for error in errors) / 23)
    assert found["rmse"] == pytest.approx(math.sqrt(sum(error**2 for error in errors) / 23))
    loss = task.loss(torch.from_numpy(outputs), torch.from_numpy(targets))
    assert float(loss) == pytest.approx(sum(error**2 for error in errors) / 23 / 0.25, rel=1e-5)
    assert regression_measures(np.ones(4), targets[:4])["pearson"] == 0.0


def test_samples_without_target_are_counted(make_release: Make, root: DataRoot) -> None:
    with pytest.raises(UsageError, match="60 of 60 samples have no target"):
        train("regression", make_release(), root, now=NOW)

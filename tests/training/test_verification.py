from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from catalog.errors import UsageError
from catalog.paths import DataRoot
from catalog.release_format import Release, file_sha256
from training.config import ModelConfig
from training.embedding import SiameseModel, create_embedding_model
from training.measures import calibrate, roc_curve, verification_measures
from training.protocol import best_threshold, evaluate_pair_list, fold_accuracies
from training.tasks.verification import VerificationSettings, VerificationTask
from training.train import train

Make = Callable[..., Release]
NOW = "2026-11-21T05:00:00Z"
FAST = ("machine.threads=1", "machine.accelerator=cpu", "batch_size=16", "model.dropout_frac=0")
PAIRS = (*FAST, "task.train_pairs=200", "task.validation_pairs=40", "task.test_pairs=60",
         "phases.train.epochs=12", "augment.rotation_deg=0", "augment.shear_deg=0", "model.dense=32",
         "phases.train.learning_rate=0.003")  # fmt: skip


def _scores(seed: int, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, count)
    return (truth + random.normal(0, 0.8, count)).round(1).astype(np.float32), truth


def test_figures_are_those_of_the_loop() -> None:
    values, truth = _scores(1)
    found = verification_measures(values, truth, 3.0, 0.45)
    counts = {"hit": 0, "false": 0, "miss": 0, "rest": 0}
    loss = 0.0
    for value, same in zip(values.tolist(), truth.tolist(), strict=True):
        counts[{(True, 1): "hit", (True, 0): "false", (False, 1): "miss", (False, 0): "rest"}[value > 0.45, same]] += 1
        prob = 1 / (1 + np.exp(-3.0 * (value - 0.45)))
        loss -= np.log(prob if same else 1 - prob)
    precision = counts["hit"] / (counts["hit"] + counts["false"])
    recall = counts["hit"] / (counts["hit"] + counts["miss"])
    assert found["accuracy"] == (counts["hit"] + counts["rest"]) / 200 == 1 - found["error_frac"]
    specificity = counts["rest"] / (counts["rest"] + counts["false"])
    assert found["balanced_accuracy"] == pytest.approx((recall + specificity) / 2)
    assert (found["precision"], found["recall"]) == (precision, recall)
    assert found["f1"] == pytest.approx(2 * precision * recall / (precision + recall))
    assert found["loss"] == pytest.approx(loss / 200, rel=1e-5)
    wins = [float(a > b) + 0.5 * float(a == b) for a in values[truth == 1] for b in values[truth == 0]]
    assert found["auc"] == pytest.approx(np.mean(wins))
    wrong, right = roc_curve(values, truth)
    assert (wrong[0], right[0], wrong[-1], right[-1]) == (0, 0, 1, 1)


def test_calibration_finds_the_planted_threshold_and_stands_parted_values() -> None:
    random = np.random.default_rng(2)
    values = random.uniform(-1, 1, 20_000)
    truth = (random.random(20_000) < 1 / (1 + np.exp(-8 * (values - 0.3)))).astype(np.int64)
    slope, threshold = calibrate(values, truth)
    assert slope == pytest.approx(8, rel=0.1)
    assert threshold == pytest.approx(0.3, abs=0.02)
    slope, threshold = calibrate(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1]))
    assert np.isfinite(slope)
    assert 0.2 < threshold < 0.8


def test_the_threshold_of_a_fold_is_the_best_of_the_others() -> None:
    values, truth = _scores(3, 60)
    folds = np.repeat(np.arange(3), 20)
    expected = []
    for fold in range(3):
        others, own = folds != fold, folds == fold
        tried = [((values[others] > t) == truth[others]).sum() for t in np.append(values, values.min() - 1)]
        threshold = best_threshold(values[others], truth[others])
        assert ((values[others] > threshold) == truth[others]).sum() == max(tried)
        expected.append(((values[own] > threshold) == truth[own]).mean())
    assert fold_accuracies(values, truth, folds) == expected


def test_losses_are_those_of_the_loop() -> None:
    random = np.random.default_rng(4)
    logits, truth = random.normal(size=(7, 1)).astype(np.float32), random.integers(0, 2, 7)
    pairs = VerificationTask(VerificationSettings(), 1, 0)
    expected = [-np.log(1 / (1 + np.exp(-x if y else x))) for x, y in zip(logits[:, 0], truth, strict=True)]
    assert float(pairs.loss(torch.from_numpy(logits), torch.from_numpy(truth))) == pytest.approx(
        np.mean(expected), rel=1e-5
    )

    cosines, people = random.uniform(-1, 1, (6, 4)).astype(np.float32), random.integers(0, 4, 6)
    task = VerificationTask(VerificationSettings(kind="identities", margin=0.25, scale=10.0), 1, 4)
    losses = []
    for row, own in zip(cosines.astype(np.float64), people, strict=True):
        scaled = [10.0 * (value - (0.25 if index == own else 0.0)) for index, value in enumerate(row)]
        losses.append(-scaled[own] + np.log(sum(np.exp(scaled))))
    assert float(task.loss(torch.from_numpy(cosines), torch.from_numpy(people))) == pytest.approx(
        np.mean(losses), rel=1e-5
    )


def test_the_siamese_network_treats_both_alike_and_the_embedding_has_length_one() -> None:
    torch.manual_seed(1)
    siamese = SiameseModel(1, 32, 16, 0.0).eval()
    first, second = torch.rand(3, 1, 32, 32), torch.rand(3, 1, 32, 32)
    there, back = siamese(torch.cat([first, second], 1)), siamese(torch.cat([second, first], 1))
    assert torch.allclose(there, back, atol=1e-6)
    assert torch.allclose(siamese(torch.cat([first, first], 1)), siamese.head[-1].bias.expand(3, 1), atol=1e-6)
    model = create_embedding_model(ModelConfig(dense=0), 1, 32, 8, classes=5, is_flip_averaged=True).eval()
    vectors = model(first)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(3), atol=1e-6)
    assert torch.allclose(vectors, model(first.flip(-1)), atol=1e-6), "a mirror image is the same face"
    assert model.class_cosines(vectors).abs().max() <= 1 + 1e-6


@pytest.mark.slow
def test_few_pairs_are_learned_by_heart_and_the_run_says_all(make_release: Make, root: DataRoot) -> None:
    release = make_release(per_class={"train": 8, "validation": 5, "test": 5})
    result = train("verification", release, root, experiment="siamese", overrides=PAIRS, now=NOW)
    parts = result.metrics["parts"]
    assert parts["train"]["accuracy"] > 0.95
    assert parts["test"]["accuracy"] > 0.9
    page = result.report_path.read_text(encoding="utf-8")
    for words in ("Wrong pairs", "All parts", "No person stands in two parts", "Every step of the training", "roc"):
        assert words in page or (result.folder / "figures" / f"{words}.png").exists()
    table = pd.read_parquet(result.folder / "predictions.parquet")
    assert {"sample_id_a", "sample_id_b", "split", "target", "value", "predicted"} <= set(table.columns)
    tested = table[table["split"] == "test"]
    assert (tested["predicted"] == tested["target"]).mean() == parts["test"]["accuracy"]
    facts = json.loads((result.model_folder / "config.json").read_text())["facts"]
    shown = table[table["split"] == "validation"]
    _, threshold = calibrate(shown["value"].to_numpy(), shown["target"].to_numpy())
    assert facts["threshold"] == pytest.approx(threshold, abs=1e-4), "the threshold is that of the validation pairs"


@pytest.mark.parametrize("disjoint", ["person", "none"])
def test_pairs_of_a_list_are_parted_by_whom_the_model_has_seen(
    make_release: Make, root: DataRoot, disjoint: str
) -> None:
    release = make_release(per_class={"train": 8, "validation": 5, "test": 8})
    samples = release.samples()
    # People of the train part go on nowhere else; images are known by their bytes.
    samples["label"] = samples["split"] + " " + samples["label"]
    samples["image_id"] = ["img_" + file_sha256(release.folder / path) for path in samples["path"]]
    samples.to_parquet(release.folder / "samples.parquet")
    overrides = (*PAIRS, "task.train_pairs=40", "phases.train.epochs=1", f"task.disjoint={disjoint}")
    result = train("verification", release, root, experiment="siamese", overrides=overrides, now=NOW)
    rows = []
    for split, count in (("train", 24), ("test", 30)):
        paths = samples.loc[samples["split"] == split, "path"].to_list()
        labels = samples.loc[samples["split"] == split, "label"].to_list()
        for number in range(count):
            one, other = number % len(paths), (5 * number + 1) % len(paths)
            rows.append((number % 3, paths[one], paths[other], int(labels[one] == labels[other])))
    table = release.folder / "pairs.csv"
    pd.DataFrame(rows, columns=["fold", "a", "b", "same"]).to_csv(table, index=False)
    found = evaluate_pair_list(result.model_folder, table, release)
    assert found["all"]["count"] == 54
    assert len(found["folds"]["accuracies"]) == 3
    counts = {name: (found[name] or {"count": 0})["count"] for name in ("neither_seen", "some_seen")}
    assert counts == {
        "person": {"neither_seen": 30, "some_seen": 24}, "none": {"neither_seen": 0, "some_seen": 54}
    }[disjoint]  # fmt: skip


@pytest.mark.slow
def test_an_embedding_of_the_people_verifies_pairs(make_release: Make, root: DataRoot) -> None:
    overrides = [*FAST, "task.kind=identities", "task.width=16", "model.name=small_cnn", "model.is_pretrained=false",
                 "model.dense=0", "data.size_px=32", "phases.tune.epochs=12", "phases.tune.backbone_layers=-1",
                 "phases.tune.learning_rate=0.003", "augment.rotation_deg=0", "augment.erase_frac=0"]  # fmt: skip
    release = make_release(per_class={"train": 8, "validation": 5, "test": 5})
    result = train("verification", release, root, experiment="faces_embedding", overrides=overrides, now=NOW)
    assert result.metrics["parts"]["test"]["accuracy"] > 0.9
    from training.predict import Predictor

    predictor = Predictor(result.model_folder)
    samples = release.samples()
    images = [np.asarray(Image.open(release.folder / path)) for path in samples["path"][:2]]
    answer = predictor.predict_pair(*images)
    same = predictor.predict_pair(images[0], images[0])
    assert same["is_same"]
    assert same["value"] == pytest.approx(1, abs=1e-5)
    assert answer["value"] == pytest.approx(predictor.predict_pair(*images[::-1])["value"])


@pytest.mark.slow
def test_a_solved_embedding_verifies_pairs(make_release: Make, root: DataRoot) -> None:
    overrides = [*FAST, "data.size_px=64", "data.box=[0, 0, 72, 72]", "task.width=16"]
    release = make_release(per_class={"train": 8, "validation": 5, "test": 5})
    result = train("verification", release, root, experiment="faces_whitened", overrides=overrides, now=NOW)
    assert result.metrics["parts"]["test"]["accuracy"] > 0.9
    assert (result.model_folder / "model.onnx").exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["task.kind=triplets"], "task.kind 'triplets', expected one of pairs, identities, whitened"),
        (["task.kind=whitened", "task.disjoint=image"], "must be person"),
        (["task.shrinkage=-1"], "task.shrinkage -1"),
        (["task.disjoint=page"], "task.disjoint 'page'"),
        (["task.kind=identities", "task.disjoint=image"], "must be person"),
        (["task.depth=3"], "unknown training setting task.depth"),
        (["model.name=small_cnn"], "needs model.name=siamese"),
    ],
)
def test_settings_that_cannot_be_say_why(
    make_release: Make, root: DataRoot, overrides: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        train("verification", make_release(), root, experiment="siamese", overrides=overrides, now=NOW)

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import torch
from PIL import Image

from catalog.errors import GateFailed, UsageError
from catalog.paths import DataRoot
from catalog.release_format import Release
from catalog.suspects import read_suspects
from training.config import DataConfig, TrainingConfig
from training.data import load_data
from training.evaluate import evaluate
from training.inference import load_weights, run_parts
from training.predict import Predictor
from training.tasks import find_task
from training.tasks.classification import ClassificationTask
from training.train import RunResult, limits_text, train

Make = Callable[..., Release]
NOW = "2026-11-21T05:00:00Z"
CPU = ("machine.threads=1", "machine.accelerator=cpu", "task.finds_label_errors=false")
LEARN = (*CPU, "phases.train.epochs=14", "phases.train.patience=0", "augment.copies=2", "augment.rotation_deg=3",
         "augment.zoom_frac=0.03", "batch_size=16", "phases.train.learning_rate=0.002")  # fmt: skip


@pytest.fixture
def trained(make_release: Make, root: DataRoot) -> tuple[Release, RunResult]:
    release = make_release(per_class={"train": 10, "validation": 4, "test": 6})
    return release, train("classification", release, root, overrides=LEARN, now=NOW)


def test_a_planted_class_is_learned_and_all_that_is_left_agrees(
    trained: tuple[Release, RunResult], root: DataRoot, make_release: Make
) -> None:
    release, result = trained
    parts = result.metrics["parts"]
    assert parts["train"]["accuracy"] == 1.0
    assert parts["test"]["accuracy"] > 0.8 > parts["test"]["chance_frac"] == 0.25
    _check_metrics_against_predictions(release, result)
    _check_report(release, result)
    _check_onnx_equals_torch(release, result, root)
    _check_predictor(release, result)
    _check_done_once(release, result, root)
    _check_other_release(result, root, make_release)


def _check_metrics_against_predictions(release: Release, result: RunResult) -> None:
    table = pd.read_parquet(result.folder / "predictions.parquet")
    labels = dict(zip(release.samples()["sample_id"], release.samples()["label"], strict=True))
    assert sorted(table["sample_id"]) == sorted(labels)
    for split, rows in table.groupby("split"):
        hits = sum(labels[row.sample_id] == row.predicted for row in rows.itertuples())
        assert result.metrics["parts"][split]["accuracy"] == hits / len(rows)
    probs = table[[f"prob_{name}" for name in ("cs", "econ", "german", "mechanical")]].to_numpy()
    assert np.allclose(probs.sum(axis=1), 1)


def _check_report(release: Release, result: RunResult) -> None:
    page = result.report_path.read_text()
    assert not re.search(r'(src|href|srcset)="(?!data:)', page), "the page must need no other file"
    assert f"{result.metrics['parts']['test']['accuracy']:.3f}" in page
    assert "92,868" in page
    assert result.metrics["release"]["manifest_sha256"] in page
    for words in ("true positives", "false negatives", "always the commonest class", "For research and teaching",
                  "bright bar whose place", "prefers-color-scheme: dark", "learning_rate"):  # fmt: skip
        assert words in page
    test_ids = set(release.samples().query("split == 'test'")["sample_id"])
    shown = re.findall(r'data-sample-id="(\w+)"><img src="data:image/jpeg', page)
    assert len(shown) >= 16
    assert set(shown) <= test_ids
    names = {path.stem for path in (result.folder / "figures").glob("*.png")}
    assert names == {"class_distribution", "confusion_matrix", "curves", "steps"}


def _check_onnx_equals_torch(release: Release, result: RunResult, root: DataRoot) -> None:
    config = json.loads((result.model_folder / "config.json").read_text())
    settings = TrainingConfig.from_json(config["settings"])
    task = find_task(config["task"]).from_facts(config["facts"])
    data = load_data(release, root, settings.data)
    model = task.build_model(settings, data.channels)
    load_weights(model, result.model_folder / "weights.safetensors")
    expected = run_parts(task, model, data, ["test"], settings)["test"]
    session = onnxruntime.InferenceSession(str(result.model_folder / "model.onnx"))
    images = data.pixels[expected.rows[:, 0]].astype(np.float32) / 255
    for size in (1, 5, len(images)):
        (found,) = session.run(None, {"images": images[:size]})
        assert np.allclose(found, expected.values[:size], atol=1e-4)


def _check_predictor(release: Release, result: RunResult) -> None:
    predictor = Predictor(result.model_folder)
    table = pd.read_parquet(result.folder / "predictions.parquet").set_index("sample_id")
    sample = release.samples().iloc[3]
    answer = predictor.predict(np.asarray(Image.open(release.folder / sample["path"])))
    assert answer["label"] == table.loc[sample["sample_id"], "predicted"]
    assert answer["label_prob"] == pytest.approx(table.loc[sample["sample_id"], f"prob_{answer['label']}"], abs=1e-4)
    assert list(answer["probs"].values()) == sorted(answer["probs"].values(), reverse=True)
    with pytest.raises(UsageError, match="uint8 RGB"):
        predictor.predict(np.zeros((8, 8), np.uint8))


def _check_done_once(release: Release, result: RunResult, root: DataRoot) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.root.rglob("*") if path.is_file()}
    again = train("classification", release, root, overrides=LEARN, now="2027-01-01T00:00:00Z")
    assert not again.is_new
    assert again.metrics == result.metrics
    assert {path: path.stat().st_mtime_ns for path in root.root.rglob("*") if path.is_file()} == before


def _check_other_release(result: RunResult, root: DataRoot, make_release: Make) -> None:
    fresh = make_release(per_class={"test": 5}, seed=9)
    found = evaluate(result.run_id, fresh, root)
    assert found["parts"]["test"]["accuracy"] > 0.8
    assert found["parts"]["test"]["count"] == 20
    (path,) = (result.folder / "evaluations").iterdir()
    assert json.loads(path.read_text()) == found
    with pytest.raises(UsageError, match="classes without training samples: law"):
        evaluate(result.run_id, make_release(classes=("cs", "law")), root)
    with pytest.raises(UsageError, match=f"there are: {result.run_id}"):
        evaluate("run_0", fresh, root)


def test_a_label_of_persons_needs_an_explained_purpose(make_release: Make, root: DataRoot) -> None:
    silent = make_release(purpose="")
    with pytest.raises(GateFailed, match="explains the purpose"):
        train("classification", silent, root, now=NOW)
    assert not root.runs.exists()
    (silent.folder / "CARD.md").write_text("# Card\n\n## Purpose\n\nToo short.\n\n## Limits\n\n" + "many words " * 20)
    with pytest.raises(GateFailed, match="found 2"):
        train("classification", silent, root, now=NOW)
    unlabelled = silent.samples().assign(label="")
    unlabelled.to_parquet(silent.folder / "samples.parquet")
    (silent.folder / "CARD.md").write_text("# Card\n\n## Purpose\n\n" + "many words " * 20 + "\n\n## Limits\n\nNone.")
    with pytest.raises(UsageError, match="needs two classes"):  # past the gate
        train("classification", silent, root, now=NOW)
    with pytest.raises(UsageError, match="needs two classes"):  # said to be no trait
        train(
            "classification",
            make_release(classes=("a",), purpose=""),
            root,
            overrides=["is_inner_trait=false"],
            now=NOW,
        )


def test_a_release_without_training_part_says_what_it_has(make_release: Make, root: DataRoot) -> None:
    with pytest.raises(UsageError, match=r"validation, the release has \{'test': 8\}"):
        train("classification", make_release(per_class={"test": 2}), root, now=NOW)


def test_limits_say_how_many_copies_a_published_split_leaks(make_release: Make, root: DataRoot) -> None:
    data = load_data(make_release(), root, DataConfig())
    task = find_task("classification").from_data(data, TrainingConfig())
    assert "share no group" in limits_text(task, data, "test")
    data.samples.loc[data.rows("test")[:3], "is_leaking_copy"] = True
    said = limits_text(task, data, "test")
    assert "of which 3 are copies of samples of other parts" in said
    assert "share no group" not in said


def test_unknown_tasks_and_task_settings_are_named(make_release: Make, root: DataRoot) -> None:
    with pytest.raises(UsageError, match="expected one of: classification, metric, regression, verification"):
        train("segmentation", make_release(), root, now=NOW)
    with pytest.raises(UsageError, match=r"unknown training setting task\.margin"):
        train("classification", make_release(), root, overrides=["task.margin=0.3"], now=NOW)


def test_two_phases_tune_what_their_settings_say(make_release: Make, root: DataRoot) -> None:
    overrides = [*CPU, "phases.train.epochs=2", "phases.train.backbone_layers=0", "phases.tune.epochs=1",
                 "phases.tune.optimiser=sgd", "phases.tune.backbone_layers=1"]  # fmt: skip
    result = train("classification", make_release(), root, overrides=overrides, now=NOW)
    assert [len(phase["history"]) for phase in result.metrics["phases"].values()] == [2, 1]
    states = [
        torch.load(result.folder / "checkpoints" / phase / "last.ckpt", weights_only=False)["state_dict"]
        for phase in ("train", "tune")
    ]
    changed = {name for name in states[0] if not torch.equal(states[0][name], states[1][name])}
    assert "model.backbone.6.weight" in changed
    assert {"model.backbone.0.weight", "model.backbone.3.weight"}.isdisjoint(changed)


def test_the_loss_equals_a_plain_loop() -> None:
    generator = torch.Generator().manual_seed(4)
    logits, targets = torch.randn(9, 3, generator=generator), torch.tensor([0, 2, 1, 1, 0, 2, 2, 0, 1])
    total = 0.0
    for row, target in zip(logits.double().tolist(), targets.tolist(), strict=True):
        total -= np.log(np.exp(row[target]) / sum(np.exp(value) for value in row))
    assert float(ClassificationTask(("a", "b", "c")).loss(logits, targets)) == pytest.approx(total / 9, rel=1e-5)


@pytest.mark.slow
def test_a_head_learns_from_features_that_were_computed_once_and_labels_are_doubted(
    make_release: Make, root: DataRoot
) -> None:
    release = make_release()
    overrides = [*CPU, "task.finds_label_errors=true", "phases.train.epochs=3", "phases.train.backbone_layers=0",
                 "phases.train.is_cached=true"]  # fmt: skip
    result = train("classification", release, root, overrides=overrides, now=NOW)
    settings = TrainingConfig.from_json(json.loads((result.folder / "run.json").read_text())["settings"])
    data = load_data(release, root, settings.data)
    model = ClassificationTask(("cs", "econ", "german", "mechanical")).build_model(settings, data.channels)
    load_weights(model, result.model_folder / "weights.safetensors")
    features = np.load(result.folder / "checkpoints" / "train" / "features.npy")
    with torch.inference_mode():
        expected = model.eval().features(torch.from_numpy(np.array(data.pixels)).float() / 255)
    assert np.allclose(features, expected.numpy(), atol=1e-4), "the backbone did not learn, and gave these"
    doubted = [suspect for _, suspect in read_suspects(root.runs, release.recipe)]
    assert len(doubted) == result.metrics["suspects_count"]
    assert all(each.label != each.suggested and each.suggested_prob > 0 for each in doubted)

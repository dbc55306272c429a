"""Heads that are solved, not trained: a ridge regression, a whitening, and a frozen reader beside a learner."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from catalog.errors import UsageError
from catalog.paths import DataRoot
from catalog.release_format import Release
from tests.training.test_regression import NOW, with_targets
from training.config import ModelConfig, load_training_config
from training.models import BesideModel, PictureModel, PlacePool, create_beside_model, create_model, freeze
from training.tasks.regression import RIDGES, RegressionTask
from training.tasks.task import Outputs
from training.train import train
from training.whitening import fit_whitening, within_person

LITE = "timm:tf_efficientnet_lite0"


def data_of(targets: np.ndarray) -> SimpleNamespace:
    """What a task asks of its data."""
    samples = {"target": SimpleNamespace(to_numpy=lambda kind: targets.astype(kind))}
    return SimpleNamespace(samples=samples, rows=lambda part: np.arange(len(targets)))


def test_the_ridge_is_that_of_a_plain_loop() -> None:
    generator = np.random.default_rng(4)
    features = generator.normal(2, [1, 3, 0.2, 1, 5], (40, 5))
    targets = 3 + features @ [0.3, 0, 2, -0.4, 0.1] + generator.normal(0, 0.8, 40)
    task = RegressionTask(float(targets.mean()), float(targets.std()), (1.0, 5.0))
    model = SimpleNamespace(head=nn.Sequential(nn.Linear(5, 1)))
    task.solve(model, features.astype(np.float32), data_of(targets))  # type: ignore[arg-type]

    scaled = (features - features.mean(0)) / features.std(0)

    def solved(rows: np.ndarray, penalty: float) -> tuple[np.ndarray, float, np.ndarray]:
        middle = scaled[rows].mean(0)
        centred, mean = scaled[rows] - middle, targets[rows].mean()
        weights = np.linalg.solve(centred.T @ centred + penalty * np.eye(5), centred.T @ (targets[rows] - mean))
        return weights, mean, middle

    errors = []
    for share in RIDGES:
        missed = 0.0
        for left_out in range(40):
            rows = np.arange(40) != left_out
            weights, mean, middle = solved(rows, share * features.size)
            missed += (mean + (scaled[left_out] - middle) @ weights - targets[left_out]) ** 2
        errors.append(missed)
    weights, mean, middle = solved(np.arange(40), RIDGES[int(np.argmin(errors))] * features.size)
    expected = mean + (scaled - middle) @ weights
    with torch.no_grad():
        found = task.values(model.head(torch.from_numpy(features.astype(np.float32))).numpy())
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_reader_beside_answers_outside_training_alone_and_never_learns_by_steps() -> None:
    torch.manual_seed(0)
    model = create_beside_model(ModelConfig(name=LITE, dense=0, beside_frac=0.25), 3, 64, 1)
    images = torch.rand(2, 3, 64, 64)
    model.eval()
    assert torch.equal(model(images), model.learners[0](images)), "what is not solved yet answers"
    model.solved()
    expected = 0.75 * model.learners[0](images) + 0.25 * model.reader(images)
    assert torch.allclose(model(images), expected, atol=1e-5)
    freeze(model, 3)
    assert not any(parameter.requires_grad for parameter in model.reader.parameters())
    assert 0 < sum(parameter.requires_grad for parameter in model.learners[0].parameters()) < 20
    model.train()
    before = {name: value.clone() for name, value in model.reader.state_dict().items()}
    model(images).sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in model.reader.state_dict().items())
    with pytest.raises(UsageError, match=r"beside_frac 1\.5"):
        create_beside_model(ModelConfig(name=LITE, beside_frac=1.5), 3, 64, 1)


def test_the_reader_beside_answers_at_all_only_in_evaluation() -> None:
    learner = PictureModel(nn.Flatten(), nn.Sequential(nn.Linear(12, 1)))
    reader = PictureModel(nn.Flatten(), nn.Sequential(nn.Linear(12, 1)))
    model, images = BesideModel([learner], reader, 0.5), torch.rand(3, 3, 2, 2)
    model.solved()
    assert torch.equal(model.train()(images), learner(images))
    assert not torch.equal(model.eval()(images), learner(images))


def test_members_learn_in_turns_and_answer_together() -> None:
    torch.manual_seed(0)
    model = create_beside_model(
        ModelConfig(name=LITE, dense=0, dropout_frac=0.0, members=[48, 64], beside_frac=0.25), 3, 64, 1
    )
    images = torch.rand(2, 3, 64, 64)
    for turn in (0, 1):
        model.turn = turn
        freeze(model, 2)
        learning = [name for name, each in model.named_parameters() if each.requires_grad]
        assert learning
        assert all(name.startswith(f"learners.{turn}.") for name in learning)
        assert torch.equal(model.eval()(images), model.learners[turn](images))
    first, second = (learner(images) for learner in model.learners)
    assert not torch.equal(first, second), "each has a head of its own"
    model.solved()
    expected = 0.75 * (first + second) / 2 + 0.25 * model.reader(images)
    assert torch.allclose(model(images), expected, atol=1e-5)
    copy = create_beside_model(
        ModelConfig(name=LITE, dense=0, dropout_frac=0.0, members=[48, 64], beside_frac=0.25), 3, 64, 1
    )
    copy.load_state_dict(model.state_dict())
    assert torch.allclose(copy.eval()(images), expected, atol=1e-5), "weights that were kept answer as they did"


def test_a_phase_is_repeated_for_every_member() -> None:
    config = load_training_config("rating", ("model.members=[96, 128]",))
    assert [(name, phase.member) for name, phase in config.phases.items()] == [
        ("tune", 0),
        ("tune_2", 1),
        ("read_out", 0),
    ]
    assert load_training_config("rating", ("model.members=[96]",)).phases.keys() == {"tune", "read_out"}
    with pytest.raises(UsageError, match=r"model\.members needs model\.beside_frac"):
        load_training_config("rating", ("model.beside_frac=0",))


def test_grids_keep_left_and_right_apart_unless_mirrored() -> None:
    images = torch.rand(2, 3, 64, 64)
    for pooling, is_alike in (("grids", False), ("mirrored_grids", True)):
        model = create_model(ModelConfig(name=LITE, pooling=pooling, dense=0), 3, 64, 1).eval()
        with torch.inference_mode():
            assert torch.allclose(model.features(images), model.features(images.flip(-1)), atol=1e-4) == is_alike


def test_places_begin_as_the_mean() -> None:
    maps = torch.rand(2, 5, 3, 4)
    assert torch.allclose(PlacePool(5, 3, 4)(maps), maps.mean((2, 3)), atol=1e-6)


def test_a_solved_phase_is_trained_exported_and_taken_up(make_release: Callable[..., Release], root: DataRoot) -> None:
    overrides = ("machine.threads=1", "machine.accelerator=cpu", "data.size_px=64", "phases.tune.epochs=1",
                 "batch_size=16", "model.is_pretrained=false", "model.members=[48, 64]")  # fmt: skip
    release = with_targets(make_release(per_class={"train": 6, "validation": 3, "test": 4}))
    first = train("regression", release, root, experiment="rating", overrides=overrides, now=NOW)
    assert first.metrics["parts"]["test"]["pearson"] > 0.5, "the bar's height is not read"
    assert first.metrics["phases"]["read_out"]["epochs"] == 1
    (first.folder / "metrics.json").unlink()
    (first.folder / "checkpoints" / "read_out" / "done.ckpt").unlink()
    assert (
        train("regression", release, root, experiment="rating", overrides=overrides, now=NOW).metrics["parts"]
        == (first.metrics["parts"])
    )


def test_only_what_can_be_solved_is(make_release: Callable[..., Release], root: DataRoot) -> None:
    with pytest.raises(UsageError, match="classification learns by steps"):
        train("classification", make_release(), root, overrides=("phases.train.optimiser=closed_form",), now=NOW)
    with pytest.raises(UsageError, match=r"set model\.dense=0"):
        train("regression", with_targets(make_release()), root,
              overrides=("phases.train.optimiser=closed_form", "model.dense=8"), now=NOW)  # fmt: skip


def test_answers_are_stretched_to_fit_held_out_pictures() -> None:
    generator = np.random.default_rng(3)
    values = generator.normal(0, 1, 400).astype(np.float32)
    targets = (3.2 + 0.9 * values + generator.normal(0, 0.1, 400)).astype(np.float32)
    outputs = Outputs(np.arange(400)[:, np.newaxis], targets, values[:, np.newaxis])
    task = RegressionTask(3.0, 0.7, (1.0, 5.0))
    fitted = task.fitted(outputs)
    assert fitted.values(outputs.values) == pytest.approx(3.2 + 0.9 * values, abs=0.03)
    assert fitted.measure(outputs)["rmse"] < task.measure(outputs)["rmse"] / 2
    few = Outputs(outputs.rows[:20], targets[:20], values[:20, np.newaxis])
    assert task.fitted(few) == task, "twenty pictures say too little"
    wrong = Outputs(outputs.rows, targets, -values[:, np.newaxis])
    assert task.fitted(wrong) == task


def test_a_reader_beside_is_for_regression_alone(make_release: Callable[..., Release], root: DataRoot) -> None:
    with pytest.raises(UsageError, match=r"beside_frac is for regression alone, not for classification"):
        train("classification", make_release(), root, overrides=("model.beside_frac=0.3",), now=NOW)


def test_variation_within_a_person_is_that_of_a_plain_loop() -> None:
    generator = np.random.default_rng(5)
    vectors, people = generator.normal(size=(30, 4)), np.repeat(np.arange(8), [1, 2, 3, 4, 5, 6, 7, 2])
    expected, several = np.zeros((4, 4)), 0
    for person in range(8):
        own = vectors[people == person]
        if len(own) > 1:
            expected += sum(np.outer(v - own.mean(0), v - own.mean(0)) for v in own) / (len(own) - 1)
            several += 1
    assert within_person(vectors, people) == pytest.approx(expected / several)
    with pytest.raises(UsageError, match="of nobody there are two pictures"):
        within_person(vectors, np.arange(30))


def test_whitened_pictures_of_one_person_differ_alike_in_every_direction() -> None:
    generator = np.random.default_rng(6)
    people = np.repeat(np.arange(60), 4)
    features = generator.normal(size=(60, 6))[people] + generator.normal(size=(240, 6)) * [5, 1, 0.5, 2, 1, 0.1]
    weights, bias = fit_whitening(features.astype(np.float32), people, width=6, shrinkage=0.0)
    vectors = features @ weights.T + bias
    assert within_person(vectors, people) == pytest.approx(np.eye(6), abs=0.02)
    assert vectors.mean(0) == pytest.approx(np.zeros(6), abs=1e-3)
    wide, offset = fit_whitening(features.astype(np.float32), people, width=9, shrinkage=0.3)
    assert wide.shape == (9, 6)
    assert not wide[6:].any()
    assert not offset[6:].any()


def test_the_unit_of_a_feature_does_not_matter_to_a_whitening() -> None:
    generator = np.random.default_rng(7)
    people = np.repeat(np.arange(40), 3)
    features = (generator.normal(size=(40, 8))[people] + 0.3 * generator.normal(size=(120, 8))).astype(np.float32)
    units = np.array([20, 1, 1, 0.1, 1, 1, 5, 1], np.float32)
    cosines = []
    for each in (features, features * units):
        weights, bias = fit_whitening(each, people, width=4, shrinkage=0.3)
        vectors = each @ weights.T + bias
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        cosines.append(vectors @ vectors.T)
    assert cosines[0] == pytest.approx(cosines[1], abs=1e-3)

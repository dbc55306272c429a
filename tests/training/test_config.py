from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import UsageError
from training.config import EXPERIMENTS, TrainingConfig, load_training_config


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_packaged_experiment_loads_and_travels_as_json(path: Path) -> None:
    config = load_training_config(path.stem)
    assert config.experiment == path.stem
    assert TrainingConfig.from_json(config.to_json()) == config


def test_later_layers_win_and_keep_what_they_do_not_name() -> None:
    config = load_training_config(
        "small_cnn",
        ["augment.copies=5", "phases.train.learning_rate=1"],
        {"task": "classification", "experiment": "small_cnn", "augment": {"copies": 4, "rotation_deg": 3}, "seed": 7},
    )
    assert (config.augment.copies, config.augment.rotation_deg, config.augment.flip) == (5, 3.0, True)
    assert (config.phases["train"].learning_rate, config.phases["train"].epochs, config.seed) == (1.0, 10, 7)


def test_the_machine_does_not_name_a_run_and_all_else_does() -> None:
    plain = load_training_config("small_cnn").digest
    assert load_training_config("small_cnn", ["machine.threads=1"]).digest == plain
    assert load_training_config("small_cnn", ["seed=2"]).digest != plain
    assert load_training_config("small_cnn", ["phases.train.weight_decay=0.1"]).digest != plain


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.size=3", "unknown training setting data.size"),
        ("phases.train.epoch=3", "unknown training setting phases.train.epoch"),
        ("batch_size=large", "batch_size must be int, found 'large'"),
        ("augment.flip=1", "augment.flip must be bool, found 1"),
        ("data=3", "data must be a table"),
        ("data.mode=cmyk", "data.mode must be one of grey, rgb"),
        ("phases.train.optimiser=lion", "optimiser must be one of adam"),
        ("batch_size=0", "batch_size must be positive"),
        ("batch_size", "expected a.b=c"),
        ("a b=1", "expected a.b=c"),
    ],
)
def test_bad_settings_say_what_was_expected(override: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_training_config("small_cnn", [override])


def test_an_unknown_experiment_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"siamese, small_cnn, street2shop"):
        load_training_config("smallcnn")
    (tmp_path / "mine.toml").write_text("seed = [")
    with pytest.raises(UsageError, match="not TOML"):
        load_training_config(str(tmp_path / "mine.toml"))

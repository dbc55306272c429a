"""Which samples a run trains on, validates with and tests, where the release leaves that open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from catalog.errors import UsageError
from catalog.paths import DataRoot
from catalog.release_format import Release
from training import loop
from training.config import DataConfig
from training.parts import arranged_samples
from training.train import train

Make = Callable[..., Release]


def published(make_release: Make) -> Release:
    """A release with train and test only, pairs of samples in one group, and three folds."""
    release = make_release(per_class={"train": 10, "test": 5})
    samples = release.samples()
    groups = [f"group_{number // 2}" for number in range(len(samples))]
    order = samples.sort_values(["split", "sample_id"]).index
    samples.loc[order, "group_id"] = groups
    samples.to_parquet(release.folder / "samples.parquet")
    folds = pd.Series(range(len(samples))) // 2 % 3
    splits = samples.loc[order, ["sample_id", "group_id", "split"]].assign(fold=folds.to_numpy())
    splits.to_parquet(release.folder / "splits.parquet")
    return release


def test_a_validation_part_is_held_out_of_the_training_part_alone(make_release: Make) -> None:
    release = published(make_release)
    found = arranged_samples(release, DataConfig(validation_frac=0.2))
    before = release.samples().set_index("sample_id")["split"]
    tested = set(before[before == "test"].index)
    assert set(found.loc[found["split"] == "test", "sample_id"]) == tested
    held = found[found["split"] == "validation"]
    assert len(held) == 8
    assert not set(held["group_id"]) & set(found.loc[found["split"] == "train", "group_id"])
    assert arranged_samples(release, DataConfig(validation_frac=0.2)).equals(found)


def test_a_fold_is_tested_and_its_groups_are_nowhere_else(make_release: Make) -> None:
    release = published(make_release)
    fold_of = release.splits().set_index("sample_id")["fold"]
    tested = []
    for fold in range(3):
        found = arranged_samples(release, DataConfig(fold=fold))
        test = found[found["split"] == "test"]
        assert set(test["sample_id"]) == set(fold_of[fold_of == fold].index)
        assert not set(test["group_id"]) & set(found.loc[found["split"] != "test", "group_id"])
        assert (found["split"] == "validation").any()
        tested += list(test["sample_id"])
    assert sorted(tested) == sorted(fold_of.index)


def test_a_fold_that_is_not_there_is_named_with_those_that_are(make_release: Make) -> None:
    with pytest.raises(UsageError, match=r"data\.fold is 7.*: 0, 1, 2"):
        arranged_samples(published(make_release), DataConfig(fold=7))
    with pytest.raises(UsageError, match="has the folds: none"):
        arranged_samples(make_release(), DataConfig(fold=0))


def test_what_is_kept_is_the_running_mean_of_the_weights(
    make_release: Make, root: DataRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = make_release(targets={"cs": 1.0, "econ": 2.0, "german": 3.0, "mechanical": 4.0})
    seen: list[dict[str, torch.Tensor]] = []
    step = loop.TaskModule.on_train_batch_end

    def watched(module: loop.TaskModule, *rest: object) -> None:
        seen.append({name: each.detach().clone() for name, each in module.model.named_parameters()})
        step(module, *rest)

    monkeypatch.setattr(loop.TaskModule, "on_train_batch_end", watched)
    overrides = ["machine.threads=1", "machine.accelerator=cpu", "phases.train.epochs=1", "batch_size=8",
                 "augment.copies=1", "phases.train.average_decay=0.5", "model.mirror=true"]  # fmt: skip
    result = train("regression", release, root, overrides=overrides, now="2026-11-21T05:00:00Z")
    kept = load_file(Path(result.folder) / "checkpoints" / "train" / loop.BEST)
    assert len(seen) == 3
    for name in seen[0]:
        mean = seen[0][name]
        for steps, later in enumerate(seen[1:], start=1):
            kept_share = min(0.5, (1 + steps) / (10 + steps))
            mean = kept_share * mean + (1 - kept_share) * later[name]
        torch.testing.assert_close(kept[name], mean)

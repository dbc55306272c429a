"""Each task, killed with SIGKILL in the middle of an epoch, ends byte for byte as if it never had been."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.paths import DataRoot
from catalog.release_format import Release
from training.loop import Progress
from training.train import train

Make = Callable[..., Release]
NOW = "2026-11-21T05:00:00Z"
MACHINE = ("machine.threads=1", "machine.accelerator=cpu")
KILLED = """
import os, signal, sys
from pathlib import Path
from catalog.paths import DataRoot
from catalog.release_format import open_release
from training.train import train

def die(progress):
    if (progress.epoch, progress.batch) == (3, 2):
        os.kill(os.getpid(), signal.SIGKILL)

task, experiment, release, root, now, *overrides = sys.argv[1:]
train(task, open_release(Path(release)), DataRoot(Path(root)), experiment=experiment, overrides=overrides, now=now,
      on_progress=die)
"""
CLASSES = ("cs", "econ", "german", "mechanical")
SMALL = ("model.name=small_cnn", "model.is_pretrained=false", "data.size_px=32", "data.mode=grey", "batch_size=8")
CASES: dict[str, tuple[str, str, dict[str, Any], tuple[str, ...]]] = {
    "classification": ("classification", "small_cnn", {}, (
        "phases.train.epochs=4", "phases.train.patience=0", "augment.copies=2", "task.finds_label_errors=false",
    )),
    "regression": ("regression", "small_cnn", {"targets": dict(zip(CLASSES, (1.0, 2.0, 3.0, 4.0), strict=True))}, (
        "phases.train.epochs=4", "phases.train.patience=0",
    )),
    "verification": ("verification", "siamese", {}, (
        "phases.train.epochs=4", "task.train_pairs=150", "task.validation_pairs=20", "task.test_pairs=20",
        "model.dense=16",
    )),
    "metric": ("metric", "street2shop_small", {"slots": ("seller", "buyer")}, (
        *SMALL, "phases.tune.epochs=4", "task.mine_every_steps=4", "model.dense=16", "task.width=8",
    )),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_run_killed_in_the_middle_ends_as_one_that_never_was(name: str, make_release: Make, tmp_path: Path) -> None:
    task, experiment, content, settings = CASES[name]
    release, overrides = make_release(**content), [*MACHINE, *settings]
    killed, whole = DataRoot(tmp_path / "killed"), DataRoot(tmp_path / "whole")
    repository = Path(__file__).resolve().parents[2]
    child = subprocess.run(
        [sys.executable, "-c", KILLED, task, experiment, str(release.folder), str(killed.root), NOW, *overrides],
        cwd=repository, env={**os.environ, "PYTHONPATH": str(repository)}, check=False, timeout=250,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL
    assert not list(killed.runs.rglob("metrics.json"))

    seen: list[Progress] = []
    resumed = train(
        task, release, killed, experiment=experiment, overrides=overrides, now=NOW, on_progress=seen.append
    )
    straight = train(task, release, whole, experiment=experiment, overrides=overrides, now=NOW)
    assert seen[0].epoch == 3, "the two epochs that were whole are not trained again"
    assert (resumed.folder / "metrics.json").read_bytes() == (straight.folder / "metrics.json").read_bytes()
    for file in ("weights.safetensors", "model.onnx", "config.json", "MODEL_CARD.md"):
        assert (resumed.model_folder / file).read_bytes() == (straight.model_folder / file).read_bytes()
    assert (resumed.folder / "report.html").read_bytes() == (straight.folder / "report.html").read_bytes()
    assert list(straight.folder.glob("tensorboard/*/events.*"))

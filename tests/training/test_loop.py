from __future__ import annotations

import signal
from collections.abc import Callable

import numpy as np
import pytest
import torch

from catalog.paths import DataRoot
from catalog.release_format import Release
from training.batches import BatchFeed, Examples, epoch_order
from training.loop import LossNotFinite, OutOfMemory, best_epoch, fitting_batch_size, is_out_of_memory
from training.tasks.classification import ClassificationTask
from training.train import train

Make = Callable[..., Release]
NOW = "2026-11-21T05:00:00Z"
FAST = (
    "phases.train.epochs=4", "phases.train.patience=0", "augment.copies=2", "machine.threads=1",
    "machine.accelerator=cpu", "task.finds_label_errors=false",
)  # fmt: skip


def test_early_stop_keeps_the_best_epoch(make_release: Make, root: DataRoot) -> None:
    # A rate this large overshoots soon.
    overrides = [*FAST, "phases.train.epochs=9", "phases.train.patience=1", "phases.train.learning_rate=0.05"]
    result = train("classification", make_release(), root, overrides=overrides, now=NOW)
    phase = result.metrics["phases"]["train"]
    losses = [row["validation_loss"] for row in phase["history"]]
    assert phase["best_epoch"] == losses.index(min(losses)) + 1
    assert phase["epochs"] == phase["best_epoch"] + 1 < 9
    assert result.metrics["parts"]["validation"]["loss"] == pytest.approx(min(losses), rel=1e-4)


def test_a_loss_that_is_no_number_stops_and_keeps_the_batch(make_release: Make, root: DataRoot) -> None:
    release = make_release()
    with pytest.raises(LossNotFinite, match=r"phase train, epoch \d, batch \d"):
        train("classification", release, root, overrides=[*FAST, "phases.train.learning_rate=1e30"], now=NOW)
    (path,) = root.runs.rglob("not_finite_batch.npz")
    kept = np.load(path)
    assert kept["images"].shape[1:] == (1, 1, 64, 64)
    assert set(kept["sample_id"].ravel()) <= set(release.samples()["sample_id"])


def test_a_signal_to_stop_reaches_who_runs_the_training(make_release: Make, root: DataRoot) -> None:
    seen: list[object] = []
    before = signal.getsignal(signal.SIGTERM)

    def ours(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, ours)
    try:
        train("classification", make_release(), root, overrides=[*FAST, "phases.train.epochs=1"], now=NOW,
              on_progress=lambda _: seen.append(signal.getsignal(signal.SIGTERM)))  # fmt: skip
        assert signal.getsignal(signal.SIGTERM) is ours
    finally:
        signal.signal(signal.SIGTERM, before)
    assert set(seen) == {ours}


def test_out_of_memory_says_which_batch_size_fits(
    make_release: Make, root: DataRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = ClassificationTask.forward

    def small_memory(self: ClassificationTask, model: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
        if len(images) > 9:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, model, images)

    monkeypatch.setattr(ClassificationTask, "forward", small_memory)
    with pytest.raises(OutOfMemory, match=r"at batch_size 16: --set batch_size=8 would fit"):
        train("classification", make_release(), root, overrides=[*FAST, "batch_size=16"], now=NOW)


def test_batch_sizes_are_halved_and_other_errors_pass() -> None:
    def fails(size: int) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory" if size else "never")

    assert fitting_batch_size(fails, 64) == 0
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))


def test_every_example_is_shown_once_per_copy_in_an_order_of_the_seed() -> None:
    pixels = np.arange(10 * 4, dtype=np.uint8).reshape(10, 1, 2, 2)
    examples = Examples(np.arange(2, 9)[:, np.newaxis], np.arange(7) * 10)
    order = epoch_order(7, 3, 11)
    batches = list(BatchFeed(pixels, examples, 4, order))
    assert len(batches) == len(BatchFeed(pixels, examples, 4, order)) == 6
    rows = torch.cat([batch["row"] for batch in batches]).ravel().tolist()
    assert sorted(rows) == sorted(list(range(2, 9)) * 3)
    for batch in batches:
        for image, target, row in zip(batch["image"], batch["target"], batch["row"].ravel(), strict=True):
            assert np.array_equal(image[0].numpy(), pixels[row])
            assert target == (row - 2) * 10
    assert np.array_equal(order, epoch_order(7, 3, 11))
    assert not np.array_equal(order, epoch_order(7, 3, 12))


def test_the_first_of_equal_epochs_is_best() -> None:
    assert best_epoch([{"validation_loss": loss} for loss in (3.0, 1.0, 1.0, 2.0)]) == 2

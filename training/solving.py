"""A phase without steps: the head is solved from what the frozen backbone gives for the train part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from catalog.errors import UsageError
from training.config import TrainingConfig
from training.data import TrainingData
from training.inference import embed_rows, run_parts, save_weights, uses_gpu
from training.tasks.task import Outputs, Task


def solve_phase(
    task: Task, model: nn.Module, data: TrainingData, config: TrainingConfig, path: Path
) -> dict[str, Any]:
    """Solve the head and keep the weights.

    Args:
        task: with a method `solve`.
        model: changed in place.
        data: with samples in train and validation.
        config: the run's settings.
        path: where the weights go.

    Returns:
        `history`, one row as after an epoch, and `step_losses`, empty.

    Raises:
        UsageError: the task cannot be solved.
    """
    solve = getattr(task, "solve", None)
    if solve is None:
        raise UsageError(
            f"{task.name} learns by steps: closed_form is for regression, metric, and verification with "
            "task.kind=whitened"
        )
    model.to(torch.device("cuda" if uses_gpu(config.machine) else "cpu"), memory_format=torch.channels_last).eval()
    solve(model, embed_rows(model, data, data.rows("train"), config.batch_size, model.features), data)
    save_weights(model, path)
    seen = run_parts(task, model, data, ("train", "validation"), config)
    measured = {part: _measures(task, outputs) for part, outputs in seen.items()}
    numbers = {
        f"validation_{name}": value for name, value in measured["validation"].items() if isinstance(value, float)
    }
    row = {"epoch": 1, "train_loss": measured["train"]["loss"], **numbers}
    return {"history": [row], "step_losses": []}


def _measures(task: Task, outputs: Outputs) -> dict[str, Any]:
    """Measure a part, with its loss also where the task leaves that to the steps."""
    measures = task.measure(outputs)
    if "loss" in measures:
        return measures
    loss = task.loss(torch.from_numpy(outputs.values), torch.from_numpy(outputs.targets))
    return {"loss": float(loss), **measures}

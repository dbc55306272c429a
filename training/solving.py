"""A phase without steps: the head is solved from what the frozen backbone gives for the train part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from catalog.errors import UsageError
from training.config import TrainingConfig
from training.data import TrainingData
from training.inference import frozen_features, run_parts, save_weights
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
        `history`, one row as after an epoch but without `train_loss`, and `step_losses`, empty.

    Raises:
        UsageError: the task cannot be solved.
    """
    solve = getattr(task, "solve", None)
    if solve is None:
        raise UsageError(
            f"{task.name} learns by steps: closed_form is for regression, metric, and verification with "
            "task.kind=whitened"
        )
    solve(model, frozen_features(model, data, data.rows("train"), config), data)
    save_weights(model, path)
    # The train part is measured at the end of the run; looking through it twice would take as long as to learn.
    measured = _measures(task, run_parts(task, model, data, ("validation",), config)["validation"])
    numbers = {f"validation_{name}": value for name, value in measured.items() if isinstance(value, float)}
    return {"history": [{"epoch": 1, **numbers}], "step_losses": []}


def _measures(task: Task, outputs: Outputs) -> dict[str, Any]:
    """Measure a part, with its loss also where the task leaves that to the steps."""
    measures = task.measure(outputs)
    if "loss" in measures:
        return measures
    loss = task.loss(torch.from_numpy(outputs.values), torch.from_numpy(outputs.targets))
    return {"loss": float(loss), **measures}

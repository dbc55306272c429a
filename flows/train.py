"""The flow `train`: from a release to a model; runs on the `gpu` work pool."""

from __future__ import annotations

import logging
import os
from typing import Any

from prefect import flow, get_run_logger, task

from catalog.config import load_config
from flows import artifacts, steps
from flows.devices import device, devices_count
from flows.parameters import ReleaseName, TaskName
from flows.services import Addresses

CURVES = "figures/curves.png"
"""Drawing that a training run leaves beside its report."""


@task(name="train-release", task_run_name="train on {release}")
def train_release(release: str, task_name: str | None, experiment: str | None, overrides: list[str]) -> dict[str, Any]:
    """Train once; returns where the run is and its figures."""
    config = load_config(os.environ)
    logger = get_run_logger()
    logging.getLogger(steps.__name__).setLevel(logging.INFO)  # Prefect gives our loggers its handler, not its level
    progress = artifacts.show_progress(release)
    with device(config.data_root.locks, devices_count()) as number:
        logger.info("training begins release=%s device=%d", release, number)
        result = steps.train_release(config, release, task_name, experiment, overrides, progress)
    rows = [
        {"part": part, "figure": name, "value": value}
        for part, figures in result.metrics["parts"].items()
        for name, value in figures.items()
        if isinstance(value, int | float | str)
    ]
    artifacts.show_rows(artifacts.artifact_key(release, "metrics"), rows, "Figures of the training run")
    run = f"{Addresses.of(config).web}/runs/{result.folder.parent.name}/{result.run_id}"
    link = f"{run}/report.html"
    if (result.folder / CURVES).exists():
        artifacts.show_picture(artifacts.artifact_key(release, "curves"), f"{run}/{CURVES}", "Training curves")
    artifacts.show_link(
        artifacts.artifact_key(release, "report"), link, "Open the report", "What the model gets right"
    )
    return {"task": result.folder.parent.name, "run_id": result.run_id, "folder": str(result.folder), "report": link}


@flow(name="train", flow_run_name="train on {release}")
def train(
    release: ReleaseName,
    task: TaskName | None = None,
    experiment: str | None = None,
    overrides: list[str] | None = None,
) -> dict[str, Any]:
    """Train on a release.

    Args:
        release: a recipe's name for its latest release, or recipe@version.
        task: what is learned; default: what the recipe says.
        experiment: name of an experiment; default: what the recipe says.
        overrides: further settings, each `a.b=c`.
    """
    return train_release(release, task, experiment, overrides or [])

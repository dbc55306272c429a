"""`train`: from a release to a run's folder and a finished model; the same training asked twice is done once.

    runs/<task>/<run>/    run.json, checkpoints/, tensorboard/, predictions.parquet, figures/, report.html,
                          metrics.json (written last: without it the run is not done)
    models/<task>/<run>/  see `training.finished`

torch is imported only when there is something to train.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog import files
from catalog.errors import UsageError
from catalog.ids import short_id
from catalog.paths import DataRoot
from catalog.release_format import Release
from catalog.suspects import write_suspects
from training.config import TrainingConfig, load_training_config
from training.data import SPLITS, TrainingData, evaluation_parts, load_data, manifest_sha256
from training.finished import CONFIG, write_model
from training.parts import arranged_samples, check_trainable
from training.purpose import check_purpose, release_purpose
from training.tasks import find_task
from training.tasks.task import Outputs, Task

if TYPE_CHECKING:
    from torch import nn

    from training.loop import PhaseResult, Progress

VERSION = 1
"""Raise when the same settings would train another model."""
RUN, METRICS, REPORT, PREDICTIONS = "run.json", "metrics.json", "report.html", "predictions.parquet"
LIBRARIES = ("gleanery", "torch", "torchvision", "lightning", "timm", "numpy", "onnx")


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run."""

    run_id: str
    folder: Path
    model_folder: Path
    metrics: dict[str, Any]
    is_new: bool
    """False where the run had been finished before."""

    @property
    def report_path(self) -> Path:
        """The page to open."""
        return self.folder / REPORT


def train(
    task: str,
    release: Release,
    root: DataRoot,
    config: Mapping[str, Any] | None = None,
    experiment: str = "small_cnn",
    overrides: Sequence[str] = (),
    *,
    now: str,
    on_progress: Callable[[Progress], None] | None = None,
) -> RunResult:
    """Train a model, or give the finished run of the same release and settings; an interrupted one is taken up.

    Args:
        task: name of a task.
        release: what to learn from.
        root: where runs and models go.
        config: the recipe's `[training]`, laid over the experiment.
        experiment: a packaged experiment's name, or path of a TOML file.
        overrides: `a.b=c`, laid over everything.
        now: UTC time, kept in run.json as the start.
        on_progress: called after every batch.

    Raises:
        UsageError: no such task, experiment or setting, or a release that does not fit the task.
        GateFailed: the label is a person's inner trait and the release does not explain its purpose.
        CatalogCorrupt: a picture cannot be read; names the sample.
        LossNotFinite, OutOfMemory: see `training.loop`.
    """
    kind = find_task(task)
    settings = _with_reachable_weights(load_training_config(experiment, overrides, config))
    if settings.model.beside_frac and task != "regression":
        raise UsageError(f"model.beside_frac is for regression alone, not for {task}")
    if (settings.model.mirror or settings.model.zooms != [1.0]) and task not in ("classification", "regression"):
        raise UsageError(f"model.mirror and model.zooms are for classification and regression, not for {task}")
    sha256 = manifest_sha256(release)
    run_id = short_id("run", task, VERSION, sha256, settings.digest)
    folder, model_folder = root.runs / task / run_id, root.models / task / run_id
    if (folder / METRICS).exists() and (model_folder / CONFIG).exists():
        return RunResult(run_id, folder, model_folder, json.loads((folder / METRICS).read_text("utf-8")), False)
    samples = release.samples()
    check_purpose(
        release, kind.is_inner_trait(samples) if settings.is_inner_trait is None else settings.is_inner_trait
    )
    check_trainable(arranged_samples(release, settings.data))
    facts = _run_facts(run_id, task, release, sha256, settings)
    _write_json(folder / RUN, facts | {"started_at": _first_start(folder / RUN, now)})
    data = load_data(release, root, settings.data)
    metrics = _train_new(kind.from_data(data, settings), data, settings, folder, model_folder, facts, on_progress)
    return RunResult(run_id, folder, model_folder, metrics, True)


def _train_new(
    task: Task,
    data: TrainingData,
    settings: TrainingConfig,
    folder: Path,
    model_folder: Path,
    facts: dict[str, Any],
    on_progress: Callable[[Progress], None] | None,
) -> dict[str, Any]:
    import torch

    from training.batches import seed_of
    from training.inference import run_parts
    from training.loop import fit
    from training.models import parameter_count, weights_source

    if settings.machine.threads:
        torch.set_num_threads(settings.machine.threads)
    torch.manual_seed(seed_of(settings.seed, "weights"))
    model = task.build_model(settings, data.channels)
    if hasattr(task, "with_baseline"):
        from training.embedding import FrozenFeatures

        task = task.with_baseline(run_parts(task, FrozenFeatures(model), data, evaluation_parts(data), settings))
    phases = fit(task, model, data, settings, folder, on_progress)
    outputs = run_parts(task, model, data, evaluation_parts(data), settings)
    if hasattr(task, "fitted"):
        task = task.fitted(outputs["validation"])
    metrics = {
        "run_id": facts["run_id"],
        "task": task.name,
        "release": facts["release"],
        "experiment": settings.experiment,
        "parameter_count": parameter_count(model),
        "first_weights": weights_source(settings.model),
        "phases": {each.phase: _phase_facts(each) for each in phases},
        "parts": {part: task.measure(each) for part, each in outputs.items()},
    }
    if frozen := getattr(task, "frozen", None):
        metrics["frozen"] = frozen
    if hasattr(task, "suspects") and (suspects := task.suspects(data)) is not None:
        write_suspects(folder, data.release.recipe, data.release.version, suspects)
        metrics["suspects_count"] = len(suspects)
    write_predictions(folder / PREDICTIONS, task, outputs, data)
    _write_report(folder, task, data, settings, facts, metrics, phases, outputs)
    _finish_model(model_folder, model, task, data, settings, facts, metrics)
    _write_json(folder / METRICS, metrics)
    return metrics


def _with_reachable_weights(settings: TrainingConfig) -> TrainingConfig:
    """Take the packaged backbone where the weights that are asked for cannot be had; before the run has its name."""
    if not settings.model.is_pretrained:
        return settings
    from training.models import with_reachable_weights

    return dataclasses.replace(settings, model=with_reachable_weights(settings.model))


def _run_facts(run_id: str, task: str, release: Release, sha256: str, settings: TrainingConfig) -> dict[str, Any]:
    versions = {name: _version_of(name) for name in LIBRARIES}
    return {
        "run_id": run_id,
        "task": task,
        "release": {"recipe": release.recipe, "version": release.version, "manifest_sha256": sha256},
        "settings": settings.to_json(),
        "versions": {"training": str(VERSION), "python": platform.python_version(), **versions},
    }


def _version_of(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _first_start(path: Path, now: str) -> str:
    if path.exists():
        return str(json.loads(path.read_text(encoding="utf-8"))["started_at"])
    return now


def _phase_facts(phase: PhaseResult) -> dict[str, Any]:
    from training.loop import best_epoch

    history = list(phase.history)
    return {"epochs": len(history), "best_epoch": best_epoch(history), "history": history}


def write_predictions(path: Path, task: Task, outputs: Mapping[str, Outputs], data: TrainingData) -> None:
    """Write every answer of the splits: sample_id (or one column per picture of an example), split, target, ..."""
    import pandas as pd

    tables = []
    for part, each in outputs.items():
        if part not in SPLITS:
            continue
        ids = data.samples["sample_id"].to_numpy()[each.rows]
        names = ["sample_id"] if ids.shape[1] == 1 else [f"sample_id_{letter}" for letter in "abc"[: ids.shape[1]]]
        columns = {name: ids[:, index] for index, name in enumerate(names)}
        truth = {"target": each.targets} if each.targets.ndim == 1 else {}
        tables.append(pd.DataFrame(columns | {"split": part} | truth | task.predictions(each)))
    with files.replacing(path) as temporary:
        pd.concat(tables, ignore_index=True).to_parquet(temporary, index=False)


def _write_report(
    folder: Path,
    task: Task,
    data: TrainingData,
    settings: TrainingConfig,
    facts: Mapping[str, Any],
    metrics: Mapping[str, Any],
    phases: Sequence[PhaseResult],
    outputs: Mapping[str, Outputs],
) -> None:
    from training.report import ReportContent, curves_section, parts_section, write_report

    part = "test" if "test" in outputs else "validation"
    counts = {split: len(data.rows(split)) for split in SPLITS}
    release = data.release
    content = ReportContent(
        title=f"{task.name.capitalize()} on {release.recipe}@{release.version}",
        headline=headline_tiles(task, metrics),
        sections=[
            *task.sections(metrics["parts"][part], outputs[part], data),
            parts_section(metrics["parts"]),
            curves_section(phases, task.headline),
        ],
        facts=[
            ("Data", {**facts["release"], "samples": counts, "purpose": release_purpose(release) or "(not stated)",
                      "shown above": part}),
            ("Model", {"parameters": f"{metrics['parameter_count']:,}", "first weights": metrics["first_weights"],
                       "run": facts["run_id"]}),
            ("Settings", facts["settings"]),
            ("Versions", facts["versions"]),
        ],
        limits=limits_text(task, data, part),
    )  # fmt: skip
    write_report(folder, content, data)


def headline_tiles(task: Task, metrics: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Give the figures at the top of a report: the task's first measure per part, and what chance would reach."""
    tiles = []
    for part, measures in metrics["parts"].items():
        low, high = measures.get(f"{task.headline}_low"), measures.get(f"{task.headline}_high")
        interval = "" if low is None else f", 95 % interval {low:.3f} to {high:.3f}"
        tiles.append((f"{task.headline}, {part.replace('_', ' ')}", f"{measures[task.headline]:.3f}",
                      f"{measures['count']} examples{interval}"))  # fmt: skip
        if part == "test" and "chance_frac" in measures:
            tiles.append(("chance", f"{measures['chance_frac']:.3f}",
                          f"always the commonest class: {measures['majority_frac']:.3f}"))  # fmt: skip
    return tiles


def limits_text(task: Task, data: TrainingData, part: str) -> str:
    """Say what bounds the figures, in a sentence or two."""
    if hasattr(task, "limits"):
        return f"Measured on the part {part}. {task.limits()}"
    rows = data.rows(part)
    leaking = int(data.samples["is_leaking_copy"].iloc[rows].astype(bool).sum())
    shared = (
        f"of which {leaking} are copies of samples of other parts, as the published split has them: compare the "
        "figures without leaking copies."
        if leaking
        else "which share no group with the training samples as far as the release's certificate says."
    )
    return (
        f"Measured on {len(rows)} samples of the split {part}, {shared} Sources that look alike within a class (one "
        "photographer, one background) can be learned instead of the class; figures on other sources may be lower."
    )


def _finish_model(
    folder: Path,
    model: nn.Module,
    task: Task,
    data: TrainingData,
    settings: TrainingConfig,
    facts: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> None:
    from training.report import RESEARCH_NOTE

    parts = {part: measures[task.headline] for part, measures in metrics["parts"].items()}
    views = getattr(task, "views", 1)
    channels = data.channels * views
    config = {
        **facts,
        "facts": task.facts(),
        "input": {"channels": channels, "size_px": data.size_px, "mode": settings.data.mode},
        "parameter_count": metrics["parameter_count"],
        "first_weights": metrics["first_weights"],
    }
    rows = "\n".join(f"| {part} | {value:.4f} | {metrics['parts'][part]['count']} |" for part, value in parts.items())
    release = facts["release"]
    card = f"""# {task.name.capitalize()} on {release["recipe"]}@{release["version"]}

Model `{facts["run_id"]}`, {metrics["parameter_count"]:,} parameters, first weights: {metrics["first_weights"]}.

## Data

Release `{release["recipe"]}@{release["version"]}`, manifest sha256 `{release["manifest_sha256"]}`.
{release_purpose(data.release)}

## Intended use

{RESEARCH_NOTE}

## Figures

| part | {task.headline} | samples |
|---|---|---|
{rows}

## Limits

{limits_text(task, data, "test" if "test" in parts else "validation")}

## Input and output

`model.onnx` takes `images` (B, {channels}, {data.size_px}, {data.size_px}) float32 in [0, 1],
{settings.data.mode}, {_input_words(settings, views)}; `outputs` are the raw numbers of the last layer, in the
order of `facts` in `config.json`.
"""
    write_model(folder, model.cpu().eval(), config, card)


def _input_words(settings: TrainingConfig, views: int) -> str:
    of = "the centre square of the upright picture"
    if settings.data.box is not None:
        of += f", of its box {settings.data.box} px"
    return of + (f"; {views} pictures stacked along the channels" if views > 1 else "")


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    files.write_text(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no JSON form")

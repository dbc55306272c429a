"""`evaluate`: a finished run on another release."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog import files
from catalog.errors import CatalogCorrupt, UsageError
from catalog.paths import DataRoot
from catalog.release_format import Release
from training.config import TrainingConfig
from training.data import evaluation_parts, load_data, manifest_sha256
from training.finished import WEIGHTS, read_model_config
from training.tasks import find_task


def find_model(root: DataRoot, run: str) -> Path:
    """Find a finished model by the id of its run.

    Raises:
        UsageError: there is none; says which there are.
    """
    found = {path.parent.name: path.parent for path in root.models.glob("*/*/config.json")}
    if run not in found:
        raise UsageError(f"no finished model {run!r}, there are: {', '.join(sorted(found)) or '(none)'}")
    return found[run]


def latest_model(root: DataRoot, tasks: Sequence[str]) -> Path:
    """Find the model that was finished last, of one of these tasks.

    Raises:
        UsageError: there is none.
    """
    found = [path for task in tasks for path in (root.models / task).glob("*/config.json")]
    if not found:
        raise UsageError(f"no finished model for {' or '.join(tasks)}; `gleanery train` makes one")
    return max(found, key=lambda path: (path.stat().st_mtime_ns, path.parent.name)).parent


def evaluate(run: str, release: Release, root: DataRoot) -> dict[str, Any]:
    """Measure a finished model on every part of a release.

    Args:
        run: id of a finished run.
        release: any release with the labels that the model knows.
        root: where the model is; the figures go to its run, `evaluations/<recipe>@<version>.json`.

    Returns:
        The figures: release, and measures per part.

    Raises:
        UsageError: no such model, or the release does not fit it.
        CatalogCorrupt: a picture cannot be read, or the weights do not fit the model.
    """
    from training.inference import load_weights, run_parts

    folder = find_model(root, run)
    saved = read_model_config(folder)
    settings = TrainingConfig.from_json(saved["settings"])
    task = find_task(saved["task"]).from_facts(saved["facts"])
    data = load_data(release, root, settings.data)
    # The weights are all in the file: nothing is fetched.
    blank = TrainingConfig.from_json(
        saved["settings"] | {"model": saved["settings"]["model"] | {"is_pretrained": False}}
    )
    model = task.build_model(blank, data.channels)
    try:
        load_weights(model, folder / WEIGHTS)
    except RuntimeError as error:
        raise CatalogCorrupt(f"{folder / WEIGHTS}: does not fit its config.json: {error}") from error
    outputs = run_parts(task, model, data, evaluation_parts(data), settings)
    parts = {part: task.measure(each) for part, each in outputs.items()}
    facts = {"recipe": release.recipe, "version": release.version, "manifest_sha256": manifest_sha256(release)}
    content = {"run_id": run, "task": task.name, "release": facts, "parts": parts}
    write_evaluation(root, folder, f"{release.recipe}@{release.version}", content)
    return content


def write_evaluation(root: DataRoot, model_folder: Path, name: str, content: Mapping[str, Any]) -> Path:
    """Keep figures beside the run of a model, `evaluations/<name>.json`."""
    path = root.runs / model_folder.parent.name / model_folder.name / "evaluations" / f"{name}.json"
    files.write_text(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    return path

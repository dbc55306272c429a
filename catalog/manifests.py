"""Manifests of derived results: the same inputs give the same bytes, and none means not done.

A manifest holds no time, run id, host, port or path of a machine; when and where a result was made stands in the
catalog's table `stage_runs`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from catalog import files
from catalog.errors import CatalogCorrupt
from catalog.ids import digest

MANIFEST = "manifest.json"


def stage_key(stage: str, version: int, params: dict[str, Any], inputs: dict[str, Any]) -> str:
    """Name a stage result by all that it depends on: 16 hex digits.

    Args:
        stage: registered name.
        version: raised by its author when the output may change.
        params: the recipe's settings of the stage, JSON values.
        inputs: digests or keys of what it reads, JSON values.
    """
    return digest({"stage": stage, "version": version, "params": params, "inputs": inputs}, 16)


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Write the manifest of a folder whose other files are complete."""
    files.write_text(folder / MANIFEST, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Read a manifest; None where the work is not done.

    Raises:
        CatalogCorrupt: the file is no JSON object.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CatalogCorrupt(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise CatalogCorrupt(f"{path}: expected a JSON object")
    return content

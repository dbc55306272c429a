"""All stages by name. A stage is one file of this folder and one line here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, cast

from catalog.errors import UsageError
from curation.contract import MeasureStage, TableStage

MEASURES: Mapping[str, str] = {
    "quality": "QualityStage",
    "hashes": "HashesStage",
    "faces": "FacesStage",
    "crops": "CropsStage",
    "thumbnails": "ThumbnailsStage",
    "embedding": "EmbeddingStage",
}
"""Name, which is also the file's stem, -> class; a stage stands behind those it needs."""

TABLES: Mapping[str, str] = {
    "samples": "SamplesStage",
    "duplicates": "DuplicatesStage",
    "noise": "NoiseStage",
    "labels": "LabelsStage",
    "groups": "GroupsStage",
    "splits": "SplitsStage",
    "clean": "CleanStage",
    "pairs": "PairsStage",
}
"""As MEASURES, in the order they run."""


def is_measure(name: str) -> bool:
    """Tell whether a name is that of a measure stage."""
    return name in MEASURES


@cache
def measure(name: str) -> MeasureStage:
    """Give a measure stage; its module is imported on first use.

    Raises:
        UsageError: there is none of that name.
    """
    return cast("MeasureStage", _load(name, MEASURES))


@cache
def table(name: str) -> TableStage:
    """Give a table stage; its module is imported on first use.

    Raises:
        UsageError: there is none of that name.
    """
    return cast("TableStage", _load(name, TABLES))


def with_needs(names: Iterable[str]) -> list[str]:
    """Add the measures that the named ones need; in the order they run."""
    wanted = set(names)
    while more := {needed for name in wanted for needed in measure(name).needs} - wanted:
        wanted |= more
    return [name for name in MEASURES if name in wanted]


def check_names(names: Iterable[str]) -> None:
    """Refuse names of stages that do not exist.

    Raises:
        UsageError: lists those that do.
    """
    unknown = sorted(set(names) - MEASURES.keys() - TABLES.keys())
    if unknown:
        raise UsageError(f"unknown stage {', '.join(unknown)}, expected some of: {', '.join((*MEASURES, *TABLES))}")


def params_of(params_json: str) -> dict[str, Any]:
    """Read a stage's settings back from the text that travels with a shard."""
    params: dict[str, Any] = json.loads(params_json)
    return params


def check_params(stage: str, params: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse settings that a stage does not know.

    Raises:
        UsageError: lists those it knows.
    """
    expected = sorted(known)
    unknown = sorted(set(params) - set(expected))
    if unknown:
        listed = ", ".join(expected) or "(none)"
        raise UsageError(f"[stages.{stage}]: unknown setting {', '.join(unknown)}, expected some of: {listed}")


def _load(name: str, known: Mapping[str, str]) -> Any:
    if name not in known:
        raise UsageError(f"unknown stage {name!r}, expected one of: {', '.join(known)}")
    return getattr(import_module(f"curation.stages.{name}"), known[name])()

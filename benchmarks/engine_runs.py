"""Runs of our engine over photos of the benchmarks, and the command line that those share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from catalog.blobs import BlobStore
from catalog.recipe import Recipe
from curation.executors import Executor

Stages = Mapping[str, Mapping[str, Any]]


def recipe_of(stages: Stages) -> Recipe:
    """Make a recipe of measures."""
    return Recipe(
        name="bench", title="", purpose="", sources=("*",), subject_kind="item", slots=("gallery",),
        stages={name: dict(params) for name, params in stages.items()},
    )  # fmt: skip


def store(folder: Path, paths: list[Path], change: Callable[[bytes], bytes] = lambda body: body) -> None:
    """Put photos into the blobs of a folder, changed where that is asked."""
    blobs = BlobStore(folder / "blobs")
    for path in paths:
        blobs.put(change(path.read_bytes()))


def measure(folder: Path, derived: Path | str, stages: Stages, executor: Executor) -> list[str]:
    """Run stages over the blobs of a folder; what `derived` has is not measured again. Gives the image ids."""
    # Here, as workers import the benchmark's file and with it this one, and never need the engine.
    from curation.engine import measure_images, plan_measures

    blobs = BlobStore(folder / "blobs")
    ids = list(blobs.iter_ids())
    measure_images(plan_measures(recipe_of(stages)), ids, str(folder / "blobs"), str(derived), executor)
    return ids


def main_over_photos(doc: str | None, run: Callable[[int, int], bool], photos_count: int, full_count: int) -> int:
    """Read a command line of `--photos`, `--rounds` and `--full`, and run.

    Args:
        doc: of the benchmark.
        run: (photos, rounds) -> whether the goals are met.
        photos_count: photos where none are asked for.
        full_count: with `--full`.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=photos_count)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--full", action="store_true", help=f"{full_count:,} photos")
    options = parser.parse_args()
    return 0 if run(full_count if options.full else options.photos, options.rounds) else 1

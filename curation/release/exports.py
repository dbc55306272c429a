"""Further shapes of a release for other programs: one function per export of the recipe's release.exports."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from catalog.errors import UsageError
from catalog.recipe import Recipe
from catalog.release_format import INDEX

Export = Callable[[pd.DataFrame, Path, Recipe], list[str]]
"""(samples with WORK_COLUMNS, release folder, recipe) -> files written, relative to the folder."""


def class_folders(samples: pd.DataFrame, folder: Path, recipe: Recipe) -> list[str]:
    """Nothing to add: with this export the pictures themselves stand as `<split>/<class>/<sample_id>.jpg`."""
    return []


def index_csv(samples: pd.DataFrame, folder: Path, recipe: Recipe) -> list[str]:
    """Write `index.csv`: id, category, image_url, name; the name is empty unless the recipe releases names."""
    names = samples["name"] if recipe.release.get("names", False) else [""] * len(samples)
    with (folder / INDEX).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["id", "category", "image_url", "name"])
        for row, name in zip(samples.itertuples(index=False), names, strict=True):
            writer.writerow([row.sample_id, row.label, row.image_url, name if isinstance(name, str) else ""])
    return [INDEX]


EXPORTS: dict[str, Export] = {export.__name__: export for export in (class_folders, index_csv)}


def check_exports(recipe: Recipe) -> None:
    """Refuse exports that there are not, before any work is done.

    Raises:
        UsageError: an unknown export; lists those that there are.
    """
    unknown = sorted(set(recipe.release.get("exports", ())) - EXPORTS.keys())
    if unknown:
        known = ", ".join(sorted(EXPORTS))
        raise UsageError(f"recipe {recipe.name}: unknown export {', '.join(unknown)}, expected one of: {known}")


def write_exports(samples: pd.DataFrame, folder: Path, recipe: Recipe) -> list[str]:
    """Write what the recipe asks for; returns the files, relative to the folder."""
    return [
        name
        for export in sorted(set(recipe.release.get("exports", ())))
        for name in EXPORTS[export](samples, folder, recipe)
    ]

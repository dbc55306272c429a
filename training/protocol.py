"""Published lists of pairs in folds, as LFW's View 2: the threshold of each fold is chosen on the others.

The list is a CSV with columns fold, a, b, same; a and b are paths relative to it. A model of ours was trained on one
split of the people, not anew for every fold: so the figures are also given for the pairs of which the model has seen
neither person.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from catalog.errors import CatalogCorrupt, UsageError
from catalog.release_format import Release, file_sha256
from catalog.schema import SPLITS
from training.measures import verification_measures
from training.predict import Predictor

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("fold", "a", "b", "same")
MIN_PAIRS = 20
"""Fewer pairs give no figure."""


def read_pair_list(path: Path) -> pd.DataFrame:
    """Read a list of pairs.

    Raises:
        UsageError: no such file, other columns, or a picture that is not there.
    """
    import pandas as pd

    if not path.is_file():
        raise UsageError(f"{path}: no such list of pairs")
    table = pd.read_csv(path, dtype={"a": str, "b": str})
    if not set(COLUMNS) <= set(table.columns):
        raise UsageError(f"{path}: expected columns {', '.join(COLUMNS)}, found {', '.join(table.columns)}")
    for name in np.unique(table[["a", "b"]].to_numpy(str)):
        if not (path.parent / name).is_file():
            raise UsageError(f"{path}: names {name}, which is not there")
    return table


def fold_accuracies(values: NDArray[np.float32], is_same: NDArray[np.int64], folds: NDArray[np.int64]) -> list[float]:
    """Measure each fold with the threshold that makes the fewest mistakes on all others."""
    accuracies = []
    for fold in np.unique(folds):
        tested = folds == fold
        threshold = best_threshold(values[~tested], is_same[~tested])
        accuracies.append(float(((values[tested] > threshold) == is_same[tested].astype(bool)).mean()))
    return accuracies


def best_threshold(values: NDArray[np.float32], is_same: NDArray[np.int64]) -> float:
    """Find a threshold with the fewest mistakes; values above it are called the same."""
    order = np.argsort(values, kind="stable")
    ordered, truth = values[order].astype(np.float64), is_same[order].astype(bool)
    # Mistakes when the first n are called different: same ones among them, and different ones behind them.
    mistakes = np.concatenate([[0], np.cumsum(truth)]) + (~truth).sum() - np.concatenate([[0], np.cumsum(~truth)])
    ends = np.concatenate([[ordered[0] - 1], (ordered[:-1] + ordered[1:]) / 2, [ordered[-1] + 1]])
    can_part = np.concatenate([[True], ordered[:-1] < ordered[1:], [True]])
    return float(ends[np.where(can_part, mistakes, np.iinfo(np.int64).max).argmin()])


def evaluate_pair_list(model_folder: Path, path: Path, trained_on: Release | None) -> dict[str, Any]:
    """Measure a model on a list of pairs in folds.

    Args:
        model_folder: a finished verification model.
        path: the list.
        trained_on: the release that the model learned from, to tell which persons it has seen; None where it is gone.

    Returns:
        JSON values: `folds` (accuracy of each, mean and spread), and the figures with the model's own threshold of
        `all` pairs and of those of which the training part shows `neither_seen` or `some_seen`.

    Raises:
        UsageError: no such list, or a model for something else.
        CatalogCorrupt: a picture cannot be read.
    """
    predictor = Predictor(model_folder)
    task = predictor.task
    if task.name != "verification":
        raise UsageError(f"{model_folder.name} is a model for {task.name}; lists of pairs are for verification")
    table = read_pair_list(path)
    names, codes = np.unique(table[["a", "b"]].to_numpy(str), return_inverse=True)
    pairs = codes.reshape(-1, 2)
    values = predictor.compare(_pixels(predictor, path.parent, names), pairs)[:, 0]
    is_same, folds = table["same"].to_numpy(np.int64), table["fold"].to_numpy(np.int64)
    accuracies = fold_accuracies(values, is_same, folds)
    facts = task.facts()

    def measured(chosen: NDArray[np.bool_]) -> dict[str, Any] | None:
        if chosen.sum() < MIN_PAIRS:
            return None
        return verification_measures(values[chosen], is_same[chosen], facts["slope"], facts["threshold"])

    content: dict[str, Any] = {
        "list": path.name,
        "folds": {
            "accuracies": accuracies,
            "mean": float(np.mean(accuracies)),
            "standard_error": float(np.std(accuracies, ddof=1) / np.sqrt(len(accuracies))),
        },
        "all": measured(np.ones(len(pairs), bool)),
    }
    if trained_on is not None:
        # Pairs that share people between the parts were drawn over all of them.
        splits = ("train",) if task.settings.disjoint == "person" else SPLITS
        is_seen = _seen(trained_on, splits, path.parent, names)[pairs].any(axis=1)
        content |= {"neither_seen": measured(~is_seen), "some_seen": measured(is_seen)}
    return content


def _pixels(predictor: Predictor, folder: Path, names: NDArray[np.str_]) -> NDArray[np.uint8]:
    images = []
    for name in names:
        try:
            with Image.open(folder / name) as image:
                rgb = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        except (OSError, ValueError) as error:
            raise CatalogCorrupt(f"{folder / name}: cannot be read as a picture: {error}") from error
        images.append(predictor.prepare([rgb])[0])
    return np.stack(images)


def _seen(release: Release, splits: Sequence[str], folder: Path, names: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Tell of each picture whether those splits of a release show its person; unknown pictures count as seen."""
    samples = release.samples()
    trained = set(samples.loc[samples["split"].isin(splits), "label"])
    person = dict(zip(samples["image_id"].str.removeprefix("img_"), samples["label"], strict=True))
    labels = [person.get(file_sha256(folder / name)) for name in names]
    return np.array([label is None or label in trained for label in labels])

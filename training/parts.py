"""The sides of a release as a run sees them: a fold tested, a validation part held out where the release has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from catalog.errors import UsageError
from catalog.ids import digest
from catalog.release_format import Release
from training.config import DataConfig

if TYPE_CHECKING:
    import pandas as pd


def arranged_samples(release: Release, settings: DataConfig) -> pd.DataFrame:
    """Give the samples, sorted by id, with `split` as the run takes it.

    Where the release has no validation part (a published split, folds), `validation_frac` of the groups to train on
    are held out, chosen by the hash of their ids: the test part is never looked at for a choice.

    Args:
        release: a whole release.
        settings: `fold` and `validation_frac`.

    Raises:
        UsageError: the release is empty or has no such fold.
    """
    samples = release.samples().sort_values("sample_id", ignore_index=True)
    if samples.empty:
        raise UsageError(f"release {release.recipe}@{release.version} holds no samples")
    if settings.fold >= 0:
        samples = _with_fold(samples, release, settings.fold)
    if not (samples["split"] == "validation").any():
        samples = _held_out(samples, settings.validation_frac)
    return samples


def check_trainable(samples: pd.DataFrame) -> None:
    """Make sure that there is something to train on and to validate with.

    Args:
        samples: as arranged.

    Raises:
        UsageError: one of the two is empty; says what there is.
    """
    counts = samples["split"].value_counts().to_dict()
    for split in ("train", "validation"):
        if not counts.get(split):
            raise UsageError(f"training needs samples in train and validation, the release has {counts}")


def _with_fold(samples: pd.DataFrame, release: Release, fold: int) -> pd.DataFrame:
    splits = release.splits()
    folds = sorted(splits["fold"].unique()) if "fold" in splits else []
    if fold not in folds:
        found = ", ".join(map(str, folds)) or "none"
        raise UsageError(f"data.fold is {fold}, the release {release.recipe}@{release.version} has the folds: {found}")
    of = dict(zip(splits["sample_id"], splits["fold"], strict=True))
    is_tested = samples["sample_id"].map(of) == fold
    return samples.assign(split=np.where(is_tested, "test", "train"))


def _held_out(samples: pd.DataFrame, frac: float) -> pd.DataFrame:
    """Hold out the groups whose ids hash lowest."""
    groups = sorted(samples.loc[samples["split"] == "train", "group_id"].unique(), key=lambda group: digest(group))
    chosen = set(groups[: round(len(groups) * frac)])
    is_chosen = samples["group_id"].isin(chosen) & (samples["split"] == "train")
    return samples.assign(split=samples["split"].where(~is_chosen, "validation"))

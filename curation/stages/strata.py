"""What a split balances: how many samples each group has in each class, attribute value, bin or combination."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.errors import UsageError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

WHOLE = "samples"
"""Name of stratum 0: all samples."""
_GROUP_BINS = (1, 2, 3, 5, 9)
"""Lower ends of the bins of `group_samples`: nine and more are one, few have so many, and each part needs some."""


def group_strata(
    samples: pd.DataFrame, stratify: Sequence[str], target_bins: int
) -> tuple[NDArray[np.int64], list[str], csr_array, list[str]]:
    """Count each group's samples per stratum.

    Args:
        samples: SAMPLE_COLUMNS and group_id.
        stratify: names that `stratum_values` knows; each is balanced on its own.
        target_bins: of the target.

    Returns:
        (number of each sample's group; ids of the groups, sorted; (G, S) counts; name of each stratum). Stratum 0
        holds all samples.
    """
    from scipy.sparse import coo_array, csr_array

    rows, ids = pd.factorize(samples["group_id"], sort=True)
    columns, names = [np.zeros(len(samples), np.int64)], [WHOLE]
    for name in stratify:
        codes, classes = pd.factorize(stratum_values(samples, name, target_bins), sort=True)
        columns.append(codes + len(names))
        names += [f"{name} {value!r}" for value in classes]
    at = np.tile(rows, len(columns)), np.concatenate(columns)
    counts = coo_array((np.ones(len(at[0])), at), shape=(len(ids), len(names))).tocsr()
    return rows, ids.tolist(), csr_array(counts), names


def stratum_values(samples: pd.DataFrame, name: str, target_bins: int) -> pd.Series:
    """Give the class of each sample that a stratification balances.

    Args:
        samples: SAMPLE_COLUMNS and group_id.
        name: a column (`label`, `source`, `slot`), `attributes.<name>`, `target` for bins of equal counts,
            `group_samples` for how many samples the group has (1, 2, 3-4, 5-8, 9 and more), so that every part gets
            people with several pictures, or several of these joined by `*`.
        target_bins: of the target.

    Raises:
        UsageError: no such column.
    """
    if "*" in name:
        several = [stratum_values(samples, part.strip(), target_bins) for part in name.split("*")]
        return pd.Series([" * ".join(values) for values in zip(*several, strict=True)], samples.index, dtype="str")
    if name == "target":
        ranks = samples["target"].rank(method="average", pct=True).fillna(0)
        return (ranks * target_bins + 0.5).round().clip(1, target_bins).astype("int64").astype("str")
    if name == "group_samples":
        counts = samples["group_id"].map(samples["group_id"].value_counts()).to_numpy(np.int64)
        return pd.Series(np.searchsorted(_GROUP_BINS, counts, side="right").astype("str"), samples.index)
    if name.startswith("attributes."):
        key = name.removeprefix("attributes.")
        return samples["attributes"].map(lambda text: str(json.loads(text).get(key, ""))).astype("str")
    if name not in samples.columns:
        known = "label, target, group_samples, source, slot or attributes.<name>"
        raise UsageError(f"[splits]: stratify {name!r}, expected {known}")
    return samples[name].astype("str")


def identity_of(samples: pd.DataFrame) -> pd.Series:
    """Name whom or what each sample shows: its label, or its subject where it has none."""
    return samples["label"].where(samples["label"] != "", samples["subject_id"])


def refuse_sparse(groups: csr_array, names: Sequence[str], parts_count: int) -> None:
    """Refuse classes that cannot stand in every part.

    Args:
        groups: (G, S) counts.
        names: of the strata.
        parts_count: parts of the split.

    Raises:
        UsageError: a stratum has fewer groups than there are parts.
    """
    counts = np.diff(groups.tocsc().indptr)
    for name, count in zip(names, counts.tolist(), strict=True):
        if 0 < count < parts_count:
            raise UsageError(
                f"[splits]: {name} has {count} groups, {parts_count} parts need one each; "
                "collect more, ask for fewer parts, or set allow_sparse = true"
            )

"""Splits that others published: taken as they are, leaks and all."""

from __future__ import annotations

import json

import pandas as pd

from catalog.errors import UsageError
from catalog.schema import SPLITS


def published_sides(samples: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """Take the split and fold that the subjects' attributes name.

    Args:
        samples: SAMPLE_COLUMNS.
        groups: group_id by sample_id.

    Returns:
        sample_id, group_id, split, and fold (-1: in none) where any sample names one; sorted by sample_id.

    Raises:
        UsageError: a sample names no split, or one that is none of SPLITS.
    """
    attributes = samples["attributes"].map(json.loads)
    table = samples[["sample_id"]].assign(
        group_id=samples["sample_id"].map(groups),
        split=attributes.map(lambda facts: str(facts.get("split", ""))).astype("str"),
    )
    wrong = table[~table["split"].isin(SPLITS)]
    if len(wrong):
        first = wrong.iloc[0]
        raise UsageError(
            f"[splits]: kind published, but {len(wrong)} samples name no split; sample {first['sample_id'][:16]} "
            f"has {first['split']!r}, expected attributes.split to be one of: {', '.join(SPLITS)}"
        )
    if any("fold" in facts for facts in attributes):
        table["fold"] = attributes.map(lambda facts: int(facts.get("fold", -1))).astype("int64")
    return table.sort_values("sample_id", ignore_index=True)

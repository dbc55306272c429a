"""How evenly a split shares out: sizes, classes and targets of each part, and how near the optimum that comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from curation.ops.balance import least_deviation

_DIGITS = 6


def balance_facts(
    facts: pd.DataFrame, present: Sequence[str], targets: Mapping[str, float], *, has_balanced_labels: bool
) -> dict[str, Any]:
    """Compare the share of each class in each part with its share in the whole, and both with what was wished for.

    Args:
        facts: split, label, target and group_id of each sample.
        present: parts with samples, in order.
        targets: part -> wanted share; empty where none is wanted.
        has_balanced_labels: whether each class was to be shared out as the whole is.
    """
    whole = facts["label"].value_counts(normalize=True)
    counts = pd.crosstab(facts["label"], facts["split"]).reindex(index=sorted(whole.index), columns=list(present))
    sizes = counts.sum()
    shares = counts / sizes
    deviation = (shares.sub(whole.reindex(counts.index), axis=0)).abs().to_numpy().max(initial=0.0)
    return {
        "classes": {
            part: {
                str(label): {"count": int(counts.loc[label, part]), "share_frac": _rounded(shares.loc[label, part])}
                for label in counts.index
            }
            for part in present
        },
        "whole_frac": {str(label): _rounded(whole[label]) for label in counts.index},
        "largest_class_deviation_frac": _rounded(deviation),
        "sizes": {
            part: {
                "share_frac": _rounded(sizes[part] / len(facts)),
                "target_frac": _rounded(targets[part]) if part in targets else None,
            }
            for part in present
        },
        "targets": _target_facts(facts, present),
        "optimum": _optimum(facts, targets, has_balanced_labels=has_balanced_labels),
    }


def _target_facts(facts: pd.DataFrame, present: Sequence[str]) -> dict[str, Any]:
    """Mean and spread of the number to be learnt, per part; empty where there is none."""
    known = facts.dropna(subset="target")
    return {
        part: {
            "mean": _rounded(values.mean()),
            "std": _rounded(values.std(ddof=0)),
            "min": _rounded(values.min()),
            "max": _rounded(values.max()),
        }
        for part in present
        if len(values := known.loc[known["split"] == part, "target"])
    }


def _optimum(facts: pd.DataFrame, targets: Mapping[str, float], *, has_balanced_labels: bool) -> dict[str, Any] | None:
    """How far the parts' shares of all samples, and of each class, are from those wanted, and how near they could be.

    The bound holds for every deal of these groups: samples are whole, groups are not parted.
    """
    if not targets or facts.empty:
        return None
    strata = [facts]
    if has_balanced_labels:
        strata += [rows for _, rows in facts.groupby("label")]
    shares = np.array(list(targets.values()))
    found, least = 0.0, 0.0
    for rows in strata:
        have = rows["split"].value_counts()
        found = max(found, *(abs(have.get(part, 0) / len(rows) - share) for part, share in targets.items()))
        least = max(least, least_deviation(np.asarray(rows["group_id"].value_counts(), np.int64), shares))
    return {
        "balanced": ["samples", "label"] if has_balanced_labels else ["samples"],
        "largest_share_deviation_frac": _rounded(found),
        "least_possible_frac": _rounded(least),
        "distance_frac": _rounded(max(0.0, found - least)),
    }


def _rounded(value: float) -> float:
    return round(float(value), _DIGITS)

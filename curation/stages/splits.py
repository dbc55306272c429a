"""Table `splits`: which part each sample stands in. No group is ever parted, and none ever changes its side.

Table: sample_id, group_id, split; also `fold` where folds are made or published (-1: in no fold). Settings stand in
the recipe's section `[splits]`:

    kind = "ratios"                ratios = { train = 0.7, validation = 0.2, test = 0.1 }
    kind = "kfold"                 folds = 5; all samples are `train`, `fold` says in which fold they are tested
    kind = "published"             the subject's attributes `split` and `fold` are taken as they are, leaks and all
    kind = "leave_one_source_out"  test_source = "name": its groups are the test, all others train; without it every
                                   source is a fold of its own
    disjoint = "group"             or "image": a picture and its copies stay together, a person may stand on two sides
    stratify = ["label", "attributes.gender*label", "target", "group_samples"]
                                   each balanced on its own, `a*b` every combination; `target` by target_bins (10) of
                                   equal counts, `group_samples` by how many samples a group has
    allow_sparse = false           true: a class may have fewer groups than there are parts; it then stands where its
                                   share is least off, which is the largest part, and is absent from others
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from catalog.errors import UsageError
from catalog.schema import SPLITS
from curation.contract import TableInputs, TableResult
from curation.decisions import decision, decisions_frame, records, standing
from curation.ops.balance import FREE, Dealt, deal_groups
from curation.stages.duplicates import cluster_of_images
from curation.stages.published import published_sides
from curation.stages.registry import check_params
from curation.stages.strata import group_strata, refuse_sparse

DEFAULTS: dict[str, Any] = {
    "kind": "ratios",
    "ratios": {"train": 0.7, "validation": 0.2, "test": 0.1},
    "folds": 5,
    "test_source": "",
    "disjoint": "group",
    "stratify": [],
    "target_bins": 10,
    "allow_sparse": False,
    "seed": 0,  # of the pairs; a deal of groups draws nothing
}
"""Settings of [splits] and their defaults."""
KINDS = ("ratios", "kfold", "published", "leave_one_source_out")
_STRENGTH = {"test": 0, "validation": 1, "train": 2}
"""Where two sides meet, the strongest keeps its samples."""
_FOLD = "fold "
"""What an earlier release calls a side, where its parts are folds."""


class SplitsStage:
    """See the module."""

    name = "splits"
    version = 3
    signals: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("samples", "duplicates", "groups")
    reads_verdicts: tuple[str, ...] = ()
    reads_assignments = True

    def run(self, inputs: TableInputs) -> TableResult:
        """Give every sample that stands its side.

        Raises:
            UsageError: unknown settings, or a class that has fewer groups than there are parts.
        """
        settings = checked_settings(inputs.params)
        samples = standing(inputs.tables["samples"], inputs.decisions).reset_index(drop=True)
        if settings["kind"] == "published":
            table = published_sides(samples, _units(inputs, "group"))
            return TableResult(table=table, decisions=decisions_frame(), facts={"shares": split_shares(table)})
        groups = _units(inputs, settings["disjoint"])
        samples["group_id"] = samples["sample_id"].map(groups)
        has_folds = settings["kind"] == "kfold" or _is_by_source(settings)
        # A recipe that went over from parts to folds, or back, starts anew.
        assignments = {
            sample: side for sample, side in inputs.assignments.items() if side.startswith(_FOLD) == has_folds
        }
        held = held_sides(groups, assignments)
        samples["split"], deal = _sides(samples, settings, held)
        before = samples["sample_id"].map(assignments) if assignments else pd.Series(None, samples.index, dtype="str")
        yields = before.notna() & (before != samples["split"])
        yielding = samples.assign(was=before)[yields]
        rows = [
            decision(self.name, row, "drop", "splits_test_wins", {"was": row["was"], "group_is": row["split"]})
            for row in records(yielding)
        ]
        table = _table(samples[~yields], has_folds=has_folds)
        facts = {"shares": split_shares(table), "conflicts": _conflicts(yielding), **deal}
        return TableResult(table=table, decisions=decisions_frame(rows), facts=facts)


def checked_settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the defaults and refuse what cannot be."""
    check_params("splits", params, DEFAULTS)
    settings = {**DEFAULTS, **params}
    for key, known in (("kind", KINDS), ("disjoint", ("group", "image"))):
        if settings[key] not in known:
            raise UsageError(f"[splits]: {key} {settings[key]!r}, expected one of: {', '.join(known)}")
    ratios = settings["ratios"]
    if set(ratios) - set(SPLITS) or min(ratios.values(), default=0) < 0 or abs(sum(ratios.values()) - 1) > 1e-6:
        raise UsageError(f"[splits]: ratios {ratios}, expected shares of {', '.join(SPLITS)} that sum to 1")
    if settings["kind"] == "kfold" and settings["folds"] < 2:
        raise UsageError(f"[splits]: folds {settings['folds']}, expected 2 or more")
    return settings


def _units(inputs: TableInputs, disjoint: str) -> pd.Series:
    """Name what may not be parted, by sample_id: the group, or the picture with its copies."""
    groups = inputs.tables["groups"].set_index("sample_id")["group_id"]
    if disjoint == "group":
        return groups
    samples = inputs.tables["samples"]
    clusters = cluster_of_images(samples["image_id"], inputs.tables.get("duplicates"))
    return pd.Series(clusters, index=samples["sample_id"]).loc[groups.index]


def held_sides(groups: pd.Series, assignments: Mapping[str, str]) -> dict[str, str]:
    """Side of each group that an earlier release gave to any of its samples; of several the strongest.

    Test wins over validation, and that over train; of two folds the one of the lower number.

    Args:
        groups: group_id by sample_id.
        assignments: sample_id -> split, or `fold <n>`.
    """
    if not assignments:
        return {}
    known = dict(zip(groups.index.tolist(), groups.tolist(), strict=True))
    held: dict[str, str] = {}
    for sample, side in assignments.items():
        if sample in known:
            group = known[sample]
            held[group] = min(held.get(group, side), side, key=_strength)
    return held


def _strength(side: str) -> tuple[int, int]:
    if side.startswith(_FOLD):
        return len(_STRENGTH), int(side.removeprefix(_FOLD))
    return _STRENGTH[side], 0


def _conflicts(yielding: pd.DataFrame) -> list[dict[str, Any]]:
    """Say for each group that lost samples which side it keeps, and how many of which side yield."""
    counts = Counter(zip(yielding["group_id"], yielding["split"], yielding["was"], strict=True))
    return [
        {"group_id": group, "keeps": keeps, "yields": was, "samples_count": count}
        for (group, keeps, was), count in sorted(counts.items())
    ]


def _sides(
    samples: pd.DataFrame, settings: Mapping[str, Any], held: Mapping[str, str]
) -> tuple[pd.Series, dict[str, Any]]:
    """Give each sample the side of its group, and say how near the wish that comes."""
    if settings["kind"] == "leave_one_source_out":
        by_group = _sides_by_source(samples, settings["test_source"], held)
        return samples["group_id"].map(by_group).astype("str"), {}
    if settings["kind"] == "kfold":
        parts = [f"{_FOLD}{fold}" for fold in range(settings["folds"])]
        shares = np.full(len(parts), 1 / len(parts))
    else:
        parts = [split for split in SPLITS if settings["ratios"].get(split, 0) > 0]
        shares = np.array([settings["ratios"][part] for part in parts])
    rows, ids, groups, strata = group_strata(samples, settings["stratify"], int(settings["target_bins"]))
    if not settings["allow_sparse"] and not held:
        refuse_sparse(groups, strata, len(parts))
    place = {part: number for number, part in enumerate(parts)}
    fixed = np.array([place.get(held.get(group, ""), FREE) for group in ids], np.int64)
    dealt: Dealt = deal_groups(groups, shares, fixed)
    sides = [held.get(group, parts[side]) for group, side in zip(ids, dealt.sides.tolist(), strict=True)]
    facts = {"largest_deviation_frac": round(dealt.deviation_frac, 9), "is_proved": dealt.is_proved}
    return pd.Series(sides, dtype="str").take(rows).set_axis(samples.index), facts


def _sides_by_source(samples: pd.DataFrame, test_source: str, held: Mapping[str, str]) -> dict[str, str]:
    if test_source:
        if not (samples["source"] == test_source).any():
            found = ", ".join(sorted(samples["source"].unique()))
            raise UsageError(f"[splits]: test_source {test_source!r} has no sample, expected one of: {found}")
        tested = set(samples.loc[samples["source"] == test_source, "group_id"])
        return {group: held.get(group, "test" if group in tested else "train") for group in samples["group_id"]}
    # A group of several sources is tested with the one that has most of it.
    counts = samples.groupby(["group_id", "source"]).size().reset_index(name="count")
    counts = counts.sort_values(["group_id", "count", "source"], ascending=[True, False, True])
    main = counts.drop_duplicates("group_id").set_index("group_id")["source"]
    folds = {source: number for number, source in enumerate(sorted(main.unique()))}
    return {str(group): held.get(str(group), f"{_FOLD}{folds[source]}") for group, source in main.items()}


def _is_by_source(settings: Mapping[str, Any]) -> bool:
    return settings["kind"] == "leave_one_source_out" and not settings["test_source"]


def _table(samples: pd.DataFrame, *, has_folds: bool) -> pd.DataFrame:
    """Lay out the table; where the sides are folds, all samples are train and `fold` says where they are tested."""
    columns = ["sample_id", "group_id", "split"]
    if has_folds:
        folds = samples["split"].str.removeprefix(_FOLD).astype("int64")
        samples = samples.assign(split="train", fold=folds)
        columns.append("fold")
    return samples[columns].sort_values("sample_id", ignore_index=True)


def split_shares(table: pd.DataFrame) -> dict[str, float]:
    """Share of the samples that each split got, rounded to 6 digits."""
    counts = table["split"].value_counts()
    return {str(split): round(int(counts[split]) / len(table), 6) for split in sorted(counts.index)}

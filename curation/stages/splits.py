"""Table `splits`: which part each sample stands in. No group is ever parted, and none ever changes its side.

Table: sample_id, group_id, split; also `fold` where folds are made or published (-1: in no fold). Settings stand in
the recipe's section `[splits]`:

    kind = "ratios"                ratios = { train = 0.7, validation = 0.2, test = 0.1 }
    kind = "kfold"                 folds = 5; all samples are `train`, `fold` says in which fold they are tested
    kind = "published"             the subject's attributes `split` and `fold` are taken as they are, leaks and all
    kind = "leave_one_source_out"  test_source = "name": its groups are the test, all others train
    stratify = ["label", "attributes.gender", "target"]   each balanced on its own; `target` by target_bins (10),
                                   `group_samples` by how many samples a group has
    allow_sparse = false           whether a class may have fewer groups than there are parts
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from catalog.errors import UsageError
from catalog.schema import SPLITS
from curation.contract import TableInputs, TableResult
from curation.decisions import decision, decisions_frame, records, standing
from curation.ops.balance import deal_groups
from curation.stages.registry import check_params

SETTINGS = ("kind", "ratios", "folds", "test_source", "stratify", "target_bins", "allow_sparse", "seed")
KINDS = ("ratios", "kfold", "published", "leave_one_source_out")
_STRENGTH = {"test": 0, "validation": 1, "train": 2}
"""Where two sides meet, the strongest keeps its samples."""


class SplitsStage:
    """See the module."""

    name = "splits"
    version = 1
    signals: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("samples", "groups")
    reads_verdicts: tuple[str, ...] = ()
    reads_assignments = True

    def run(self, inputs: TableInputs) -> TableResult:
        """Give every sample that stands its side.

        Raises:
            UsageError: unknown settings, or a class that has fewer groups than there are parts.
        """
        settings = checked_settings(inputs.params)
        groups = inputs.tables["groups"].set_index("sample_id")["group_id"]
        samples = standing(inputs.tables["samples"], inputs.decisions).reset_index(drop=True)
        samples["group_id"] = samples["sample_id"].map(groups)
        if settings["kind"] == "published":
            return TableResult(table=published(samples), decisions=decisions_frame())
        if settings["kind"] == "kfold":
            samples["fold"] = _fold_of(samples, settings)
            return TableResult(table=_table(samples.assign(split="train")), decisions=decisions_frame())
        held = held_sides(groups, inputs.assignments)
        sides = _sides(samples, settings, held)
        samples["split"] = samples["group_id"].map(sides).astype("str")
        before = samples["sample_id"].map(inputs.assignments)
        yields = before.notna() & (before != samples["split"])
        rows = [
            decision(self.name, row, "drop", "splits_test_wins", {"was": row["was"], "group_is": row["split"]})
            for row in records(samples.assign(was=before)[yields])
        ]
        table = _table(samples[~yields])
        return TableResult(table=table, decisions=decisions_frame(rows), facts={"shares": split_shares(table)})


def checked_settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the defaults and refuse what cannot be."""
    check_params("splits", params, SETTINGS)
    defaults = {"kind": "ratios", "stratify": [], "target_bins": 10, "allow_sparse": False, "folds": 5}
    settings = {**defaults, "ratios": {"train": 0.7, "validation": 0.2, "test": 0.1}, **params}
    if settings["kind"] not in KINDS:
        raise UsageError(f"[splits]: kind {settings['kind']!r}, expected one of: {', '.join(KINDS)}")
    ratios = settings["ratios"]
    if set(ratios) - set(SPLITS) or min(ratios.values(), default=0) < 0 or abs(sum(ratios.values()) - 1) > 1e-6:
        raise UsageError(f"[splits]: ratios {ratios}, expected shares of {', '.join(SPLITS)} that sum to 1")
    if settings["kind"] == "leave_one_source_out" and "test_source" not in settings:
        raise UsageError("[splits]: kind leave_one_source_out needs test_source")
    if settings["kind"] == "kfold" and settings["folds"] < 2:
        raise UsageError(f"[splits]: folds {settings['folds']}, expected 2 or more")
    return settings


def held_sides(groups: pd.Series, assignments: Mapping[str, str]) -> dict[str, str]:
    """Side of each group that an earlier release gave to any of its samples; of several the strongest.

    Args:
        groups: group_id by sample_id.
        assignments: sample_id -> split.
    """
    known = {str(sample): str(group) for sample, group in groups.items()}
    held: dict[str, str] = {}
    for sample, split in assignments.items():
        if sample in known:
            group = known[sample]
            held[group] = min(held.get(group, split), split, key=_STRENGTH.__getitem__)
    return held


def _sides(samples: pd.DataFrame, settings: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, str]:
    """Give each group its side."""
    if settings["kind"] == "leave_one_source_out":
        tested = set(samples.loc[samples["source"] == settings["test_source"], "group_id"])
        return {group: held.get(group, "test" if group in tested else "train") for group in samples["group_id"]}
    parts = [split for split in SPLITS if settings["ratios"].get(split, 0) > 0]
    ids, strata = group_strata(samples, settings, len(parts))
    fixed = {row: parts.index(held[group]) for row, group in enumerate(ids) if group in held and held[group] in parts}
    dealt = deal_groups(strata, [settings["ratios"][part] for part in parts], fixed)
    sides = {group: parts[side] for group, side in zip(ids, dealt, strict=True)}
    return sides | {group: split for group, split in held.items() if group in sides}


def _fold_of(samples: pd.DataFrame, settings: Mapping[str, Any]) -> pd.Series:
    folds = int(settings["folds"])
    ids, strata = group_strata(samples, settings, folds)
    dealt = dict(zip(ids, deal_groups(strata, [1 / folds] * folds), strict=True))
    return samples["group_id"].map(dealt).astype("int64")


def group_strata(
    samples: pd.DataFrame, settings: Mapping[str, Any], parts_count: int
) -> tuple[list[str], list[dict[int, float]]]:
    """Count each group's samples per stratum, for `deal_groups`; stratum 0 is all of them.

    Raises:
        UsageError: a class has fewer groups than there are parts, and allow_sparse is not set.
    """
    ids = sorted(samples["group_id"].unique())
    rows = samples["group_id"].map({group: row for row, group in enumerate(ids)}).to_numpy(np.int64)
    strata: list[dict[int, float]] = [{0: float(count)} for count in np.bincount(rows, minlength=len(ids))]
    offset = 1
    for name in settings["stratify"]:
        values = stratum_values(samples, name, int(settings["target_bins"]))
        codes, classes = pd.factorize(values, sort=True)
        if not settings["allow_sparse"]:
            _refuse_sparse(name, rows, codes, [str(value) for value in classes], parts_count)
        for row, code in zip(rows, codes, strict=True):
            stratum = offset + int(code)
            strata[row][stratum] = strata[row].get(stratum, 0.0) + 1.0
        offset += len(classes)
    return ids, strata


def stratum_values(samples: pd.DataFrame, name: str, target_bins: int) -> pd.Series:
    """Give the class of each sample that a stratification balances.

    Args:
        samples: SAMPLE_COLUMNS.
        name: a column (`label`, `source`, `slot`), `attributes.<name>`, `target` for bins of equal counts, or
            `group_samples`: how many samples the group has, in bins that double (1, 2, 3-4, 5-8, ...), so that every
            part gets subjects with several pictures.
        target_bins: of the target.

    Raises:
        UsageError: no such column.
    """
    if name == "target":
        ranks = samples["target"].rank(method="average", pct=True).fillna(0)
        return (ranks * target_bins + 0.5).round().clip(1, target_bins).astype("int64").astype("str")
    if name == "group_samples":
        sizes = samples["group_id"].map(samples["group_id"].value_counts())
        # Nine and more are one class: few have so many, and each part needs some of them.
        return sizes.map(lambda size: str(min(4, (int(size) - 1).bit_length()))).astype("str")
    if name.startswith("attributes."):
        key = name.removeprefix("attributes.")
        return samples["attributes"].map(lambda text: str(json.loads(text).get(key, ""))).astype("str")
    if name not in samples.columns:
        raise UsageError(
            f"[splits]: stratify {name!r}, expected label, target, source, slot, group_samples or attributes.<name>"
        )
    return samples[name].astype("str")


def _refuse_sparse(
    name: str, rows: np.ndarray[Any, Any], codes: np.ndarray[Any, Any], classes: Sequence[str], parts_count: int
) -> None:
    pairs = pd.DataFrame({"row": rows, "code": codes}).drop_duplicates()
    counts = pairs["code"].value_counts()
    for code in sorted(counts.index):
        if counts[code] < parts_count:
            raise UsageError(
                f"[splits]: {name} {classes[code]!r} has {counts[code]} groups, {parts_count} parts need one each; "
                "collect more, ask for fewer parts, or set allow_sparse = true"
            )


def published(samples: pd.DataFrame) -> pd.DataFrame:
    """Take the split and fold that the subjects' attributes name.

    Raises:
        UsageError: a sample has none, or one that is none of SPLITS.
    """
    attributes = samples["attributes"].map(json.loads)
    samples = samples.assign(split=attributes.map(lambda facts: str(facts.get("split", ""))).astype("str"))
    wrong = samples[~samples["split"].isin(SPLITS)]
    if len(wrong):
        first = wrong.iloc[0]
        raise UsageError(
            f"[splits]: kind published, but {len(wrong)} samples name no split; sample {first['sample_id'][:16]} "
            f"has {first['split']!r}, expected attributes.split to be one of: {', '.join(SPLITS)}"
        )
    if any("fold" in facts for facts in attributes):
        samples["fold"] = attributes.map(lambda facts: int(facts.get("fold", -1))).astype("int64")
    return _table(samples)


def _table(samples: pd.DataFrame) -> pd.DataFrame:
    columns = ["sample_id", "group_id", "split", *(["fold"] if "fold" in samples.columns else [])]
    return samples[columns].sort_values("sample_id", ignore_index=True)


def split_shares(table: pd.DataFrame) -> dict[str, float]:
    """Share of the samples that each split got, rounded to 6 digits."""
    counts = table["split"].value_counts()
    return {str(split): round(int(counts[split]) / len(table), 6) for split in sorted(counts.index)}

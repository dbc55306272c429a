"""Table `labels`: samples without a label, and pictures or persons that stand under two.

A conflict drops all sides: nothing here can tell which label is right. Table: sample_id, label, target, conflict_id
(empty where there is none).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import pandas as pd

from catalog.errors import UsageError
from catalog.ids import short_id
from catalog.suppressions import normalised_name
from curation.contract import TableInputs, TableResult
from curation.decisions import decision, decisions_frame, records, standing
from curation.stages.duplicates import cluster_of_images
from curation.stages.registry import check_params

SAME_NAME = ("none", "source", "organisation", "all")


class LabelsStage:
    """Setting `same_name`: within what a name means one person (`none`, `source`, `organisation`, `all`)."""

    name = "labels"
    version = 1
    signals: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("samples", "duplicates")
    reads_verdicts: tuple[str, ...] = ()
    reads_assignments = False

    def run(self, inputs: TableInputs) -> TableResult:
        """Judge the samples that stand, and those that were dropped as duplicates of them."""
        check_params(self.name, inputs.params, ("same_name",))
        samples = judged_samples(inputs)
        rows = [
            decision(self.name, row, "drop", "labels_missing")
            for row in records(samples[(samples["label"] == "") & samples["target"].isna()])
        ]
        labelled = samples[samples["label"] != ""].reset_index(drop=True)
        clusters = cluster_of_images(labelled["image_id"], inputs.tables.get("duplicates"))
        is_person = inputs.recipe.subject_kind == "person"
        persons = person_keys(labelled, str(inputs.params.get("same_name", "organisation"))) if is_person else []
        conflicts: dict[str, str] = {}
        for kind, keys in (("picture", clusters), ("person", persons)):
            for conflict_id, members in _conflicts(labelled, keys):
                labels = sorted(members["label"].unique())
                for row in records(members):
                    if row["sample_id"] not in conflicts:
                        conflicts[row["sample_id"]] = conflict_id
                        rows.append(
                            decision(self.name, row, "drop", "labels_conflict", {"same": kind, "labels": labels})
                        )
        table = samples[["sample_id", "label", "target"]].reset_index(drop=True)
        table["conflict_id"] = pd.Series([conflicts.get(name, "") for name in table["sample_id"]], dtype="str")
        decisions = decisions_frame(rows)
        return TableResult(table=table, decisions=decisions, facts={"conflicts_count": len(set(conflicts.values()))})


def judged_samples(inputs: TableInputs) -> pd.DataFrame:
    """Samples that stand or were dropped by `duplicates` alone, in sample_id order."""
    others = inputs.decisions[inputs.decisions["stage"] != "duplicates"]
    return standing(inputs.tables["samples"], others).reset_index(drop=True)


def person_keys(samples: pd.DataFrame, same_name: str) -> Sequence[Hashable | None]:
    """Give what makes two samples the same person by name: one key per sample, None where there is no name.

    Args:
        samples: SAMPLE_COLUMNS.
        same_name: from SAME_NAME.

    Raises:
        UsageError: another word.
    """
    if same_name not in SAME_NAME:
        raise UsageError(f"same_name {same_name!r}, expected one of: {', '.join(SAME_NAME)}")
    if same_name == "none":
        return [None] * len(samples)
    names = [normalised_name(name) for name in samples["name"]]
    if same_name == "all":
        return [name or None for name in names]
    places = samples["source"]
    if same_name == "organisation":
        places = samples["organisation"].where(samples["organisation"] != "", samples["source"])
    return [(place, name) if name else None for place, name in zip(places, names, strict=True)]


def _conflicts(samples: pd.DataFrame, keys: Sequence[Any]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the sets of samples that share a key but not a label."""
    if not len(keys):
        return
    frame = samples.assign(_key=["" if key is None else str(key) for key in keys])
    counts = frame[frame["_key"] != ""].groupby("_key")["label"].nunique()
    for key in sorted(counts[counts > 1].index):
        members = frame[frame["_key"] == key].drop(columns="_key")
        yield short_id("conflict", *sorted(members["sample_id"])), members

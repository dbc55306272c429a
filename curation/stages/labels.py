"""Table `labels`: samples without a label, and pictures or persons that stand under two.

A conflict drops all sides: nothing here can tell which label is right. A person can: the samples of the chosen label
stay, copies among them but for the best, and the others are dropped. Table: sample_id, label, target, conflict_id
(empty where there is none; kept when it is settled).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import pandas as pd

from catalog.errors import UsageError
from catalog.ids import short_id
from curation.contract import TableInputs, TableResult
from curation.decisions import decision, decisions_frame, records, standing
from curation.stages.duplicates import cluster_of_images, duplicate_samples
from curation.stages.registry import check_params
from curation.stages.samples import normalised_names
from curation.verdicts import REJECTED, agreed_answers, label_answer

SAME_NAME = ("none", "source", "organisation", "all")
Row = dict[str, Any]
"""A sample: SAMPLE_COLUMNS."""


class LabelsStage:
    """Setting `same_name`: within what a name means one person (`none`, `source`, `organisation`, `all`)."""

    name = "labels"
    version = 2
    signals: tuple[str, ...] = ("decode",)
    tables: tuple[str, ...] = ("samples", "duplicates")
    reads_verdicts: tuple[str, ...] = ("labels",)
    reads_assignments = False

    def run(self, inputs: TableInputs) -> TableResult:
        """Judge the samples that stand, and those that were dropped as duplicates of them."""
        check_params(self.name, inputs.params, ("same_name",))
        samples = judged_samples(inputs)
        answers = agreed_answers(inputs.verdicts, self.name)
        rows = [
            decision(self.name, row, "drop", "labels_missing")
            for row in records(samples[(samples["label"] == "") & samples["target"].isna()])
        ]
        is_rejected = samples["sample_id"].map(answers) == REJECTED
        rows += [decision(self.name, row, "drop", "labels_verdict") for row in records(samples[is_rejected])]
        samples = samples[~is_rejected].reset_index(drop=True)
        labelled = samples[samples["label"] != ""].reset_index(drop=True)
        clusters = cluster_of_images(labelled["image_id"], inputs.tables.get("duplicates"))
        is_person = inputs.recipe.subject_kind == "person"
        persons = person_keys(labelled, str(inputs.params.get("same_name", "organisation"))) if is_person else []
        conflicts: dict[str, str] = {}
        chosen: list[Row] = []
        for kind, keys in (("picture", clusters), ("person", persons)):
            for conflict_id, members in _conflicts(labelled, keys):
                new = [row for row in members if row["sample_id"] not in conflicts]
                conflicts |= dict.fromkeys((row["sample_id"] for row in new), conflict_id)
                dropped, stay = _settled(new, kind, answers.get(conflict_id, ""))
                rows += dropped
                chosen += stay if kind == "picture" else []
        rows += self._worse_copies(chosen, inputs)
        table = samples[["sample_id", "label", "target"]].reset_index(drop=True)
        table["conflict_id"] = pd.Series([conflicts.get(name, "") for name in table["sample_id"]], dtype="str")
        decisions = decisions_frame(rows)
        return TableResult(table=table, decisions=decisions, facts={"conflicts_count": len(set(conflicts.values()))})

    def _worse_copies(self, chosen: list[Row], inputs: TableInputs) -> list[dict[str, str]]:
        """Drop the worse copies of what a person chose: `duplicates` leaves a cluster under two labels alone."""
        duplicates = inputs.tables.get("duplicates")
        if not chosen or duplicates is None:
            return []
        copies = duplicate_samples(pd.DataFrame(chosen), duplicates, inputs.signals["decode"])
        return [decision(self.name, row, "drop", "duplicate_of", facts) for row, facts in copies]


def _settled(members: list[Row], kind: str, answer: str) -> tuple[list[dict[str, str]], list[Row]]:
    """Decide the samples of one conflict: decisions, and what stays by a person's answer; nothing without one."""
    evidence: dict[str, Any] = {"same": kind, "labels": sorted({row["label"] for row in members})}
    chosen = [row for row in members if label_answer(row["label"]) == answer]
    if chosen:
        evidence["verdict"] = str(chosen[0]["label"])
    dropped = [row for row in members if label_answer(row["label"]) != answer]
    return [decision("labels", row, "drop", "labels_conflict", evidence) for row in dropped], chosen


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
    names = normalised_names(samples["name"])
    if same_name == "all":
        return [name or None for name in names]
    places = samples["source"]
    if same_name == "organisation":
        places = samples["organisation"].where(samples["organisation"] != "", samples["source"])
    return [(place, name) if name else None for place, name in zip(places, names, strict=True)]


def _conflicts(samples: pd.DataFrame, keys: Sequence[Any]) -> Iterator[tuple[str, list[Row]]]:
    """Yield the sets of samples that share a key but not a label."""
    if not len(keys):
        return
    frame = samples.assign(_key=["" if key is None else str(key) for key in keys])
    counts = frame[frame["_key"] != ""].groupby("_key")["label"].nunique()
    torn = frame[frame["_key"].isin(counts[counts > 1].index)].sort_values("_key", kind="stable")
    for _, members in groupby(records(torn), key=itemgetter("_key")):
        rows = list(members)
        yield short_id("conflict", *sorted(row["sample_id"] for row in rows)), rows

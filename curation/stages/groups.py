"""Table `groups`: which samples no split may part.

A group is a connected component over same subject, same person by name, same picture or copy of it, and same item.
Samples that were dropped as duplicates or for their label take part: they may join two that stay. Table: sample_id,
group_id; the id is made of the group's smallest sample_id.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence

import pandas as pd

from catalog.ids import short_id
from curation.contract import TableInputs, TableResult
from curation.decisions import decisions_frame, standing
from curation.ops.components import component_of_keys
from curation.stages.duplicates import cluster_of_images
from curation.stages.labels import person_keys
from curation.stages.registry import check_params


class GroupsStage:
    """Settings: `same_name` (`none`, `source`, `organisation`, `all`; persons only), `same_item` (items only)."""

    name = "groups"
    version = 1
    signals: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("samples", "duplicates")
    reads_verdicts: tuple[str, ...] = ()
    reads_assignments = False

    def run(self, inputs: TableInputs) -> TableResult:
        """Join the samples."""
        check_params(self.name, inputs.params, ("same_name", "same_item"))
        # What is wrong in itself joins nothing: a placeholder or a parcel would tie strangers together.
        wrong = inputs.decisions[inputs.decisions["stage"].isin(("samples", "noise"))]
        samples = standing(inputs.tables["samples"], wrong).reset_index(drop=True)
        keys: list[Sequence[Hashable | None]] = [samples["subject_id"].tolist()]
        keys.append(cluster_of_images(samples["image_id"], inputs.tables.get("duplicates")))
        if inputs.recipe.subject_kind == "person":
            keys.append(person_keys(samples, str(inputs.params.get("same_name", "organisation"))))
        elif inputs.params.get("same_item", True):
            keys.append([json.loads(text).get("item_id") for text in samples["attributes"]])
        components = pd.Series(component_of_keys(keys), dtype="int64")
        # Rows stand in sample_id order, so the first of a component is its smallest.
        ids = samples["sample_id"].groupby(components).first().map(lambda first: short_id("group", first))
        table = pd.DataFrame({"sample_id": samples["sample_id"], "group_id": components.map(ids).astype("str")})
        sizes = table["group_id"].value_counts()
        facts = {"groups_count": len(sizes), "largest_group_samples_count": int(sizes.max()) if len(sizes) else 0}
        return TableResult(table=table, decisions=decisions_frame(), facts=facts)

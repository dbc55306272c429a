"""Table `groups`: which samples no split may part.

A group is a connected component over same subject, same person by name, same picture or copy of it, and same item.
Samples that were dropped as duplicates or for their label take part: they may join two that stay. Table: sample_id,
group_id; the id is made of the group's smallest sample_id.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from catalog.errors import UsageError
from catalog.ids import short_id
from curation.contract import TableInputs, TableResult
from curation.decisions import decisions_frame, standing
from curation.ops.components import component_of_keys, component_of_pairs
from curation.ops.neighbours import nearest_pairs
from curation.stages.duplicates import cluster_of_images
from curation.stages.labels import person_keys
from curation.stages.registry import check_params

NEIGHBOURS = 10
"""Nearest pictures by embedding that `same_face` looks at."""


class GroupsStage:
    """Settings.

    `same_name` (`none`, `source`, `organisation`, `all`; persons only): within what a name means one person.
    `same_face` (0 to 1; persons only): pictures whose embeddings have at least this cosine show one person; needs
    `[stages.embedding]` with a backbone that tells faces apart.
    `same_item` (items only): whether the colours of an item stay together.
    """

    name = "groups"
    version = 2
    signals: tuple[str, ...] = ("embedding",)
    tables: tuple[str, ...] = ("samples", "duplicates")
    reads_verdicts: tuple[str, ...] = ()
    reads_assignments = False

    def run(self, inputs: TableInputs) -> TableResult:
        """Join the samples.

        Raises:
            UsageError: unknown settings, or `same_face` without embeddings.
        """
        check_params(self.name, inputs.params, ("same_name", "same_face", "same_item"))
        # What is wrong in itself joins nothing: a placeholder or a parcel would tie strangers together.
        wrong = inputs.decisions[inputs.decisions["stage"].isin(("samples", "noise"))]
        samples = standing(inputs.tables["samples"], wrong).reset_index(drop=True)
        keys: list[Sequence[Hashable | None]] = [samples["subject_id"].tolist()]
        keys.append(cluster_of_images(samples["image_id"], inputs.tables.get("duplicates")))
        if inputs.recipe.subject_kind == "person":
            keys.append(person_keys(samples, str(inputs.params.get("same_name", "organisation"))))
            if inputs.params.get("same_face"):
                keys.append(face_keys(samples["image_id"], inputs.signals, float(inputs.params["same_face"])))
        elif inputs.params.get("same_item", True):
            keys.append([json.loads(text).get("item_id") for text in samples["attributes"]])
        components = pd.Series(component_of_keys(keys), dtype="int64")
        # Rows stand in sample_id order, so the first of a component is its smallest.
        ids = samples["sample_id"].groupby(components).first().map(lambda first: short_id("group", first))
        table = pd.DataFrame({"sample_id": samples["sample_id"], "group_id": components.map(ids).astype("str")})
        sizes = table["group_id"].value_counts()
        facts = {"groups_count": len(sizes), "largest_group_samples_count": int(sizes.max()) if len(sizes) else 0}
        return TableResult(table=table, decisions=decisions_frame(), facts=facts)


def face_keys(images: pd.Series, signals: Mapping[str, pd.DataFrame], min_similarity: float) -> list[int | None]:
    """Number the persons by their faces: pictures of one number are joined by embeddings that are near.

    Args:
        images: image_id of each sample; one without an embedding (a picture that failed) gets None.
        signals: holds `embedding`.
        min_similarity: cosine in [0, 1] from which two pictures show one person.

    Raises:
        UsageError: no embeddings, or no such cosine.
    """
    if "embedding" not in signals or not 0 < min_similarity <= 1:
        raise UsageError(
            f"[stages.groups]: same_face = {min_similarity} needs [stages.embedding] and a cosine in (0, 1]"
        )
    found = signals["embedding"].set_index("image_id")["embedding"].dropna()
    vectors = found[found.index.isin(images)]
    if vectors.empty:
        return [None] * len(images)
    pairs, _ = nearest_pairs(np.stack(vectors.to_list()).astype(np.float32), NEIGHBOURS, min_similarity)
    person = dict(zip(vectors.index, component_of_pairs(len(vectors), pairs).tolist(), strict=True))
    return [person.get(image) for image in images]

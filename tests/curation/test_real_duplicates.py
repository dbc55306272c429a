"""The whole stage on real pictures of which people said what is a copy of what."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from catalog.ids import pair_key
from catalog.recipe import load_recipe
from curation.curate import curate

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]


def test_precision_and_recall_pooled_over_both_lists(world, shared_data):
    judged: list[tuple[str, str, str]] = []
    for name in ("lfw", "scut"):
        with (shared_data / "near_duplicates" / f"{name}_pairs.csv").open(encoding="utf-8") as stream:
            judged += [(row["a"], row["b"], row["label"]) for row in csv.DictReader(stream)]
    paths = sorted({path for pair in judged for path in pair[:2]})
    rows = [
        {"body": (shared_data / path).read_bytes(), "subject": f"s{number}", "label": "x"}
        for number, path in enumerate(paths)
    ]
    image = dict(zip(paths, world.add(rows, "lfw-and-scut"), strict=True))
    recipe = load_recipe("faces", world.root.recipes)
    stages = {name: {} for name in ("hashes", "thumbnails", "embedding", "duplicates")}
    outcome = curate(replace(recipe, stages=stages, splits={}, pairs={}), world.catalog, world.root, world.config)
    table = outcome.tables["duplicates"]
    copies = set(table.loc[table["is_copy"], "pair_id"])
    found = [(label, pair_key([image[a], image[b]]) in copies) for a, b, label in judged]
    right = sum(is_copy for label, is_copy in found if label == "dup")
    wrong = sum(is_copy for label, is_copy in found if label == "not_dup")
    near = sum(is_copy for label, is_copy in found if label == "near_frame")
    missed = sum(label == "dup" for label, _ in found) - right
    print(f"dup: {right} found, {missed} missed; not_dup: {wrong} taken for copies; near_frame: {near} of 6")
    assert right / (right + missed) >= 0.95
    assert right / (right + wrong) >= 0.95

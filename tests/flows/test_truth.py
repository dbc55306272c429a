from __future__ import annotations

import json
from hashlib import sha256

import pandas as pd
import pytest

from flows.truth import leaks_of_a_random_split
from tests.curation.handmade import make_world


@pytest.fixture
def world(tmp_path):
    made = make_world(tmp_path, items_count=12, per_item=4)
    yield made
    made.catalog.close()


def truth_of(world):
    """What the sample web would have planted: the item of every picture."""
    items: dict[str, list[dict[str, str]]] = {}
    for row in world.curated.tables["samples"].itertuples():
        items.setdefault(json.loads(row.attributes)["item_id"], []).append({"sha256": row.image_id})
    rows = [{"item_id": name, "colors": {"red": photos[0]}, "buyer": photos[1:]} for name, photos in items.items()]
    return {"photos": [], "items": rows}


def naive_leaks(world):
    """Pairs of one item's pictures that a draw by picture puts on two sides: 60, 20, 20."""
    pictures = [
        (json.loads(row.attributes)["item_id"], row.image_id) for row in world.curated.tables["samples"].itertuples()
    ]

    def side(image_id):
        place = int(image_id[:8], 16) / 2**32
        return 0 if place < 0.6 else 1 if place < 0.8 else 2

    return sum(
        item == other_item and image < other and side(image) != side(other)
        for item, image in pictures for other_item, other in pictures
    )  # fmt: skip


def test_groups_join_what_a_random_split_would_leak(world):
    line = leaks_of_a_random_split(truth_of(world), world.curated)
    assert line.planted == line.found == naive_leaks(world) > 20
    assert line.is_good


def test_a_leak_that_no_group_joins_is_shown(world):
    samples = world.curated.tables["samples"]
    alone = pd.DataFrame(
        {"sample_id": samples["sample_id"], "group_id": [sha256(i.encode()).hexdigest() for i in samples["image_id"]]}
    )
    line = leaks_of_a_random_split(truth_of(world), world.with_table("groups", alone).curated)
    assert line.found == 0
    assert not line.is_good

from __future__ import annotations

import json

import pandas as pd
import pytest

from catalog.errors import UsageError
from curation.release.build import build_release
from curation.release.lineage import lineage
from curation.review.answers import answer_cards
from curation.review.progress import build_queue
from tests.curation.handmade import decision_row

NOW = "2026-11-21T08:00:00Z"


def test_a_released_picture_tells_its_way(world, tmp_path):
    cards = build_queue(world.curated, world.catalog)
    answer_cards(world.catalog, cards[:1], lambda card: "good", "ana", NOW)
    release = build_release(world.curated, world.catalog, world.blobs, world.root, NOW)
    path = tmp_path / "somewhere.jpg"
    path.write_bytes(world.blobs.get(cards[0].image_id))
    story = lineage(world.catalog, world.curated, world.root, path)
    assert story == lineage(world.catalog, world.curated, world.root, cards[0].target_id)
    (sample,) = story["samples"]
    assert sample["why_not_released"] is None
    assert [verdict["answer"] for verdict in sample["verdicts"]] == ["good"]
    assert story["releases"][0]["version"] == release.version
    json.dumps(story)


def test_a_dropped_picture_says_why(world):
    sample = world.curated.tables["samples"].iloc[4]
    decisions = pd.DataFrame([decision_row(sample, "noise", "drop", "noise_verdict")])
    story = lineage(world.catalog, world.but(decisions=decisions).curated, world.root, sample["image_id"])
    assert story["samples"][0]["why_not_released"] == "drop: noise_verdict"
    assert story["releases"] == []


def test_an_unknown_picture_is_an_error(world):
    for unknown in ("0" * 64, "no/such/file.jpg"):
        with pytest.raises(UsageError):
            lineage(world.catalog, world.curated, world.root, unknown)

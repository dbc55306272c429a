from __future__ import annotations

import json

import pandas as pd
import pytest

from catalog.db import Catalog
from catalog.errors import UsageError
from curation.review.answers import answer_cards, undo_last
from curation.review.label_studio import export_tasks, import_annotations, labelling_config
from curation.review.progress import queue_cards
from curation.review.queues.registry import QUEUES
from curation.verdicts import load_standing

NOW = "2026-11-21T08:00:00Z"


def url(image_id: str) -> str:
    return f"http://127.0.0.1/{image_id}.jpg"


@pytest.fixture
def exported(world, tmp_path):
    cards = queue_cards(world.curated, "noise")
    answer_cards(world.catalog, cards[:4], lambda card: "noise", "ana", NOW)
    answer_cards(world.catalog, cards[:2], lambda card: "good", "bén", NOW)
    answer_cards(world.catalog, cards[4:6], lambda card: "good", "cleo", NOW)
    undo_last(world.catalog, "noise", "cleo", NOW)
    path = tmp_path / "tasks.json"
    assert export_tasks(world.catalog, cards, url, path) == len(cards)
    return path


def test_answers_go_to_label_studio_and_back(world, exported, tmp_path):
    tasks = json.loads(exported.read_text())
    assert [len(task["annotations"]) for task in tasks[:6]] == [2, 2, 1, 1, 0, 0]
    assert tasks[0]["data"]["image"] == url(world.curated.tables["samples"].set_index("sample_id")["image_id"][
        tasks[0]["data"]["target_id"]])  # fmt: skip
    assert tasks[0]["annotations"][0]["result"][0]["value"] == {"choices": ["noise"]}
    assert import_annotations(world.catalog, exported) == 0  # all known
    with Catalog(f"sqlite:///{tmp_path}/other.db") as other:
        assert [import_annotations(other, exported) for _ in range(2)] == [6, 0]
        columns = ["queue", "target_id", "answer", "reviewer", "answered_at"]
        here, there = (
            load_standing(c)[columns].sort_values(columns, ignore_index=True) for c in (world.catalog, other)
        )
        pd.testing.assert_frame_equal(here, there)


def test_what_was_answered_or_changed_there_comes_in_as_new(world, exported):
    tasks = json.loads(exported.read_text())
    tasks[0]["annotations"][0]["result"][0]["value"]["choices"] = ["good"]
    tasks[0]["annotations"][0]["updated_at"] = "2026-11-21T09:30:00.123456Z"
    choice = {"from_name": "answer", "to_name": "image", "type": "choices", "value": {"choices": ["noise"]}}
    tasks[7]["annotations"] = [
        {"completed_by": 12, "created_at": NOW, "lead_time": 4.5, "was_cancelled": False, "result": [choice]},
        {"completed_by": 13, "created_at": NOW, "was_cancelled": True, "result": [choice]},
    ]
    exported.write_text(json.dumps(tasks))
    assert [import_annotations(world.catalog, exported) for _ in range(2)] == [2, 0]
    standing = {(row.target_id, row.reviewer): row.answer for row in load_standing(world.catalog).itertuples()}
    assert standing[tasks[0]["data"]["target_id"], "ana"] == "good"
    assert standing[tasks[7]["data"]["target_id"], "annotator 12"] == "noise"
    assert len(standing) == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("{}", "expected a list of tasks"),
        ('[{"annotations": [{"result": [{"value": {}}]}]}]', "task 1"),
        ('[{"data": {"queue": "wishes", "target_id": "x"}, "annotations": [{"result": [{}]}]}]', "wishes"),
    ],
)
def test_foreign_files_are_refused_whole(world, tmp_path, text, message):
    path = tmp_path / "odd.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        import_annotations(world.catalog, path)
    assert world.catalog.verdicts() == []


def test_every_queue_has_a_labelling_configuration():
    for name in QUEUES:
        config = labelling_config(name)
        assert 'toName="image"' in config
        assert ("$choices" in config) == (name in ("faces", "labels"))

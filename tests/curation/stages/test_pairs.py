from __future__ import annotations

import pandas as pd

from curation.stages.pairs import PairsStage
from tests.curation.stages.table_inputs import inputs, samples_frame


def world(people: dict[str, int], splits: dict[str, str], groups: dict[str, str] | None = None):
    rows = [{"sample_id": f"{who}{n:03d}", "label": who} for who, count in people.items() for n in range(count)]
    samples = samples_frame(rows)
    table = pd.DataFrame(
        {
            "sample_id": samples["sample_id"],
            "group_id": samples["label"].map(groups or {who: who for who in people}),
            "split": samples["label"].map(splits),
        }
    )
    return {"samples": samples, "groups": table[["sample_id", "group_id"]], "splits": table}


PEOPLE = {"a": 3, "b": 30, "c": 2, "d": 1, "e": 4, "f": 5, "g": 2}
SIDES = {"a": "train", "b": "train", "c": "train", "d": "train", "e": "test", "f": "test", "g": "validation"}


def run(tables, **params):
    return PairsStage().run(inputs(tables, params=params))


def test_half_are_the_same_and_every_pair_is_what_it_says():
    tables = world(PEOPLE, SIDES)
    table = run(tables, train=40, test=10, seed=3).table
    who = dict(zip(tables["samples"]["sample_id"], tables["samples"]["label"], strict=True))
    side = dict(zip(tables["splits"]["sample_id"], tables["splits"]["split"], strict=True))
    for row in table.itertuples():
        assert (who[row.sample_id_a] == who[row.sample_id_b]) == row.is_same
        assert row.sample_id_a < row.sample_id_b
        assert side[row.sample_id_a] == side[row.sample_id_b] == row.split
    assert table.groupby(["split", "is_same"]).size().to_dict() == {
        ("train", True): 20, ("train", False): 20, ("test", True): 5, ("test", False): 5,
    }  # fmt: skip
    assert not table.duplicated(["sample_id_a", "sample_id_b"]).any()


def test_people_with_many_pictures_do_not_crowd_the_set():
    table = run(world(PEOPLE, SIDES), train=6 * 2, seed=1).table
    same = table[table["is_same"]]
    assert same["sample_id_a"].str[0].value_counts()["b"] <= 5


def test_a_small_part_gives_all_it_has_and_stays_half_and_half():
    result = run(world(PEOPLE, SIDES), test=1000)
    counts = result.table["is_same"].value_counts()
    assert counts[True] == 6 + 10
    assert counts[False] <= counts[True]
    assert result.facts["test"]["asked_count"] == 1000


def test_two_names_of_one_group_are_never_called_different():
    tables = world({"a": 4, "b": 4}, {"a": "train", "b": "train"}, {"a": "one", "b": "one"})
    assert run(tables, train=20).table["is_same"].all()


def test_the_seed_alone_decides():
    tables = world(PEOPLE, SIDES)
    pd.testing.assert_frame_equal(run(tables, train=30, seed=5).table, run(tables, train=30, seed=5).table)
    assert not run(tables, train=30, seed=5).table.equals(run(tables, train=30, seed=6).table)

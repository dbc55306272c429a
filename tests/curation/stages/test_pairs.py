from __future__ import annotations

import itertools

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import UsageError
from curation.stages.pair_lists import ListedPair, read_pairs
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


NONE = {"validation": 0, "test": 0, "train": 0}


def run(tables, documents=None, **params):
    return PairsStage().run(inputs(tables, params=NONE | params, documents=documents))


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
    assert counts[True] == counts[False] == 6 + 10  # e has 4 pictures, f 5: fewer pairs of one than 4 * 5 of two
    assert result.facts["test"] == {
        "asked_count": 1000, "same_count": 16, "different_count": 16,
        "same_possible_count": 16, "different_possible_count": 20,
    }  # fmt: skip


def test_two_names_of_one_group_are_never_called_different():
    splits = {"a": "train", "b": "train", "c": "train"}
    tables = world({"a": 4, "b": 4, "c": 1}, splits, {"a": "one", "b": "one", "c": "two"})
    table = run(tables, train=20).table
    different = table[~table["is_same"]]
    assert len(different) == 8
    assert (different["sample_id_b"].str[0] == "c").all()


def test_the_seed_alone_decides():
    tables = world(PEOPLE, SIDES)
    pd.testing.assert_frame_equal(run(tables, train=30, seed=5).table, run(tables, train=30, seed=5).table)
    assert not run(tables, train=30, seed=5).table.equals(run(tables, train=30, seed=6).table)


PEOPLE_MADE = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 5), min_size=1)


@given(PEOPLE_MADE, st.data(), st.integers(0, 60))
@settings(max_examples=300)
def test_the_wished_count_is_met_wherever_there_are_so_many_pairs(people, data, wanted):
    groups = {who: data.draw(st.sampled_from("xyz")) for who in people}
    tables = world(people, dict.fromkeys(people, "train"), groups)
    table = run(tables, train=wanted).table
    samples = tables["samples"]["sample_id"]
    naive = {True: 0, False: 0}
    for a, b in itertools.combinations(samples, 2):
        if a[0] == b[0]:
            naive[True] += 1
        elif groups[a[0]] != groups[b[0]]:
            naive[False] += 1
    each = min(wanted // 2, naive[True], naive[False])
    assert table["is_same"].value_counts().to_dict() == ({True: each, False: each} if each else {})
    assert not table.duplicated(["sample_id_a", "sample_id_b"]).any()
    assert all((a[0] == b[0]) == same for _, a, b, same in table.itertuples(index=False))


def test_lists_of_every_kind_are_read():
    lfw = "2\t1\nJo_Doe\t1\t2\nAnn_Roe\t3\tJo_Doe\t4\nX\t1\t2\nX\t1\tY\t12\n"
    assert read_pairs("pairs.txt", lfw) == [
        ListedPair("Jo_Doe_0001", "Jo_Doe_0002", True, 1), ListedPair("Ann_Roe_0003", "Jo_Doe_0004", False, 1),
        ListedPair("X_0001", "X_0002", True, 2), ListedPair("X_0001", "Y_0012", False, 2),
    ]  # fmt: skip
    assert read_pairs("pairsDevTest.txt", "1\nX\t1\t2\nX\t1\tY\t2\n")[0] == ListedPair("X_0001", "X_0002", True)
    crop = "Jo_Doe_0001 Jo_Doe_0002\nX_0001.pgm  faces/Jo_Doe_0003.pgm\n"
    assert read_pairs("lists/03_test_same.txt", crop) == [
        ListedPair("Jo_Doe_0001", "Jo_Doe_0002", True, 3), ListedPair("X_0001", "Jo_Doe_0003", True, 3),
    ]  # fmt: skip
    table = "fold,a,b,same\n4,lfw/J._D/J._D_0001.jpg,lfw/X/X_0002.jpg,0\n"
    assert read_pairs("view2.csv", table) == [ListedPair("J._D_0001", "X_0002", False, 4)]


@pytest.mark.parametrize(
    ("name", "text"),
    [("pairs.txt", "2 1\nonly two\n"), ("01_train_same.txt", "one\n"), ("p.csv", "x,y\n1,2\n"),
     ("p.csv", "a,b,same\nx,y,maybe\n")],
)  # fmt: skip
def test_what_is_no_list_is_refused(name, text):
    with pytest.raises(UsageError, match=name):
        read_pairs(name, text)


def test_published_pairs_are_taken_where_both_pictures_stand_on_one_side():
    tables = world(PEOPLE, SIDES)
    tables["samples"]["image_url"] = "file:lfw/" + tables["samples"]["sample_id"] + ".jpg"
    text = "a,b,same\nb000.jpg,a000.jpg,0\na000.jpg,a001.jpg,1\na000.jpg,e000.jpg,0\na000.jpg,zz.jpg,0\n"
    result = run(tables, {"lists/mine.csv": text}, lists=["*.csv"])
    assert result.table.values.tolist() == [["train", "a000", "a001", True], ["train", "a000", "b000", False]]
    assert result.facts == {
        "mine.csv": {"listed_count": 4, "taken_count": 2, "missing_count": 1, "two_sides_count": 1}
    }
    with pytest.raises(UsageError, match="lists names no file"):
        run(tables, lists=["*.csv"])

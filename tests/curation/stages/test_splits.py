from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import UsageError
from curation.stages.splits import SplitsStage
from tests.curation.stages.table_inputs import inputs, samples_frame

RATIOS = {"train": 0.6, "validation": 0.2, "test": 0.2}


def world(rows: list[tuple[str, str]], **extra) -> dict[str, pd.DataFrame]:
    """(group, label) per sample."""
    samples = samples_frame(
        {"sample_id": f"{n:04d}", "label": label, **{k: v[n] for k, v in extra.items()}}
        for n, (_, label) in enumerate(rows)
    )
    groups = pd.DataFrame({"sample_id": samples["sample_id"], "group_id": [group for group, _ in rows]})
    return {"samples": samples, "groups": groups}


def run(tables, assignments=None, **params):
    return SplitsStage().run(inputs(tables, params={"ratios": RATIOS} | params, assignments=assignments))


rows = st.lists(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from("xyz")), max_size=40)


@given(rows, rows)
@settings(max_examples=30)
def test_no_group_is_parted_and_growth_moves_none(first, more):
    before = run(world(first), stratify=["label"], allow_sparse=True).table
    assert before.groupby("group_id")["split"].nunique().le(1).all()
    assert len(before) == len(first)
    kept = dict(zip(before["sample_id"], before["split"], strict=True))
    after = run(world(first + more), kept, stratify=["label"], allow_sparse=True)
    sides = dict(zip(after.table["sample_id"], after.table["split"], strict=True))
    assert after.table.groupby("group_id")["split"].nunique().le(1).all()
    assert len(after.decisions) == 0
    assert {sample: sides[sample] for sample in kept} == kept


def test_order_of_rows_changes_nothing():
    found = [(f"g{n // 2}", "xy"[n % 2]) for n in range(40)]
    tables = world(found)
    shuffled = {name: frame.sample(frac=1, random_state=1) for name, frame in tables.items()}
    shuffled["samples"] = shuffled["samples"].sort_values("sample_id", ignore_index=True)
    pd.testing.assert_frame_equal(run(tables).table, run(shuffled).table)


def test_shares_are_met_per_class():
    tables = world([(f"g{n}", "xxy"[n % 3]) for n in range(300)])
    table = run(tables, stratify=["label"]).table.merge(tables["samples"][["sample_id", "label"]])
    counts = table.groupby(["label", "split"]).size()
    assert counts.to_dict() == {
        ("x", "train"): 120, ("x", "validation"): 40, ("x", "test"): 40,
        ("y", "train"): 60, ("y", "validation"): 20, ("y", "test"): 20,
    }  # fmt: skip


def test_a_duplicate_that_joins_two_sides_costs_the_train_side():
    tables = world([("g", "x"), ("g", "x"), ("g", "x")])
    result = run(tables, {"0000": "train", "0001": "test"})
    assert result.table["sample_id"].tolist() == ["0001", "0002"]
    assert set(result.table["split"]) == {"test"}
    assert result.decisions[["sample_id", "outcome", "reason"]].values.tolist() == [
        ["0000", "drop", "splits_test_wins"]
    ]


def test_pictures_alone_may_be_what_no_side_shares():
    tables = world([("person", "x")] * 40)
    tables["duplicates"] = pd.DataFrame(
        {"image_id_a": [f"i-{n:04d}" for n in range(0, 40, 4)], "image_id_b": [f"i-{n:04d}" for n in range(1, 40, 4)],
         "is_copy": True, "cluster_id": [f"c-{n}" for n in range(10)]}
    )  # fmt: skip
    whole = run(tables, allow_sparse=True).table
    assert whole["split"].nunique() == 1
    table = run(tables, disjoint="image").table.set_index("sample_id")
    assert table["split"].value_counts().to_dict() == {"train": 24, "validation": 8, "test": 8}
    assert all(table.loc[f"{n:04d}", "split"] == table.loc[f"{n + 1:04d}", "split"] for n in range(0, 40, 4))


def test_a_class_with_too_few_groups_is_named():
    tables = world([(f"g{n}", "x") for n in range(9)] + [("h", "rare"), ("h", "rare")])
    with pytest.raises(UsageError, match=r"label 'rare' has 1 groups, 3 parts"):
        run(tables, stratify=["label"])
    assert len(run(tables, stratify=["label"], allow_sparse=True).table) == 11


def test_target_is_balanced_by_bins():
    tables = world([(f"g{n}", "") for n in range(200)], target=[float(n) for n in range(200)])
    table = run(tables, stratify=["target"], target_bins=5).table.merge(tables["samples"][["sample_id", "target"]])
    means = table.groupby("split")["target"].mean()
    assert (means - 99.5).abs().max() < 8


def test_several_attributes_are_balanced_at_once():
    facts = [{"gender": "fm"[n % 2], "origin": "ac"[(n // 2) % 2]} for n in range(80)]
    tables = world([(f"g{n}", "") for n in range(80)], attributes=facts)
    table = run(tables, stratify=["attributes.gender", "attributes.origin"]).table.merge(tables["samples"])
    for key in ("gender", "origin"):
        counts = table.groupby([table["attributes"].str.extract(rf'"{key}": "(.)"')[0], "split"]).size()
        assert sorted(counts) == [8, 8, 8, 8, 24, 24]


def test_folds_hold_every_group_once():
    tables = world([(f"g{n // 3}", "xy"[n % 2]) for n in range(60)])
    table = run(tables, kind="kfold", folds=4).table
    assert table.groupby("group_id")["fold"].nunique().eq(1).all()
    assert table["fold"].value_counts().to_dict() == {0: 15, 1: 15, 2: 15, 3: 15}


def test_published_sides_are_taken_as_they_are():
    facts = [{"split": "train", "fold": 1}, {"split": "test", "fold": 2}]
    table = run(world([("g", "x"), ("g", "x")], attributes=facts), kind="published").table
    assert table["split"].tolist() == ["train", "test"]
    assert table["fold"].tolist() == [1, 2]
    with pytest.raises(UsageError, match="name no split"):
        run(world([("g", "x")]), kind="published")


def test_leaving_one_source_out_takes_its_groups_whole():
    tables = world([("g", "x"), ("g", "x"), ("h", "x")], source=["a", "b", "b"])
    table = run(tables, kind="leave_one_source_out", test_source="a").table
    assert table["split"].tolist() == ["test", "test", "train"]


@pytest.mark.parametrize(
    "params",
    [{"kind": "random"}, {"ratios": {"train": 0.5}}, {"ratios": {"train": 0.5, "dev": 0.5}},
     {"kind": "kfold", "folds": 1}, {"stratify": ["colour"]}, {"sead": 1}],
)  # fmt: skip
def test_impossible_wishes_are_refused(params):
    with pytest.raises(UsageError):
        run(world([("g", "x")]), **params)

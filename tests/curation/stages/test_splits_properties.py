"""Random data sets, absurd ones among them, against a checker that shares no code with the split."""

from __future__ import annotations

import itertools
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.release.certificate import FACT_COLUMNS, SAME_PICTURE, CertificateRules, certify
from curation.stages.splits import SplitsStage
from tests.curation.stages.table_inputs import inputs, samples_frame

EXAMPLES = int(os.environ.get("GLEANERY_EXAMPLES", "60"))
"""More are tried where the variable says so."""
pytestmark = pytest.mark.slow

RATIOS = ({"train": 0.7, "validation": 0.2, "test": 0.1}, {"train": 0.5, "test": 0.5}, {"test": 1.0})
ORDER = ("test", "validation", "train")
ROWS = st.lists(st.tuples(st.integers(0, 12), st.sampled_from("xyz")), max_size=30)
"""(group, label) per sample."""
ONE_GROUP = st.integers(0, 60).map(lambda count: [(0, "x")] * count)
ONE_CLASS = st.lists(st.tuples(st.integers(0, 40), st.just("x")), max_size=40)
GIANT = st.integers(0, 30).map(lambda count: [(0, "xyz"[n % 3]) for n in range(60)] + [(n, "x") for n in range(count)])
SINGLES = st.integers(0, 60).map(lambda count: [(n, "xyz"[n % 3]) for n in range(count)])
DATA_SETS = st.one_of(ROWS, ONE_GROUP, ONE_CLASS, GIANT, SINGLES)
KINDS = st.one_of(
    st.sampled_from(RATIOS).map(lambda ratios: {"ratios": ratios}),
    st.integers(2, 5).map(lambda n: {"kind": "kfold", "folds": n}),
)


def split(rows, params, assignments=None):
    """Run the stage; gives (side of each sample that stands, ids of those that yield)."""
    samples = samples_frame({"sample_id": f"{n:04d}", "label": label} for n, (_, label) in enumerate(rows))
    groups = pd.DataFrame({"sample_id": samples["sample_id"], "group_id": [f"g{group}" for group, _ in rows]})
    wishes = {"stratify": ["label"], "allow_sparse": True, **params}
    tables = {"samples": samples, "groups": groups.astype("str")}
    result = SplitsStage().run(inputs(tables, params=wishes, assignments=assignments))
    table = result.table
    side = "fold " + table["fold"].astype("str") if "fold" in table else table["split"]
    return dict(zip(table["sample_id"], side, strict=True)), set(result.decisions["sample_id"])


def check_not_parted(rows, sides):
    seen: dict[int, str] = {}
    for n, (group, _) in enumerate(rows):
        side = sides.get(f"{n:04d}")
        if side is not None:
            assert seen.setdefault(group, side) == side


@given(DATA_SETS, DATA_SETS, KINDS)
@settings(max_examples=EXAMPLES)
def test_no_group_is_parted_and_growth_moves_none(first, more, params):
    before, dropped = split(first, params)
    assert set(before) == {f"{n:04d}" for n in range(len(first))}
    assert not dropped
    check_not_parted(first, before)
    grown = first + [(group + 5, label) for group, label in more]  # some join old groups, some are new
    after, dropped = split(grown, params, before)
    assert not dropped
    assert {sample: after[sample] for sample in before} == before
    check_not_parted(grown, after)


def strength(side):
    """Test wins over validation, that over train; of two folds the one of the lower number."""
    return ORDER.index(side) if side in ORDER else int(side.removeprefix("fold "))


@given(DATA_SETS, st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4), KINDS)
@settings(max_examples=EXAMPLES)
def test_a_copy_that_joins_two_sides_costs_the_weaker_one(rows, joins, params):
    before, _ = split(rows, params)
    merged = list(rows)
    for one, other in joins:
        merged = [(one if group == other else group, label) for group, label in merged]
    after, dropped = split(merged, params, before)
    check_not_parted(merged, after)
    assert dropped | set(after) == set(before)
    assert not dropped & set(after)
    for n, (group, _) in enumerate(merged):
        sides = {before[f"{m:04d}"] for m, (other, _) in enumerate(merged) if other == group}
        strongest = min(sides, key=strength)
        sample = f"{n:04d}"
        assert (sample in dropped) == (before[sample] != strongest)
        assert after.get(sample, strongest) == strongest
    # And once more with what the second release kept: nothing moves, what was dropped stays out.
    again, dropped_again = split(merged, params, before | after)
    assert (again, dropped_again) == (after, dropped)


@given(DATA_SETS.filter(bool), st.sampled_from(RATIOS), st.randoms(use_true_random=False))
@settings(max_examples=EXAMPLES)
def test_the_certificate_of_a_split_is_the_naive_count(rows, ratios, random):
    sides, _ = split(rows, {"ratios": ratios})
    facts = pd.DataFrame([dict.fromkeys(FACT_COLUMNS, "") for _ in rows])
    facts["sample_id"] = [f"{n:04d}" for n in range(len(rows))]
    facts["split"] = [sides[f"{n:04d}"] for n in range(len(rows))]
    facts["label"] = [label for _, label in rows]
    facts["group_id"] = [f"g{group}" for group, _ in rows]
    facts["page_url"] = [random.choice("pqr") for _ in rows]
    facts["phash"] = np.array([random.getrandbits(64) for _ in rows], np.uint64)
    facts["fold"], facts["target"] = -1, float("nan")
    rules = CertificateRules(
        leaks=("groups", *SAME_PICTURE), name_scope="all", targets=ratios, is_own_split=True, has_balanced_labels=True
    )
    certificate = certify(facts, rules)
    assert certificate["is_leak_free"]
    records = facts.to_dict("records")
    for pair in certificate["pairs"]:
        left, right = ([row for row in records if row["split"] == part] for part in pair["parts"])
        both = list(itertools.product(left, right))
        assert pair["shared"]["groups"] == 0
        assert pair["shared"]["pages"] == len({a["page_url"] for a, b in both if a["page_url"] == b["page_url"]})
        nearest = min(bin(a["phash"] ^ b["phash"]).count("1") for a, b in both)
        assert pair["nearest"]["phash"]["distance"] == nearest
    for part, counts in certificate["parts"].items():
        assert counts["samples_count"] == sum(row["split"] == part for row in records)
        assert counts["groups_count"] == len({row["group_id"] for row in records if row["split"] == part})


@pytest.mark.parametrize("kind", [{"ratios": RATIOS[0]}, {"kind": "kfold"}, {"kind": "leave_one_source_out"}])
def test_nothing_at_all_gives_an_empty_table(kind):
    sides, dropped = split([], kind)
    assert (sides, dropped) == ({}, set())

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.schema import SPLITS
from curation.release.certificate import (
    ALWAYS_LEAKS,
    SHARED,
    CertificateRules,
    certify,
)
from curation.release.nearest import nearest_embedding, nearest_hash, nearest_pixels, quantised

RULES = CertificateRules(leaks=ALWAYS_LEAKS, name_scope="all", targets={}, is_own_split=True)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "split": st.sampled_from(SPLITS),
            "label": st.sampled_from(["a", "b", ""]),
            "phash": st.integers(0, 2**64 - 1),
        }
        | {column: st.sampled_from(["", "x", "y", "z"]) for column in SHARED.values()}
    ),
    max_size=12,
)


def facts_of(rows):
    frame = pd.DataFrame(rows, columns=["split", "label", "phash", *SHARED.values()])
    frame["fold"], frame["target"] = -1, float("nan")
    frame["sample_id"] = [f"{number:064x}" for number in range(len(rows))]
    return frame.astype({"phash": "uint64"})


@settings(max_examples=300)
@given(ROWS)
def test_certificate_equals_naive_loops(rows):
    """Loops over all pairs of samples, sharing no code with the certificate."""
    certificate = certify(facts_of(rows), RULES)
    leaks = False
    by_parts = {tuple(pair["parts"]): pair for pair in certificate["pairs"]}
    for left_part, right_part in itertools.combinations(("train", "validation", "test"), 2):
        left = [row for row in rows if row["split"] == left_part]
        right = [row for row in rows if row["split"] == right_part]
        if not left or not right:
            assert (left_part, right_part) not in by_parts
            continue
        pair = by_parts[left_part, right_part]
        for what, column in SHARED.items():
            shared = {a[column] for a in left for b in right if a[column] and a[column] == b[column]}
            assert pair["shared"][what] == len(shared)
            leaks = leaks or (what in ALWAYS_LEAKS and bool(shared))
        nearest = min(bin(a["phash"] ^ b["phash"]).count("1") for a in left for b in right)
        assert pair["nearest"]["phash"]["distance"] == nearest
    assert certificate["is_leak_free"] == (not leaks)
    for part, classes in certificate["balance"]["classes"].items():
        for label, found in classes.items():
            assert found["count"] == sum(row["split"] == part and row["label"] == label for row in rows)


def test_nearest_distance_crosses_block_borders():
    rng = np.random.default_rng(1)
    left, right = (rng.integers(0, 2**64, size, dtype=np.uint64) for size in (5000, 40))
    right[33] = left[4500] ^ np.uint64(0b101)
    found = nearest_hash(left, right)
    assert (found.distance, found.left, found.right) == (2, 4500, 33)
    assert nearest_hash(left, right[:0]) is None


def test_nearest_pictures_equal_naive_loops():
    rng = np.random.default_rng(2)
    left, right = (rng.integers(0, 256, (size, 256), dtype=np.uint8) for size in (37, 21))
    naive = min(
        (float(np.sqrt(np.mean((a.astype(float) - b) ** 2))), i, j)
        for i, a in enumerate(left) for j, b in enumerate(right)
    )  # fmt: skip
    found = nearest_pixels(left, right)
    assert (found.distance, found.left, found.right) == (round(naive[0], 3), *naive[1:])
    vectors = [rng.normal(size=(size, 40)) for size in (37, 21)]
    left, right = (quantised(rows / np.linalg.norm(rows, axis=1, keepdims=True)) for rows in vectors)
    a_, b_ = left.astype(float), right.astype(float)
    naive = min(
        (1 - float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)), i, j)
        for i, a in enumerate(a_) for j, b in enumerate(b_)
    )  # fmt: skip
    found = nearest_embedding(left, right)
    assert (found.left, found.right) == naive[1:]
    assert found.distance == pytest.approx(naive[0], abs=1e-6)


@settings(max_examples=200)
@given(
    ROWS.filter(bool), st.sampled_from([{"train": 0.7, "validation": 0.2, "test": 0.1}, {"train": 0.5, "test": 0.5}])
)
def test_shares_and_their_floor_equal_naive_counts(rows, targets):
    rules = replace(RULES, targets=targets, has_balanced_labels=True)
    optimum = certify(facts_of(rows), rules)["balance"]["optimum"]
    strata = [rows, *[[row for row in rows if row["label"] == label] for label in ("a", "b", "")]]
    worst = max(
        abs(sum(row["split"] == part for row in stratum) / len(stratum) - share)
        for stratum in strata if stratum for part, share in targets.items()
    )  # fmt: skip
    assert optimum["largest_share_deviation_frac"] == pytest.approx(worst, abs=1e-6)
    assert optimum["distance_frac"] == pytest.approx(
        max(0, optimum["largest_share_deviation_frac"] - optimum["least_possible_frac"]), abs=2e-6
    )


@pytest.mark.parametrize("deviation", [0.0, 0.5])
def test_balance_tells_the_largest_deviation(deviation):
    rows = [
        {"split": split, "label": label, "phash": 0} | dict.fromkeys(SHARED.values(), "")
        for split, label in [
            ("train", "a"),
            ("train", "a" if deviation else "b"),
            ("test", "b"),
            ("test", "b" if deviation else "a"),
        ]
    ]
    assert certify(facts_of(rows), RULES)["balance"]["largest_class_deviation_frac"] == deviation

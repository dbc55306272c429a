from __future__ import annotations

import itertools

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
    nearest_distance,
)

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
    frame["sample_id"] = [f"{number:064x}" for number in range(len(rows))]
    return frame.astype({"phash": "uint64"})


@settings(max_examples=300, deadline=None)
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
        assert pair["nearest_phash_distance_bits"] == nearest
    assert certificate["is_leak_free"] == (not leaks)
    for part, classes in certificate["balance"]["classes"].items():
        for label, found in classes.items():
            assert found["count"] == sum(row["split"] == part and row["label"] == label for row in rows)


def test_nearest_distance_crosses_block_borders():
    rng = np.random.default_rng(1)
    left, right = (rng.integers(0, 2**64, size, dtype=np.uint64) for size in (5000, 40))
    right[33] = left[4500] ^ np.uint64(0b101)
    assert nearest_distance(left, right) == (2, 4500, 33)
    assert nearest_distance(left, right[:0]) is None


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

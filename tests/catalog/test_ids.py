from __future__ import annotations

import hashlib
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from catalog import ids

PART = st.one_of(st.none(), st.text(), st.integers())


def test_image_id_is_the_sha256_of_the_raw_body() -> None:
    assert ids.image_id(b"abc") == hashlib.sha256(b"abc").hexdigest()


@given(st.lists(PART, max_size=4), st.lists(PART, max_size=4))
def test_other_parts_give_another_id(a: list[str | int | None], b: list[str | int | None]) -> None:
    same_type_and_value = json.dumps(a) == json.dumps(b)
    assert (ids.short_id("x", *a) == ids.short_id("x", *b)) == same_type_and_value


def test_ids_hide_names() -> None:
    assert re.fullmatch(r"subj_[0-9a-f]{16}", ids.subject_id("uni", "Ada Example"))


def test_run_ids_sort_by_time() -> None:
    early, late = ids.run_id("2026-11-21T09:59:59Z", "b"), ids.run_id("2026-11-21T10:00:00Z", "a")
    assert early < late


def test_a_sample_differs_by_box_and_subject() -> None:
    samples = {ids.sample_id("a" * 64, box, who) for box in (None, (0, 0, 9, 9)) for who in ("s1", "s2")}
    assert len(samples) == 4


def test_pair_key_has_no_order() -> None:
    assert ids.pair_key(["b", "a"]) == ids.pair_key(["a", "b"])

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from catalog.errors import ReviewNeeded, UsageError
from curation.release.gates import check_gates
from curation.review.agreement import cohen_kappa, disagreements, mean_kappa, pair_agreements
from curation.review.answers import answer_cards
from curation.review.progress import build_queue, measure_progress, queue_cards
from tests.curation.handmade import make_world

NOW = "2026-11-21T08:00:00Z"
WORDS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=30)


@given(WORDS)
def test_kappa_is_that_of_scikit_learn(rows):
    left, right = [a for a, _ in rows], [b for _, b in rows]
    kappa = cohen_kappa(left, right)
    if len({*left, *right}) == 1:
        assert kappa is None
    else:
        assert kappa == pytest.approx(cohen_kappa_score(left, right))


def test_pairs_mean_and_open_disagreements():
    said = {"ana": "ggnn", "ben": "ggng", "cleo": "g"}
    standing = {(str(n), name): answer for name, answers in said.items() for n, answer in enumerate(answers)}
    pairs = {
        (p.reviewer_a, p.reviewer_b): (p.common_count, p.agreed_count, p.kappa) for p in pair_agreements(standing)
    }
    assert pairs == {("ana", "ben"): (4, 3, 0.5), ("ana", "cleo"): (1, 1, None), ("ben", "cleo"): (1, 1, None)}
    assert mean_kappa(pair_agreements(standing)) == 0.5
    assert disagreements(standing) == {"3": {"ana": "n", "ben": "g"}}
    assert disagreements({**standing, ("3", "cleo"): "g"}) == {}


@pytest.fixture
def large(tmp_path):
    made = make_world(tmp_path / "large", items_count=20)  # 40 buyers' photos
    yield made
    made.catalog.close()


def test_the_kappa_gate_waits_for_common_cards_and_then_for_agreement(large):
    world = large.with_recipe(gates={"kappa": {"noise": 0.7}})
    cards = queue_cards(world.curated, "noise")
    answer_cards(world.catalog, cards, lambda card: "noise" if card.target_id < "8" else "good", "ana", NOW)
    with pytest.raises(ReviewNeeded) as waits:
        check_gates(world.curated, world.catalog)
    assert waits.value.missing_count == 20
    answer_cards(world.catalog, cards[:24], lambda card: "good", "ben", NOW)
    with pytest.raises(ReviewNeeded) as waits:
        check_gates(world.curated, world.catalog)
    assert waits.value.missing_count == sum(card.target_id < "8" for card in cards[:24])
    answer_cards(world.catalog, cards[:24], lambda card: "noise" if card.target_id < "8" else "good", "ben", "later")
    check_gates(world.curated, world.catalog)
    with pytest.raises(UsageError, match="number per queue"):
        check_gates(world.with_recipe(gates={"kappa": 0.7}).curated, world.catalog)


def test_people_may_stop_when_the_lower_ends_reach_the_targets(large):
    cards = build_queue(large.curated, large.catalog)
    answer_cards(large.catalog, cards, lambda card: "good", "ana", NOW)
    loose, strict = (
        large.with_recipe(gates={"noise_cards": 10}, review=targets) for targets in ({}, {"precision": 0.9})
    )
    assert measure_progress(loose.curated, loose.catalog).may_stop
    assert not measure_progress(strict.curated, strict.catalog).may_stop  # no model, no estimate

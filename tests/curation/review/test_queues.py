from __future__ import annotations

import pandas as pd
import pytest

from catalog.db import Catalog
from catalog.errors import UsageError
from curation.ops.estimates import wilson_interval
from curation.review.answers import answer_cards, undo_last
from curation.review.exchange import export_verdicts, import_verdicts
from curation.review.progress import build_queue, measure_progress
from curation.verdicts import load_standing
from tests.curation.handmade import make_world

NOW = "2026-11-21T08:00:00Z"


@pytest.fixture
def large(tmp_path):
    made = make_world(tmp_path / "large", items_count=100)  # 200 buyers' photos
    yield made
    made.catalog.close()


def judged(world, prob_of):
    samples = world.curated.tables["samples"].query("slot == 'buyer'")
    noise = pd.DataFrame({"sample_id": samples["sample_id"], "noise_prob": [prob_of(i) for i in range(len(samples))]})
    return world.with_table("noise", noise).but(facts={"noise": {"is_trained": True}})


def test_before_a_model_subjects_take_turns(large):
    cards = [card for card in build_queue(large.curated, large.catalog) if not card.is_random]
    subject = large.curated.tables["samples"].set_index("sample_id")["subject_id"]
    subjects_count = len({subject[card.target_id] for card in cards})
    first = [subject[card.target_id] for card in cards[:subjects_count]]
    assert len(set(first)) == subjects_count
    assert {card.preset for card in cards} == {"good"}
    assert {card.model_answer for card in cards} == {None}


def test_uncertain_cards_come_first_and_a_fifth_is_random(large):
    world = judged(large, lambda i: (i % 100) / 100)
    cards = build_queue(world.curated, world.catalog)
    doubts = [abs(card.model_prob - 0.5) for card in cards if not card.is_random]
    assert doubts == sorted(doubts)
    assert sum(card.is_random for card in cards[:100]) == 20
    assert all(card.preset == ("noise" if card.model_prob >= 0.5 else "good") for card in cards)
    random_probs = [card.model_prob for card in cards if card.is_random]
    assert min(random_probs) < 0.15  # drawn without regard to the model
    assert max(random_probs) > 0.85


def test_the_random_draw_does_not_depend_on_the_model(large):
    def draw(world):
        return {card.target_id for card in build_queue(world.curated, world.catalog) if card.is_random}

    assert draw(large) == draw(judged(large, lambda i: i / 200))


def test_progress_counts_people_gate_and_model(large):
    world = judged(large, lambda i: 0.9).with_recipe(gates={"noise_cards": 50})
    cards = build_queue(world.curated, world.catalog)
    answer_cards(world.catalog, cards[:40], lambda card: "noise", "ana", NOW)
    progress = measure_progress(world.curated, world.catalog, reviewer="ana")
    assert (progress.answered_count, progress.missing_count, progress.mine_count) == (40, 10, 40)
    assert (progress.random_count, progress.agreement.frac, progress.precision.frac) == (8, 1.0, 1.0)
    low, high = wilson_interval(8, 8)
    assert low == pytest.approx(0.6756, abs=1e-3)
    assert high == 1.0


def test_verdicts_travel_as_json_lines(large, tmp_path):
    cards = build_queue(large.curated, large.catalog)[:6]
    answer_cards(large.catalog, cards, lambda card: "noise", "ana", NOW)
    undo_last(large.catalog, "noise", "ana", NOW)
    answer_cards(large.catalog, cards[:2], lambda card: "good", "bén", NOW)
    path = tmp_path / "verdicts.jsonl"
    assert export_verdicts(large.catalog, path) == 14
    with Catalog(f"sqlite:///{tmp_path}/other.db") as other:
        assert [import_verdicts(other, path) for _ in range(2)] == [14, 0]
        frames = [load_standing(catalog) for catalog in (large.catalog, other)]
        pd.testing.assert_frame_equal(*frames)
        assert set(frames[0]["reviewer"]) == {"bén"}
        path.write_text(path.read_text() + '{"type": "verdict", "queue": "wishes"}\n')
        with pytest.raises(UsageError, match="line 15"):
            import_verdicts(other, path)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from catalog.errors import UsageError
from catalog.schema import Verdict
from curation.ops.noise_head import precise_threshold
from curation.stages.noise import NoiseStage
from tests.curation.stages.table_inputs import inputs, samples_frame


def world(count: int = 120):
    """Samples whose embedding tells noise (every fourth) from good, with some overlap."""
    random = np.random.default_rng(0)
    is_noise = np.arange(count) % 4 == 0
    vectors = random.normal(0, 0.3, (count, 8)) + np.where(is_noise[:, None], 1.0, -1.0) * np.eye(8)[0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    samples = samples_frame(
        {"sample_id": f"{n:04d}", "subject_id": f"u{n // 2}", "slot": "buyer"} for n in range(count)
    )
    embedding = pd.DataFrame({"image_id": samples["image_id"], "embedding": list(vectors.astype(np.float32))})
    return samples, {"embedding": embedding}, dict(zip(samples["sample_id"], is_noise, strict=True))


def answers(truth: dict[str, bool], names) -> list[Verdict]:
    return [
        Verdict(
            verdict_id=f"v{n}",
            queue="noise",
            target_id=name,
            answer="noise" if truth[name] else "good",
            reviewer="r",
            answered_at="2026-11-21T05:00:00Z",
        )
        for n, name in enumerate(names)
    ]


def run(samples, signals, verdicts=(), **params):
    return NoiseStage().run(inputs({"samples": samples}, signals=signals, verdicts=verdicts, params=params))


def test_nothing_is_decided_before_there_are_verdicts():
    samples, signals, truth = world()
    for verdicts in ([], answers(truth, list(truth)[1:4])):
        result = run(samples, signals, verdicts)
        assert len(result.decisions) == 0
        assert set(result.table["noise_prob"]) == {0.5}
        assert sorted(result.table["review_order"]) == list(range(len(samples)))
        assert not result.facts["is_trained"]


def test_the_head_learns_what_people_said():
    samples, signals, truth = world()
    asked = list(truth)[:60]
    result = run(samples, signals, answers(truth, asked), precision=0.95)
    rest = result.table[~result.table["sample_id"].isin(asked)]
    dropped = set(result.decisions.loc[result.decisions["reason"] == "noise_above_threshold", "sample_id"])
    noise = {name for name in rest["sample_id"] if truth[name]}
    assert dropped <= noise
    assert len(dropped) >= 0.8 * len(noise)
    assert result.facts["precision"]["frac"] >= 0.95
    assert result.table.loc[result.table["sample_id"].isin(asked), "review_order"].min() == len(rest)


def test_an_explicit_verdict_wins_over_the_head():
    samples, signals, truth = world()
    asked = list(truth)[:60]
    wrong = asked[4]  # looks like noise, but somebody says it is good
    verdicts = [v for v in answers(truth, asked) if v.target_id != wrong] + answers({wrong: False}, [wrong])
    result = run(samples, signals, verdicts)
    reasons = dict(zip(result.decisions["sample_id"], result.decisions["reason"], strict=True))
    assert wrong not in reasons
    assert reasons[asked[0]] == "noise_verdict"


def test_the_uncertain_wait_only_where_the_recipe_asks():
    samples, signals, _ = world()
    held = run(samples, signals, hold_uncertain=True)
    assert set(held.decisions["outcome"]) == {"review"}
    assert set(held.decisions["reason"]) == {"noise_uncertain"}


def test_other_slots_are_left_alone():
    samples, signals, _ = world(8)
    samples.loc[:3, "slot"] = "seller"
    assert run(samples, signals, slots=["buyer"]).table["sample_id"].tolist() == samples["sample_id"].tolist()[4:]


def test_threshold_is_the_lowest_that_keeps_the_precision():
    probs = np.array([0.9, 0.8, 0.8, 0.7, 0.6, 0.1])
    truth = np.array([True, True, False, True, True, False])
    assert precise_threshold(probs, truth, 0.8) == 0.6
    assert precise_threshold(probs, truth, 0.9) == 0.9
    assert precise_threshold(probs, ~truth, 0.99) == float("inf")


def test_needs_the_embedding():
    samples, _, _ = world(4)
    with pytest.raises(UsageError, match="embedding"):
        run(samples, {})

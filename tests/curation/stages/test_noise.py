from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from catalog.errors import UsageError
from catalog.schema import Verdict
from curation.stages.clean import CleanStage
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


def test_three_outcomes_and_what_is_merely_marked():
    samples, signals, truth = world(240)
    asked = list(truth)[:120]
    verdicts = answers(truth, asked)
    held = run(samples, signals, verdicts, hold_uncertain=True)
    outcomes = dict(zip(held.decisions["sample_id"], held.decisions["outcome"], strict=True))
    kept = [name for name in samples["sample_id"] if name not in outcomes]
    assert {"drop"} <= set(outcomes.values()) <= {"drop", "review"}
    assert np.mean([truth[name] for name in kept]) <= 0.02
    marked = run(samples, signals, verdicts, hold_uncertain=True, keep_marked=True)
    assert marked.decisions["sample_id"].tolist() == held.decisions["sample_id"].tolist()
    assert marked.decisions["reason"].tolist() == held.decisions["reason"].tolist()
    assert set(marked.decisions["outcome"]) == {"keep"}


def test_the_head_is_kept_with_its_labels_and_thresholds():
    samples, signals, truth = world()
    one, same, other = (run(samples, signals, answers(truth, list(truth)[:count])) for count in (60, 60, 70))
    head = json.loads(one.files["head.json"])
    assert head["facts"]["data_version"] == one.facts["data_version"]
    assert len(head["head"]["weights"]) == 8
    assert one.files == same.files
    assert one.facts["data_version"] != other.facts["data_version"]
    for name in ("precision", "recall", "kept_noise"):
        share = one.facts[name]
        assert share["low_frac"] <= share["frac"] <= share["high_frac"]
    assert run(samples, signals).files == {}


def test_recall_may_be_stated_instead_of_precision():
    samples, signals, truth = world(240)
    facts = run(samples, signals, answers(truth, list(truth)[:120]), recall=0.9).facts
    assert facts["recall"]["frac"] >= 0.9
    with pytest.raises(UsageError, match="expected 0 to 1"):
        run(samples, signals, recall=90)


def test_a_new_crawl_unlike_the_labelled_is_asked_about_first():
    samples, signals, truth = world(200)
    vectors = np.stack(signals["embedding"]["embedding"])
    samples.loc[160:, "source"] = "other-shop"
    vectors[160:] = np.random.default_rng(1).normal(0, 0.05, (40, 8)) + np.eye(8)[5]
    vectors[160:] /= np.linalg.norm(vectors[160:], axis=1, keepdims=True)
    signals = {"embedding": signals["embedding"].assign(embedding=list(vectors))}
    result = run(samples, signals, answers(truth, list(truth)[:80]))
    assert result.facts["drift"]["sources"] == ["other-shop"]
    assert result.facts["drift"]["unlike_count"] >= 40
    new = set(samples["sample_id"][160:])
    first = result.table.sort_values("review_order")["sample_id"].tolist()[:3]
    assert new & set(first)
    assert run(samples.iloc[:160], signals, answers(truth, list(truth)[:80])).facts["drift"]["sources"] == []


def test_noise_goes_from_the_sides_that_must_be_clean():
    samples, signals, truth = world()
    marked = run(samples, signals, answers(truth, list(truth)), keep_marked=True)
    side = pd.Series(np.where(np.arange(len(samples)) % 2 == 0, "train", "test"))
    splits = pd.DataFrame({"sample_id": samples["sample_id"], "split": side})

    def clean(**params):
        given = inputs({"samples": samples, "splits": splits}, decisions=marked.decisions, params=params,
                       stages={"noise": {}})  # fmt: skip
        return set(CleanStage().run(given).decisions["sample_id"])

    noise = {name for name, is_noise in truth.items() if is_noise}
    assert clean() == noise & set(samples["sample_id"][side == "train"])
    assert clean(sides=["train", "test"]) == noise
    with pytest.raises(UsageError, match="unknown side"):
        clean(sides=["left"])
    with pytest.raises(UsageError, match="needs"):
        CleanStage().run(inputs({"samples": samples}))


def test_needs_the_embedding():
    samples, _, _ = world(4)
    with pytest.raises(UsageError, match="embedding"):
        run(samples, {})

"""Table `noise`: how probable it is that a picture shows something else, learnt from people's verdicts.

A calibrated linear head on the frozen embedding and a few cheap signals (`curation.ops.noise_head`). Before enough
verdicts exist nothing is decided: probabilities are 0.5 and the order of review is spread out. Three outcomes: `drop`
above a threshold, `keep` below another, and in between what the recipe says. The fitted head stands in the stage's
folder as `head.json`, with the version of the labels that it learnt from.

Table: sample_id, noise_prob (of answered pictures the cross-validated one, so that it is honest everywhere),
review_order (0 = ask first; answered ones last), verdict (`good`, `noise` or empty), is_unlike (no labelled picture is
near).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.ids import digest
from curation.contract import TableInputs, TableResult
from curation.decisions import decision, decisions_frame, records, standing
from curation.ops.estimates import estimate, wilson_interval
from curation.ops.noise_head import (
    FOLDS,
    Head,
    diverse_order,
    fit_head,
    midway,
    nearest_similarity,
    precise_threshold,
    recalling_threshold,
)
from curation.stages.registry import check_params
from curation.verdicts import agreed_answers

SETTINGS: dict[str, Any] = {
    "slots": [],  # pictures of these slots alone; empty: all
    "precision": 0.98,  # of what is dropped, as estimated by cross-validation
    "recall": 0.0,  # of the noise; where above 0 the threshold is chosen for it and not for the precision
    "kept_noise_frac": 0.02,  # at most so much noise among what is surely good
    "min_verdicts": 30,
    "hold_uncertain": False,  # whether what is neither surely noise nor surely good waits for review
    "keep_marked": False,  # noise is kept, with its reason: the stage `clean` drops it from some sides
}
_MIN_PER_CLASS = 5
_EVEN = 0.5
_CHEAP = ("sharpness", "brightness_frac", "contrast_frac", "entropy_bits", "colourfulness", "border_frac")
_FACES = "has_face"
_CHEAP_WEIGHT = 0.1
"""The embedding has length 1 and 1,280 numbers: a standardised signal of this size counts as much as some of them."""
_ORDERED_COUNT = 96
"""Cards whose order is made diverse: four pages, by when the model has learnt anew."""
_UNLIKE_FRAC = 0.02
"""A picture is unlike the labelled ones where only so many of these are as far from all others."""
_DRIFT_FRAC = 0.05
_DRIFT_MIN = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From `drop_above` on noise, below `keep_below` good, between them uncertain."""

    drop_above: float
    keep_below: float


class NoiseStage:
    """See the module; SETTINGS are those of [stages.noise]."""

    name = "noise"
    version = 2
    signals: tuple[str, ...] = ("embedding", "quality", "faces")
    tables: tuple[str, ...] = ("samples",)
    reads_verdicts: tuple[str, ...] = ("noise",)
    reads_assignments = False

    def run(self, inputs: TableInputs) -> TableResult:
        """Learn from the verdicts there are, and judge the rest.

        Raises:
            UsageError: the stage `embedding` is not in the recipe, or a setting is out of range.
        """
        settings = checked_settings(inputs.params)
        if "embedding" not in inputs.signals:
            raise UsageError("[stages.noise] needs the stage [stages.embedding]")
        samples = standing(inputs.tables["samples"], inputs.decisions)
        if settings["slots"]:
            samples = samples[samples["slot"].isin(settings["slots"])]
        samples = samples.reset_index(drop=True)
        answers = agreed_answers(inputs.verdicts, "noise")
        table = pd.DataFrame({"sample_id": samples["sample_id"]})
        table["verdict"] = pd.Series([answers.get(name, "") for name in samples["sample_id"]], dtype="str")
        is_noise = table["verdict"].map({"noise": True, "good": False})
        known = is_noise.notna().to_numpy()
        truth = is_noise[known].to_numpy(bool)
        subjects = samples["subject_id"].to_numpy(str)
        vectors = embedding_vectors(samples["image_id"], inputs.signals)
        facts: dict[str, Any] = {"verdicts_count": int(known.sum()), "is_trained": False}
        probs, thresholds, files = np.full(len(table), 0.5), Thresholds(math.inf, -math.inf), {}
        unlike = np.zeros(len(table), bool)
        if _is_enough(truth, subjects[known], settings["min_verdicts"]):
            scale = FeatureScale.of(samples["image_id"][known], inputs.signals)
            features = sample_features(samples["image_id"], inputs.signals, scale)
            head, crossed = fit_head(features[known], truth, subjects[known])
            probs = head.probs(features)
            probs[known] = crossed
            thresholds = choose_thresholds(crossed, truth, settings)
            unlike = unlike_labelled(vectors, known, subjects)
            facts |= _facts(crossed, truth, thresholds, table[known]) | {"drift": _drift(unlike, known, samples)}
            files = {"head.json": _head_file(head, scale, facts)}
        table["noise_prob"] = probs.round(6)
        table["is_unlike"] = unlike
        table["review_order"] = review_order(table, vectors)
        rows = _decisions(samples, table, thresholds, settings, is_trained=facts["is_trained"])
        columns = ["sample_id", "noise_prob", "review_order", "verdict", "is_unlike"]
        return TableResult(table=table[columns], decisions=decisions_frame(rows), facts=facts, files=files)


def checked_settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the defaults and refuse what cannot be.

    Raises:
        UsageError: an unknown setting, or a share outside [0, 1].
    """
    check_params("noise", params, SETTINGS)
    settings = {**SETTINGS, **params}
    for name in ("precision", "recall", "kept_noise_frac"):
        if not 0 <= settings[name] <= 1:
            raise UsageError(f"[stages.noise]: {name} {settings[name]!r}, expected 0 to 1")
    return settings


def _is_enough(truth: NDArray[np.bool_], subjects: NDArray[Any], min_verdicts: int) -> bool:
    counts = int(truth.sum()), int((~truth).sum())
    return len(truth) >= min_verdicts and min(counts) >= _MIN_PER_CLASS and len(set(subjects)) >= FOLDS


@dataclass(frozen=True, slots=True)
class FeatureScale:
    """How the cheap signals are standardised: by those of the labelled pictures."""

    columns: tuple[str, ...]
    means: Floats
    spreads: Floats

    @classmethod
    def of(cls, image_ids: pd.Series, signals: Mapping[str, pd.DataFrame]) -> FeatureScale:
        """Take the scale of some pictures."""
        frame = _cheap_signals(image_ids, signals)
        values = frame.to_numpy(np.float64)
        return cls(
            tuple(frame.columns), values.mean(axis=0), np.where(values.std(axis=0) > 0, values.std(axis=0), 1.0)
        )


def _cheap_signals(image_ids: pd.Series, signals: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    frame = pd.DataFrame(index=range(len(image_ids)))
    if "quality" in signals:
        measured = signals["quality"].set_index("image_id").reindex(image_ids)
        for name in _CHEAP:
            values = measured[name].to_numpy(np.float64)
            frame[name] = np.log1p(values) if name == "sharpness" else values
    if "faces" in signals:
        counts = signals["faces"].set_index("image_id")["faces_count"].reindex(image_ids)
        frame[_FACES] = (counts.fillna(0).to_numpy() > 0).astype(np.float64)
    return frame


def embedding_vectors(image_ids: pd.Series, signals: Mapping[str, pd.DataFrame]) -> Floats:
    """Give the embeddings of pictures: (N, D), length 1."""
    if not len(image_ids):
        return np.zeros((0, 1))
    embedding = signals["embedding"].set_index("image_id")["embedding"].reindex(image_ids)
    return np.stack(embedding.to_list()).astype(np.float64)


def sample_features(image_ids: pd.Series, signals: Mapping[str, pd.DataFrame], scale: FeatureScale) -> Floats:
    """Put embedding and cheap signals side by side: (N, D + number of cheap signals)."""
    cheap = (_cheap_signals(image_ids, signals).to_numpy(np.float64) - scale.means) / scale.spreads
    return np.hstack([embedding_vectors(image_ids, signals), cheap * _CHEAP_WEIGHT])


def choose_thresholds(crossed: Floats, truth: NDArray[np.bool_], settings: Mapping[str, Any]) -> Thresholds:
    """Choose both thresholds on cross-validated probabilities, for the stated precision or recall, and purity.

    For a precision nothing is dropped that is more probably good, and for the purity nothing kept that is more
    probably noise: where both are easily had, the border is at one half.
    """
    if settings["recall"]:
        drop_above = midway(crossed, recalling_threshold(crossed, truth, settings["recall"]))
    else:
        drop_above = max(_EVEN, midway(crossed, precise_threshold(crossed, truth, settings["precision"])))
    purest = precise_threshold(1 - crossed, ~truth, 1 - settings["kept_noise_frac"])
    keep_below = 1 - midway(1 - crossed, purest) if math.isfinite(purest) else 0.0
    return Thresholds(drop_above, min(keep_below, drop_above if settings["recall"] else _EVEN))


def _facts(
    crossed: Floats, truth: NDArray[np.bool_], thresholds: Thresholds, labelled: pd.DataFrame
) -> dict[str, Any]:
    """Tell what the head is worth, by cross-validation on the labelled pictures."""
    from sklearn.metrics import roc_auc_score

    shares = {
        "precision": estimate(truth[crossed >= thresholds.drop_above]),
        "recall": estimate(crossed[truth] >= thresholds.drop_above),
        "kept_noise": estimate(truth[crossed < thresholds.keep_below]),
    }
    answers = sorted(zip(labelled["sample_id"], labelled["verdict"], strict=True))
    return {
        "is_trained": True,
        "data_version": digest([list(pair) for pair in answers], 16),
        "drop_above": _finite(thresholds.drop_above),
        "keep_below": _finite(thresholds.keep_below),
        **{name: None if share is None else share.to_json() for name, share in shares.items()},
        "roc_auc": round(float(roc_auc_score(truth, crossed)), 6),
        "brier": round(float(np.mean((crossed - truth) ** 2)), 6),
    }


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def _head_file(head: Head, scale: FeatureScale, facts: Mapping[str, Any]) -> bytes:
    cheap = {"columns": list(scale.columns), "means": scale.means.tolist(), "spreads": scale.spreads.tolist()}
    content = {"head": head.to_json(), "cheap_signals": {**cheap, "weight": _CHEAP_WEIGHT}, "facts": dict(facts)}
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def unlike_labelled(vectors: Floats, known: NDArray[np.bool_], subjects: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which pictures are farther from every labelled one than labelled pictures are from those of others.

    Args:
        vectors: (N, D), length 1.
        known: (N,) which are labelled.
        subjects: (N,) a subject's own pictures are no measure of how near others are.
    """
    labelled = vectors[known]
    own = subjects[known]
    among = nearest_similarity(labelled, labelled, own[:, None] == own[None, :])
    border = float(np.quantile(among, _UNLIKE_FRAC))
    result: NDArray[np.bool_] = nearest_similarity(vectors, labelled) < border
    return result & ~known


def _drift(unlike: NDArray[np.bool_], known: NDArray[np.bool_], samples: pd.DataFrame) -> dict[str, Any]:
    """Say how many unlabelled pictures are unlike the labelled, and in which sources surely too many are."""
    sources = samples["source"].to_numpy(str)
    counts = {
        source: (int(unlike[(sources == source) & ~known].sum()), int(((sources == source) & ~known).sum()))
        for source in sorted(set(sources))
    }
    drifting = [
        source
        for source, (count, total) in counts.items()
        if total >= _DRIFT_MIN and wilson_interval(count, total)[0] > _DRIFT_FRAC
    ]
    return {"unlike_count": int(unlike.sum()), "unlabelled_count": int((~known).sum()), "sources": drifting}


def review_order(table: pd.DataFrame, vectors: Floats) -> NDArray[np.int64]:
    """Rank for review: unanswered ones first; of them those that are both doubtful and unlike the answered ones."""
    answered = (table["verdict"] != "").to_numpy()
    doubt = 1.0 - 2.0 * (table["noise_prob"] - 0.5).abs().to_numpy()
    doubt[table["is_unlike"].to_numpy(bool)] = 1.0  # what the head never saw, it cannot be sure of
    rows = np.flatnonzero(~answered)
    # Their names are hashes: before there is a model this is as good as drawn.
    rows = rows[np.argsort(table["sample_id"].to_numpy(str)[rows], kind="stable")]
    ordered = rows[diverse_order(vectors[rows], doubt[rows], vectors[answered], _ORDERED_COUNT)]
    ranks = np.empty(len(table), np.int64)
    ranks[np.concatenate([ordered, np.flatnonzero(answered)])] = np.arange(len(table))
    return ranks


def _decisions(
    samples: pd.DataFrame,
    table: pd.DataFrame,
    thresholds: Thresholds,
    settings: Mapping[str, Any],
    *,
    is_trained: bool,
) -> list[dict[str, str]]:
    keep_below = thresholds.keep_below if is_trained else -math.inf
    noise_outcome = "keep" if settings["keep_marked"] else "drop"
    rows = []
    for sample, judged in zip(records(samples), records(table), strict=True):
        prob = float(judged["noise_prob"])
        evidence = {"noise_prob": prob}
        if judged["verdict"] == "noise":
            rows.append(decision("noise", sample, noise_outcome, "noise_verdict"))
        elif judged["verdict"] == "good":
            continue
        elif is_trained and prob >= thresholds.drop_above:
            evidence["threshold"] = round(thresholds.drop_above, 6)
            rows.append(decision("noise", sample, noise_outcome, "noise_above_threshold", evidence))
        elif settings["hold_uncertain"] and prob >= keep_below:
            outcome = "keep" if settings["keep_marked"] else "review"
            rows.append(decision("noise", sample, outcome, "noise_uncertain", evidence))
    return rows

"""Table `noise`: how probable it is that a picture shows something else, learnt from people's verdicts.

A calibrated linear head on the frozen embedding and a few cheap signals. Before enough verdicts exist nothing is
decided: probabilities are 0.5 and the order of review is spread out. Table: sample_id, noise_prob, review_order (0 =
ask first; answered ones last), verdict (`good`, `noise` or empty).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.errors import UsageError
from curation.contract import TableInputs, TableResult
from curation.decisions import decision, decisions_frame, records, standing
from curation.stages.registry import check_params
from curation.verdicts import agreed_answers

SETTINGS: dict[str, Any] = {
    "slots": [],  # pictures of these slots alone; empty: all
    "precision": 0.98,  # of what is dropped, as estimated by cross-validation
    "min_verdicts": 30,
    "hold_uncertain": False,  # whether what is neither surely noise nor surely good waits for review
}
_MIN_PER_CLASS = 5
_FOLDS = 5
_CHEAP = ("sharpness", "brightness_frac", "contrast_frac", "entropy_bits", "colourfulness", "border_frac")

Floats = NDArray[np.float64]


class NoiseStage:
    """See the module; SETTINGS are those of [stages.noise]."""

    name = "noise"
    version = 1
    signals: tuple[str, ...] = ("embedding", "quality")
    tables: tuple[str, ...] = ("samples",)
    reads_verdicts: tuple[str, ...] = ("noise",)
    reads_assignments = False

    def run(self, inputs: TableInputs) -> TableResult:
        """Learn from the verdicts there are, and judge the rest.

        Raises:
            UsageError: the stage `embedding` is not in the recipe.
        """
        check_params(self.name, inputs.params, SETTINGS)
        settings = {**SETTINGS, **inputs.params}
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
        facts: dict[str, Any] = {"verdicts_count": int(known.sum()), "is_trained": False}
        probs, threshold = np.full(len(table), 0.5), np.inf
        truth = is_noise[known].to_numpy(bool)
        if _is_enough(truth, samples["subject_id"][known], settings["min_verdicts"]):
            features = sample_features(samples["image_id"], inputs.signals)
            probs, crossed = fit_and_predict(features, known, truth, samples["subject_id"][known].to_numpy())
            threshold, reached = precise_threshold(crossed, truth, settings["precision"])
            facts |= {"is_trained": True, "threshold": _finite(threshold), "precision": reached}
            facts["cross_validated_recall"] = round(float((crossed[truth] >= threshold).mean()), 4)
        table["noise_prob"] = probs.round(6)
        table["review_order"] = review_order(table)
        rows = _decisions(samples, table, threshold, bool(settings["hold_uncertain"]), is_trained=facts["is_trained"])
        columns = ["sample_id", "noise_prob", "review_order", "verdict"]
        return TableResult(table=table[columns], decisions=decisions_frame(rows), facts=facts)


def _finite(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None


def _is_enough(truth: NDArray[np.bool_], subjects: pd.Series, min_verdicts: int) -> bool:
    counts = int(truth.sum()), int((~truth).sum())
    return len(truth) >= min_verdicts and min(counts) >= _MIN_PER_CLASS and subjects.nunique() >= _FOLDS


def sample_features(image_ids: pd.Series, signals: Mapping[str, pd.DataFrame]) -> Floats:
    """Put embedding and cheap signals side by side: (N, D + 6), the latter standardised."""
    embedding = signals["embedding"].set_index("image_id")["embedding"].reindex(image_ids)
    vectors = np.stack(embedding.to_list()).astype(np.float64)
    if "quality" not in signals:
        return vectors
    cheap = signals["quality"].set_index("image_id")[list(_CHEAP)].reindex(image_ids).to_numpy(np.float64).copy()
    cheap[:, 0] = np.log1p(cheap[:, 0])
    spread = np.where(cheap.std(axis=0) > 0, cheap.std(axis=0), 1)
    # The embedding has length 1: the cheap signals are kept of the same order.
    return np.hstack([vectors, (cheap - cheap.mean(axis=0)) / spread / np.sqrt(len(_CHEAP)) / 4])


def fit_and_predict(
    features: Floats, known: NDArray[np.bool_], truth: NDArray[np.bool_], subjects: NDArray[Any]
) -> tuple[Floats, Floats]:
    """Fit the head on the known samples.

    Args:
        features: (N, F) of all samples.
        known: (N,) which have a verdict.
        truth: (K,) their verdicts, True = noise.
        subjects: (K,) their subjects: cross-validation never parts one.

    Returns:
        Probability of noise for all samples, and the cross-validated one of the known.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    head = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
    margins = np.zeros(len(truth))
    for train, test in GroupKFold(_FOLDS).split(features[known], truth, subjects):
        # Where the other folds lack a class nothing can be learnt: the margin stays 0.
        if len(set(truth[train])) == 2:
            head.fit(features[known][train], truth[train])
            margins[test] = head.decision_function(features[known][test])
    # Platt's calibration on margins that the head was not fitted to.
    calibration = LogisticRegression(C=1.0).fit(margins[:, None], truth)
    head.fit(features[known], truth)
    probs = calibration.predict_proba(head.decision_function(features)[:, None])[:, 1]
    return probs, calibration.predict_proba(margins[:, None])[:, 1]


def precise_threshold(probs: Floats, truth: NDArray[np.bool_], precision: float) -> tuple[float, float | None]:
    """Lowest threshold from which on the share of true noise reaches `precision`; infinite where none does.

    Returns:
        The threshold, and the precision reached there.
    """
    order = np.argsort(-probs, kind="stable")
    hits = np.cumsum(truth[order]) / np.arange(1, len(order) + 1)
    # Equal probabilities are decided together: only the last of them is a cut.
    is_cut = np.append(np.diff(probs[order]) != 0, True)
    good = np.flatnonzero((hits >= precision) & is_cut)
    if not len(good):
        return float("inf"), None
    return float(probs[order][good[-1]]), round(float(hits[good[-1]]), 6)


def review_order(table: pd.DataFrame) -> NDArray[np.int64]:
    """Rank for review: unanswered ones first, of them the most uncertain; ties by sample_id, as good as drawn."""
    answered = (table["verdict"] != "").to_numpy()
    doubt = (table["noise_prob"] - 0.5).abs().to_numpy()
    order = np.lexsort((table["sample_id"].to_numpy(str), doubt, answered))
    ranks = np.empty(len(table), np.int64)
    ranks[order] = np.arange(len(table))
    return ranks


def _decisions(
    samples: pd.DataFrame, table: pd.DataFrame, threshold: float, hold_uncertain: bool, *, is_trained: bool
) -> list[dict[str, str]]:
    rows = []
    for sample, judged in zip(records(samples), records(table), strict=True):
        evidence = {"noise_prob": float(judged["noise_prob"])}
        if judged["verdict"] == "noise":
            rows.append(decision("noise", sample, "drop", "noise_verdict"))
        elif judged["verdict"] == "good":
            continue
        elif is_trained and judged["noise_prob"] >= threshold:
            evidence["threshold"] = round(threshold, 6)
            rows.append(decision("noise", sample, "drop", "noise_above_threshold", evidence))
        elif hold_uncertain and judged["noise_prob"] >= 0.5:
            rows.append(decision("noise", sample, "review", "noise_uncertain", evidence))
    return rows

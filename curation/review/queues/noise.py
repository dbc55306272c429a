"""Is this a good photo of the item, or noise?

The stage `noise` says in which order pictures teach most: uncertain and diverse first. Without its table subjects take
turns, so that the first answers are diverse.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from curation.contract import Curated
from curation.decisions import records
from curation.review.queues.contract import Answer, Card
from curation.review.queues.order import RANDOM_FRAC, draw, in_order

_EVEN = 0.5
"""The stage's probabilities are calibrated: here both answers are equally likely."""


class NoiseQueue:
    """Good photos against noise."""

    name = "noise"
    title = "Noise"
    question = "Good photo, or noise?"
    answers: tuple[Answer, ...] = (
        Answer(slug="good", title="good", tone="good"),
        Answer(slug="noise", title="noise", tone="bad"),
    )
    layout = "grid"
    positive = "noise"
    is_learning = True
    page_cards = 24
    gate = "noise_cards"

    def applies(self, curated: Curated) -> bool:
        """Tell whether the recipe has the stage `noise`."""
        return "noise" in curated.recipe.stages

    def cards(self, curated: Curated) -> list[Card]:
        """Order all samples that the noise stage judges."""
        seed = int(curated.recipe.splits.get("seed", 0))
        frame = _candidates(curated, seed)
        return in_order([self._card(row) for row in records(frame)], frame["rank"].tolist(), seed)

    def _card(self, row: dict[str, Any]) -> Card:
        prob = None if pd.isna(row["noise_prob"]) else float(row["noise_prob"])
        model_answer = None if prob is None else ("noise" if prob >= _EVEN else "good")
        label = row["label"] if isinstance(row["label"], str) else ""
        return Card(
            queue=self.name,
            target_id=row["sample_id"],
            image_id=row["image_id"],
            answers=self.answers,
            preset=model_answer or "good",
            model_answer=model_answer,
            model_prob=prob,
            title=label,
            shown={"image_id": row["image_id"], "label": label},
        )


def _candidates(curated: Curated, seed: int) -> pd.DataFrame:
    """Samples that the noise stage judges, with `noise_prob` (NaN where no model has spoken yet) and `rank`."""
    samples = curated.tables["samples"]
    noise = curated.tables.get("noise")
    if noise is not None:  # what earlier stages dropped is not in it, and is not worth a question
        columns = [name for name in ("sample_id", "noise_prob", "review_order") if name in noise]
        samples = samples.merge(noise[columns], on="sample_id", validate="one_to_one")
    if noise is None or not curated.facts.get("noise", {}).get("is_trained", False):
        samples = samples.assign(noise_prob=float("nan"))
    slots = curated.recipe.params("noise").get("slots")
    if slots:
        samples = samples[samples["slot"].isin(slots)]
    return samples.assign(rank=_ranks(samples, seed))[["sample_id", "image_id", "label", "noise_prob", "rank"]]


def _ranks(samples: pd.DataFrame, seed: int) -> pd.Series:
    if "review_order" in samples:
        return samples["review_order"].astype("float64")
    if samples["noise_prob"].notna().any():
        return (samples["noise_prob"] - _EVEN).abs().fillna(0.0)
    draws = samples["sample_id"].map(lambda sample: draw(seed, "noise", sample))
    chosen = draws.where(draws >= RANDOM_FRAC)
    return chosen.groupby(samples["subject_id"]).rank(method="first").fillna(0.0)

"""Is this a good photo of the item, or noise?

Four of five cards are those that the model is least sure of; every fifth comes from a fifth of the samples that was
set aside at random (by a hash of their id, so the choice is stable as data grows and independent of the model).
Answers to those give unbiased estimates. Before there is a model, subjects take turns, so that the first answers are
diverse.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import pandas as pd

from catalog.ids import digest
from curation.contract import Curated
from curation.review.queues.contract import Answer, Card

RANDOM_FRAC = 0.2
_RANDOM_EVERY = 5
_HASH_DIGITS = 8
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
    gate = "noise_cards"

    def applies(self, curated: Curated) -> bool:
        """Tell whether the recipe has the stage `noise`."""
        return "noise" in curated.recipe.stages

    def cards(self, curated: Curated) -> list[Card]:
        """Order all samples that the noise stage judges."""
        frame = _candidates(curated)
        seed = int(curated.recipe.splits.get("seed", 0))
        draws = [int(digest([seed, "noise", sample], _HASH_DIGITS), 16) / 16**_HASH_DIGITS for sample in frame.index]
        frame = frame.assign(draw=draws)
        is_random = frame["draw"] < RANDOM_FRAC
        aside = frame[is_random].sort_values("draw")
        chosen = frame[~is_random]
        if chosen["noise_prob"].notna().any():
            chosen = chosen.assign(doubt=(chosen["noise_prob"] - _EVEN).abs())
            chosen = chosen.sort_values(["doubt", "draw"], na_position="first")
        else:
            chosen = chosen.sort_values("draw")
            chosen = chosen.assign(turn=chosen.groupby("subject_id").cumcount()).sort_values(["turn", "draw"])
        cards = [self._card(row, is_random=False) for row in chosen.reset_index().to_dict("records")]
        drawn = [self._card(row, is_random=True) for row in aside.reset_index().to_dict("records")]
        return _interleave(cards, drawn)

    def _card(self, row: dict[Any, Any], *, is_random: bool) -> Card:
        prob = None if pd.isna(row["noise_prob"]) else float(row["noise_prob"])
        model_answer = None if prob is None else ("noise" if prob >= _EVEN else "good")
        label = row["label"] if isinstance(row["label"], str) else ""
        return Card(
            queue=self.name,
            target_id=row["sample_id"],
            image_id=row["image_id"],
            answers=("good", "noise"),
            preset=model_answer or "good",
            model_answer=model_answer,
            model_prob=prob,
            is_random=is_random,
            title=label,
            shown={"image_id": row["image_id"], "label": label},
        )


def _candidates(curated: Curated) -> pd.DataFrame:
    """Samples that the noise stage judges, with `noise_prob` (NaN where no model has spoken yet)."""
    samples = curated.tables["samples"]
    noise = curated.tables.get("noise")
    if noise is not None:  # what earlier stages dropped is not in it, and is not worth a question
        samples = samples.merge(noise[["sample_id", "noise_prob"]], on="sample_id", validate="one_to_one")
    if noise is None or not curated.facts.get("noise", {}).get("is_trained", False):
        samples = samples.assign(noise_prob=float("nan"))
    slots = curated.recipe.params("noise").get("slots")
    if slots:
        samples = samples[samples["slot"].isin(slots)]
    return samples.set_index("sample_id")[["image_id", "subject_id", "label", "noise_prob"]]


def _interleave(chosen: list[Card], drawn: list[Card]) -> list[Card]:
    """Put a drawn card at every fifth place while there are both."""
    result: list[Card] = []
    left, right = iter(chosen), iter(drawn)
    while True:
        page = [*islice(left, _RANDOM_EVERY - 1), *islice(right, 1)]
        if not page:
            return result
        result.extend(page)

"""Which label is right? Asked of pictures and persons that stand under two, and of labels that a training run doubts.

A conflict's target is its id of the stage `labels`, a doubted sample's is the sample. An answer names a label by a
hash, so that it fits a verdict whatever the label is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from catalog.suspects import Suspect
from curation.contract import Curated
from curation.review.queues.contract import Answer, Card, Picture
from curation.review.queues.order import in_order
from curation.verdicts import REJECTED, label_answer

_PICTURES_MAX = 6
_REJECT = Answer(slug=REJECTED, title="reject", tone="bad")
_UNSURE = Answer(slug="unsure", title="cannot tell", tone="unsure")


class LabelsQueue:
    """Contradictory and doubted labels."""

    name = "labels"
    title = "Labels"
    question = "Which label is right?"
    answers: tuple[Answer, ...] = (_REJECT, _UNSURE)
    layout = "list"
    positive = ""
    is_learning = False
    page_cards = 12
    gate = "label_cards"

    def applies(self, curated: Curated) -> bool:
        """Tell whether the recipe has the stage `labels`, or a training run left suspects."""
        return "labels" in curated.tables or bool(curated.suspects)

    def cards(self, curated: Curated) -> list[Card]:
        """List conflicts first, then suspects, the most doubtful first."""
        conflicts = list(self._conflicts(curated))
        samples = curated.tables["samples"].set_index("sample_id")
        known = [suspect for suspect in curated.suspects if suspect.sample_id in samples.index]
        cards = [*conflicts, *(self._suspect(suspect) for suspect in known)]
        # Conflicts before all: a rank below any difference of probabilities.
        ranks = [-2.0] * len(conflicts) + [one.label_prob - one.suggested_prob for one in known]
        return in_order(cards, ranks, int(curated.recipe.splits.get("seed", 0)))

    def _conflicts(self, curated: Curated) -> Iterator[Card]:
        table = curated.tables.get("labels")
        if table is None:
            return
        members = table.loc[table["conflict_id"] != "", ["sample_id", "conflict_id"]].merge(
            curated.tables["samples"], on="sample_id"
        )
        for conflict_id, rows in members.groupby("conflict_id", sort=True):
            pictures = _pictures(rows)
            labels = sorted(rows["label"].unique())
            yield Card(
                queue=self.name,
                target_id=str(conflict_id),
                image_id=pictures[0].image_id,
                answers=_answers(labels),
                preset="",
                title="one picture under two labels" if len(pictures) == 1 else "under two labels",
                pictures=pictures,
                shown={"sample_ids": rows["sample_id"].tolist(), "labels": labels},
            )

    def _suspect(self, suspect: Suspect) -> Card:
        return Card(
            queue=self.name,
            target_id=suspect.sample_id,
            image_id=suspect.image_id,
            answers=_answers([suspect.label, suspect.suggested]),
            preset=label_answer(suspect.suggested),
            model_answer=label_answer(suspect.suggested),
            model_prob=suspect.suggested_prob,
            title=f"stands under {suspect.label}; a model says {suspect.suggested}",
            pictures=(Picture(image_id=suspect.image_id, caption=suspect.label),),
            shown={"image_id": suspect.image_id, "labels": [suspect.label, suspect.suggested]},
        )


def _pictures(rows: pd.DataFrame) -> tuple[Picture, ...]:
    """Each picture once, captioned by all its labels."""
    labels: dict[str, list[Any]] = {}
    for image, label in zip(rows["image_id"], rows["label"], strict=True):
        found = labels.setdefault(str(image), [])
        found += [] if label in found else [label]
    pictures = [Picture(image_id=image, caption=" | ".join(found)) for image, found in labels.items()]
    return tuple(pictures[:_PICTURES_MAX])


def _answers(labels: list[str]) -> tuple[Answer, ...]:
    return (*(Answer(slug=label_answer(label), title=label, tone="good") for label in labels), _REJECT, _UNSURE)

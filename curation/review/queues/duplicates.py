"""Are these two pictures copies of one?

Every pair that the stage `duplicates` looked at may be asked, but for those of equal pixels; the least certain come
first. `different` is obeyed for ever: the two are never joined again, whatever a later measurement says.
"""

from __future__ import annotations

from typing import Any

from curation.contract import Curated
from curation.decisions import records
from curation.review.queues.contract import Answer, Card, Picture
from curation.review.queues.order import in_order
from curation.stages.duplicates import SETTINGS


class DuplicatesQueue:
    """Pairs of pictures, side by side."""

    name = "duplicates"
    title = "Duplicates"
    question = "Are these copies of one picture?"
    answers: tuple[Answer, ...] = (
        Answer(slug="different", title="different", tone="good"),
        Answer(slug="same", title="same", tone="bad"),
        Answer(slug="unsure", title="cannot tell", tone="unsure"),
    )
    layout = "list"
    positive = "same"
    is_learning = False
    page_cards = 12
    gate = "duplicate_cards"

    def applies(self, curated: Curated) -> bool:
        """Tell whether the recipe looks for copies."""
        return "duplicates" in curated.tables

    def cards(self, curated: Curated) -> list[Card]:
        """List the pairs, those nearest to the border first."""
        border = float({**SETTINGS, **curated.recipe.params(self.name)}["copy_prob"])
        samples = curated.tables["samples"].drop_duplicates("image_id")
        labels = dict(zip(samples["image_id"], samples["label"], strict=True))
        rows = [row for row in records(curated.tables[self.name]) if row["kind"] != "pixels"]
        ranks = [abs(row["copy_prob"] - border) for row in rows]
        seed = int(curated.recipe.splits.get("seed", 0))
        return in_order([self._card(row, labels, border) for row in rows], ranks, seed)

    def _card(self, row: dict[str, Any], labels: dict[str, str], border: float) -> Card:
        a, b = row["image_id_a"], row["image_id_b"]
        answer = "same" if row["copy_prob"] >= border else "different"
        return Card(
            queue=self.name,
            target_id=row["pair_id"],
            image_id=a,
            answers=self.answers,
            preset=answer,
            model_answer=answer,
            model_prob=float(row["copy_prob"]),
            pictures=(
                Picture(image_id=a, caption=labels.get(a, "")),
                Picture(image_id=b, caption=labels.get(b, ""), view=row["view"]),
            ),
            shown={"image_ids": [a, b], "phash_distance_bits": int(row["phash_distance_bits"])},
        )

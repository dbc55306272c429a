"""Is this a person of a role that the recipe wants?

The page's words for the role are shown; those that the crawler could not place (`other`) come first.
"""

from __future__ import annotations

from curation.contract import Curated
from curation.decisions import records
from curation.review.queues.contract import Answer, Card
from curation.review.queues.order import in_order

_UNPLACED = ("", "other")
_TITLE_CHARS = 80


class RolesQueue:
    """Persons and their roles."""

    name = "roles"
    title = "Roles"
    question = "A person of a wanted role?"
    answers: tuple[Answer, ...] = (
        Answer(slug="yes", title="yes", tone="good"),
        Answer(slug="no", title="no", tone="bad"),
        Answer(slug="unsure", title="cannot tell", tone="unsure"),
    )
    layout = "grid"
    positive = "no"
    is_learning = False
    page_cards = 24
    gate = "role_cards"

    def applies(self, curated: Curated) -> bool:
        """Tell whether the recipe chooses by role."""
        return bool(curated.recipe.role_classes)

    def cards(self, curated: Curated) -> list[Card]:
        """List the persons with a picture, those without a known role first."""
        wanted = set(curated.recipe.role_classes)
        columns = ["subject_id", "image_id", "role", "role_class", "rank"]
        frame = curated.sightings.frame[columns].sort_values(["subject_id", "rank", "image_id"])
        rows = records(frame.drop_duplicates("subject_id"))
        cards = []
        for row in rows:
            answer = "yes" if row["role_class"] in wanted else "no"
            role = (row["role"] or row["role_class"] or "no role named")[:_TITLE_CHARS]
            cards.append(
                Card(
                    queue=self.name,
                    target_id=row["subject_id"],
                    image_id=row["image_id"],
                    answers=self.answers,
                    preset=answer,
                    model_answer=answer,
                    title=role,
                    shown={"image_id": row["image_id"], "role_class": row["role_class"]},
                )
            )
        ranks = [0.0 if row["role_class"] in _UNPLACED else 1.0 for row in rows]
        return in_order(cards, ranks, int(curated.recipe.splits.get("seed", 0)))

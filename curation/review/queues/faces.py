"""Which face is the subject's, which way is up, or none at all?

Asked first where the machine chose nothing: several faces of a size, none that it was sure of, small, tilted or cut
off ones. The answer names the face by its box, so that it outlives a new measurement of the faces; a turn is added to
it (`face_10_20_90_120_turn_90`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.errors import UsageError
from curation.contract import Curated
from curation.decisions import records
from curation.review.queues.contract import Answer, Card, Picture
from curation.review.queues.order import in_order
from curation.stages.samples import (
    SETTINGS,
    TURNS_DEG,
    choose_face,
    face_answer,
    offered_faces,
    portrait_id,
)

_REJECT = Answer(slug="reject", title="reject", tone="bad")
_RANK_DROPPED, _RANK_SEVERAL, _RANK_TURNED, _RANK_PLAIN = range(4)


class FacesQueue:
    """Portraits with the faces found on them."""

    name = "faces"
    title = "Faces"
    question = "Which face is the person's?"
    answers: tuple[Answer, ...] = (_REJECT,)
    layout = "list"
    positive = ""
    is_learning = False
    page_cards = 12
    gate = "face_cards"

    def applies(self, curated: Curated) -> bool:
        """Tell whether the samples are faces."""
        return curated.recipe.params("samples").get("region") == "face" and "faces" in curated.signals

    def cards(self, curated: Curated) -> list[Card]:
        """List the portraits on which a face was found, sure or not; those without a chosen face first."""
        settings = {**SETTINGS, **curated.recipe.params("samples")}
        signals = {name: _by_image(curated, name) for name in ("decode", "faces", "crops")}
        cards, ranks = [], []
        for row in records(curated.tables["samples"]):
            measured = {name: rows[row["image_id"]] for name, rows in signals.items() if row["image_id"] in rows}
            if "faces" not in measured or not offered_faces(measured):
                continue
            chosen, verdict = choose_face(measured, settings)
            cards.append(self._card(row, measured, -1 if verdict else chosen, verdict[0] if verdict else ""))
            ranks.append(_rank(measured["faces"], is_dropped=verdict is not None))
        return in_order(cards, ranks, int(curated.recipe.splits.get("seed", 0)))

    def _card(self, row: Mapping[str, Any], measured: Mapping[str, Any], chosen: int, reason: str) -> Card:
        faces, decode = measured["faces"]["faces"], measured["decode"]
        answers = [
            Answer(
                slug=face_answer(faces[index], turn_deg),
                title=f"face {number}",
                tone="good",
                box=_frac_box(faces[index], decode),
                is_offered=turn_deg == 0,
            )
            for number, index in enumerate(offered_faces(measured), start=1)
            for turn_deg in TURNS_DEG
        ]
        model_answer = "reject" if chosen < 0 else face_answer(faces[chosen], 0)
        if model_answer not in {answer.slug for answer in answers}:
            model_answer = "reject"
        return Card(
            queue=self.name,
            target_id=portrait_id(row),
            image_id=row["image_id"],
            answers=(*answers, _REJECT),
            preset=model_answer,
            model_answer=model_answer,
            title=_WHY.get(reason, reason),
            pictures=(Picture(image_id=row["image_id"]),),
            turn_deg=int(measured["faces"]["turn_deg"]),
            shown={"image_id": row["image_id"], "reason": reason},
        )


_WHY = {
    "faces_many": "several faces, none clearly the subject's",
    "faces_none_found": "no sure face",
    "faces_small": "small face",
    "faces_cut_off": "face at the border",
    "faces_tilted": "tilted face",
}


def _rank(faces: Mapping[str, Any], *, is_dropped: bool) -> int:
    if is_dropped:
        return _RANK_DROPPED
    if int(faces["faces_count"]) > 1:
        return _RANK_SEVERAL
    return _RANK_TURNED if int(faces["turn_deg"]) else _RANK_PLAIN


def _by_image(curated: Curated, name: str) -> dict[str, dict[str, Any]]:
    signal = curated.signals.get(name)
    if signal is None:
        if name == "crops":
            return {}
        raise UsageError(f"recipe {curated.recipe.name}: the queue `faces` needs the signal {name}")
    return {row["image_id"]: row for row in records(signal)}


def _frac_box(face: Mapping[str, Any], decode: Mapping[str, Any]) -> tuple[float, float, float, float]:
    width, height = float(decode["width_px"]), float(decode["height_px"])
    corners = face["x0"] / width, face["y0"] / height, face["x1"] / width, face["y1"] / height
    x0, y0, x1, y1 = (round(min(1.0, max(0.0, value)), 4) for value in corners)
    return x0, y0, x1, y1

"""The queues beside noise: what they ask, and that the stages obey the answers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from catalog.schema import Verdict
from catalog.suspects import Suspect
from curation.decisions import decisions_frame, records
from curation.review.progress import queue_cards
from curation.stages.duplicates import COLUMNS
from curation.stages.labels import LabelsStage
from curation.stages.samples import SamplesStage, face_answer, portrait_id
from curation.verdicts import label_answer
from tests.curation.handmade import make_world, sightings_of
from tests.curation.stages.table_inputs import inputs, samples_frame


def said(queue: str, **answers: str) -> list[Verdict]:
    return [
        Verdict(verdict_id=f"v-{target}", queue=queue, target_id=target, answer=answer, reviewer="ana",
                answered_at="2026-11-21T08:00:00Z")
        for target, answer in answers.items()
    ]  # fmt: skip


def pairs(*rows: tuple[str, str, float, str]) -> pd.DataFrame:
    base = dict.fromkeys(COLUMNS, "") | {"kind": "near", "phash_distance_bits": 6, "view": "mirror"}
    full = [
        base
        | {"pair_id": f"{a}{b}", "image_id_a": a, "image_id_b": b, "copy_prob": prob, "verdict": verdict}
        | {"is_copy": verdict == "same" or (verdict != "different" and prob >= 0.5)}
        for a, b, prob, verdict in rows
    ]
    return pd.DataFrame(full, columns=list(COLUMNS))


def test_the_least_certain_pair_is_asked_first_and_equal_pixels_never(world):
    ids = world.curated.tables["samples"]["image_id"].unique()[:8]
    probs = [0.02, 0.55, 0.97, 0.4, 0.9, 1.0]
    rows = [(ids[n], ids[n + 1], prob, "") for n, prob in enumerate(probs)]
    table = pairs(*rows)
    table.loc[5, "kind"] = "pixels"
    recipe = {"stages": {"duplicates": {}, "noise": {}}}
    cards = queue_cards(world.with_table("duplicates", table).with_recipe(**recipe).curated, "duplicates")
    assert len(cards) == 5
    asked = [abs(card.model_prob - 0.5) for card in cards if not card.is_random]
    assert asked == sorted(asked)
    by_prob = {card.model_prob: card for card in cards}
    assert (by_prob[0.97].preset, by_prob[0.4].preset) == ("same", "different")
    assert [picture.image_id for picture in by_prob[0.4].pictures] == [ids[3], ids[4]]
    assert [picture.view for picture in by_prob[0.4].pictures] == ["", "mirror"]


def face(x0: int, size: int = 60) -> dict[str, object]:
    return {"x0": x0, "y0": 20, "x1": x0 + size, "y1": 20 + size, "face_score": 0.95, "landmarks": [], "size_px": size,
            "tilt_deg": 0.0, "sharpness": 9.0}  # fmt: skip


def portraits(faces: list[dict[str, object]], verdicts=(), **sighting):
    row = {"sighting_id": "s1", "image_id": "i1", "subject_id": "u1", "source": "s", "organisation": "", "rank": 0,
           "slot": "portrait", "image_url": "", "page_url": "", "label": "cs", "kind": "person", "name": "",
           "role": "", "role_class": "professor", "is_former": False, "profile_url": "",
           "attributes": "{}"}  # fmt: skip
    row |= sighting
    decode = {"image_id": "i1", "width_px": 400, "height_px": 300, "reason": ""}
    signals = {
        "decode": pd.DataFrame([decode]),
        "faces": pd.DataFrame([{"image_id": "i1", "faces_count": len(faces), "turn_deg": 0, "faces": faces}]),
    }
    result = SamplesStage().run(
        inputs({}, params={"region": "face"}, signals=signals, verdicts=verdicts, sightings=pd.DataFrame([row]),
               role_classes=("professor",))
    )  # fmt: skip
    (sample,) = records(result.table)
    return sample, [row["reason"] for row in records(result.decisions)]


def test_a_chosen_face_is_taken_turned_and_outlives_another_order_of_the_faces():
    two = [face(20), face(200)]
    sample, reasons = portraits(two)
    assert (sample["face_index"], reasons) == (-1, ["faces_many"])
    target = portrait_id(sample)
    answer = said("faces", **{target: face_answer(two[1], 90)})
    for faces, index in ((two, 1), ([face(204, 58), face(20)], 0)):
        sample, reasons = portraits(faces, answer)
        assert (sample["face_index"], sample["turn_deg"], reasons) == (index, 90, [])
        assert sample["box_x0"] == faces[index]["x0"]
    assert portraits(two, said("faces", **{target: "reject"}))[1] == ["faces_verdict"]
    # The face that was chosen is no longer there: the machine decides.
    assert portraits([face(20)], answer)[0]["face_index"] == 0


def test_faces_offers_what_has_a_crop_and_presets_the_machines_choice(tmp_path):
    world = make_world(tmp_path, items_count=2, per_item=1)
    images = world.curated.tables["samples"]["image_id"].tolist()
    signals = {
        **world.curated.signals,
        "decode": pd.DataFrame({"image_id": images, "width_px": 400, "height_px": 300}),
        "faces": pd.DataFrame({"image_id": images, "faces_count": [1, 3], "turn_deg": 0,
                               "faces": [[face(10)], [face(10), face(150), face(300, 30)]]}),
        "crops": pd.DataFrame({"image_id": images, "face_indexes": [[0], [0, 1]]}),
    }  # fmt: skip
    recipe = {"stages": {"samples": {"region": "face"}}}
    cards = queue_cards(world.but(signals=signals).with_recipe(**recipe).curated, "faces")
    offered = {card.image_id: [a.title for a in card.answers if a.is_offered] for card in cards}
    assert offered == {images[0]: ["face 1", "reject"], images[1]: ["face 1", "face 2", "reject"]}
    preset = {card.image_id: card.preset for card in cards}
    assert preset == {images[0]: face_answer(face(10), 0), images[1]: "reject"}
    assert face_answer(face(150), 270) in cards[-1].slugs() + cards[0].slugs()
    world.catalog.close()


@pytest.mark.parametrize(
    ("role_class", "answer", "reasons"),
    [
        ("student", "", ["labels_role"]),
        ("student", "yes", []),
        ("professor", "no", ["labels_role"]),
        ("professor", "unsure", []),
    ],
)
def test_a_persons_word_on_a_role_wins(role_class, answer, reasons):
    verdicts = said("roles", u1=answer) if answer else []
    assert portraits([face(20)], verdicts, role_class=role_class)[1] == reasons


def conflict(verdicts=()):
    samples = samples_frame(
        {"sample_id": name, "label": label, "image_id": image}
        for name, label, image in (("a", "x", "i1"), ("b", "y", "i1"), ("c", "x", "i1"), ("d", "x", "i2"))
    )
    decode = pd.DataFrame({"image_id": ["i1", "i2"], "width_px": 9, "height_px": 9, "size_bytes": 5})
    table = pairs().astype({"is_copy": bool})
    given = inputs({"samples": samples, "duplicates": table}, signals={"decode": decode}, verdicts=verdicts)
    result = LabelsStage().run(given)
    (conflict_id,) = set(result.table["conflict_id"]) - {""}
    return conflict_id, {row["sample_id"]: row["reason"] for row in records(result.decisions)}


def test_a_settled_conflict_keeps_the_chosen_label_and_one_copy():
    target, reasons = conflict()
    assert reasons == dict.fromkeys("abc", "labels_conflict")
    assert conflict(said("labels", **{target: label_answer("x")}))[1] == {"b": "labels_conflict", "c": "duplicate_of"}
    assert conflict(said("labels", **{target: label_answer("y")}))[1] == dict.fromkeys("ac", "labels_conflict")
    for answer in ("reject", "unsure", label_answer("z")):
        assert conflict(said("labels", **{target: answer}))[1] == reasons


def test_each_conflict_is_settled_by_its_own_answer():
    rows = [("a", "x", "i1"), ("b", "y", "i1"), ("c", "x", "i1"), ("d", "x", "i2"), ("e", "y", "i2"), ("f", "y", "i2")]
    rows += [("g", "x", "i3"), ("h", "y", "i3"), ("k", "x", "i4")]
    samples = samples_frame({"sample_id": name, "label": label, "image_id": image} for name, label, image in rows)
    decode = pd.DataFrame({"image_id": ["i1", "i2", "i3", "i4"], "width_px": 9, "height_px": 9, "size_bytes": 5})
    tables = {"samples": samples, "duplicates": pairs().astype({"is_copy": bool})}

    def judged(verdicts):
        return LabelsStage().run(inputs(tables, signals={"decode": decode}, verdicts=verdicts))

    ids = judged([]).table.set_index("sample_id")["conflict_id"]
    answers = {ids["a"]: label_answer("x"), ids["d"]: label_answer("y")}
    reasons = {row["sample_id"]: row["reason"] for row in records(judged(said("labels", **answers)).decisions)}
    assert reasons == {**dict.fromkeys("bdgh", "labels_conflict"), "c": "duplicate_of", "f": "duplicate_of"}


def test_suspects_are_asked_and_a_new_label_is_taken(world):
    samples = world.curated.tables["samples"]
    row = records(samples)[0]
    other = "coat" if row["label"] == "skirt" else "skirt"
    suspect = Suspect(sample_id=row["sample_id"], image_id=row["image_id"], label=row["label"], suggested=other,
                      label_prob=0.1, suggested_prob=0.8)  # fmt: skip
    curated = dataclasses.replace(world.curated, suspects=(suspect,))
    (card,) = queue_cards(curated, "labels")
    assert (card.target_id, card.preset) == (row["sample_id"], label_answer(other))
    two = pd.DataFrame([{"sighting_id": f"s{n}", "image_id": f"i{n}", "subject_id": f"u{n}", "label": label, "rank": 0,
                         **dict.fromkeys(("source", "organisation", "slot", "name", "image_url", "page_url"), ""),
                         "attributes": "{}", "role_class": "", "is_former": False}
                        for n, label in enumerate(("skirt", "coat"))])  # fmt: skip
    decode = pd.DataFrame({"image_id": ["i0", "i1"], "width_px": 99, "height_px": 99, "reason": ""})

    def labels_of(verdicts):
        result = SamplesStage().run(inputs({}, signals={"decode": decode}, sightings=two, verdicts=verdicts))
        return {sample["image_id"]: (sample["sample_id"], sample["label"]) for sample in records(result.table)}

    before = labels_of([])
    target = before["i0"][0]
    assert labels_of(said("labels", **{target: label_answer("coat")})) == before | {"i0": (target, "coat")}
    frame = samples_frame([{"sample_id": "a", "label": "x"}, {"sample_id": "b", "label": "x"}])
    result = LabelsStage().run(inputs({"samples": frame}, verdicts=said("labels", a="reject")))
    assert [(r["sample_id"], r["reason"]) for r in records(result.decisions)] == [("a", "labels_verdict")]


def test_roles_that_nobody_could_place_come_first(world):
    samples = world.curated.tables["samples"].drop_duplicates("subject_id")
    sightings = samples[["subject_id", "image_id"]].assign(rank=0, role="Pers. Ref.", role_class="professor")
    sightings.loc[sightings.index[4:], "role_class"] = "other"
    asked = world.but(sightings=sightings_of(records(sightings))).with_recipe(role_classes=("professor",))
    cards = queue_cards(asked.curated, "roles")
    assert len(cards) == len(samples)
    presets = [card.preset for card in cards if not card.is_random]
    assert presets == sorted(presets)  # no, no, ..., yes
    assert decisions_frame().empty
    assert np.isin(presets, ["yes", "no"]).all()

"""Table `samples`: one row per (image, box, subject), and what is wrong with it on its own.

Here thresholds meet signals: bad bytes, size, blankness, sharpness, placeholder pictures, role and former staff, and
which face of several is the subject's. What people said (queues `faces`, `roles`, and `labels` of single samples) wins
over all thresholds. Table: SAMPLE_COLUMNS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from catalog.errors import UsageError
from catalog.ids import Box, sample_id
from catalog.recipe import Recipe
from catalog.suppressions import normalised_name
from curation.contract import SAMPLE_COLUMNS, TableInputs, TableResult
from curation.decisions import decision, decisions_frame, records
from curation.ops.boxes import overlaps
from curation.stages.crops import most_central, most_prominent
from curation.stages.registry import check_params
from curation.verdicts import REJECTED, agreed_answers, label_answer

Row = dict[str, Any]

SETTINGS: dict[str, Any] = {
    "region": "image",  # `face` or `image`
    "min_side_px": 32,
    "min_sharpness": 0.0,
    "min_entropy_bits": 1.0,  # below: solid, blank or a few flat colours
    "placeholder_subjects": 3,  # one picture for this many subjects of different names shows none of them
    "min_face_px": 24,
    "min_face_score": 0.7,
    "max_tilt_deg": 0.0,  # 0: any
    "max_outside_frac": 0.15,  # of the face box beyond the border
    "choose": "dominant",  # among several faces: `dominant`, `largest`, `central`, `prominent`
    "dominance": 2.0,  # the largest face must have this many times the area of the next
}
"""Settings of [stages.samples] and their defaults."""
_JUDGED = {"decode": ["reason", "width_px", "height_px"], "quality": ["entropy_bits", "sharpness"], "faces": ["faces"]}
"""Stage -> the columns that samples are judged by."""
_PART_ROWS = 20_000
"""Samples judged at a time: as Python's rows a million would take gigabytes."""
_COUNTED = ("face_index", "turn_deg", *SAMPLE_COLUMNS[-4:])
TURNS_DEG = (0, 90, 180, 270)
"""Counter-clockwise quarter turns."""
_FACE_ANSWER = re.compile(r"face_(-?\d+)_(-?\d+)_(-?\d+)_(-?\d+)(?:_turn_(?P<turn>90|180|270))?")
_SAME_FACE_FRAC = 0.5
"""Overlap from which a box named by an answer is a face of a later measurement."""
_BY_PLACE = {"central": most_central, "prominent": most_prominent}
CHOICES = ("dominant", "largest", *_BY_PLACE)
"""Only `dominant` may refuse to choose (`faces_many`)."""


class SamplesStage:
    """See the module."""

    name = "samples"
    version = 2
    signals: tuple[str, ...] = ("decode", "quality", "hashes", "faces")
    tables: tuple[str, ...] = ()
    reads_verdicts: tuple[str, ...] = ("faces", "labels", "roles")
    reads_assignments = False

    def run(self, inputs: TableInputs) -> TableResult:
        """Make the samples and judge each on its own.

        Raises:
            UsageError: an unknown setting or choice; `region = face` without the stage `faces`.
        """
        settings = checked_settings(inputs.params, inputs.signals)
        frames = {
            name: inputs.signals[name].set_index("image_id")[columns]
            for name, columns in _JUDGED.items()
            if name in inputs.signals
        }
        placeholders = placeholder_images(
            inputs.sightings, inputs.signals.get("hashes"), settings["placeholder_subjects"]
        )
        answers = _Answers.of(inputs)
        sightings = best_sightings(inputs.sightings)
        parts, decisions = [_samples_frame([])], []
        for start in range(0, len(sightings), _PART_ROWS):
            part = sightings.iloc[start : start + _PART_ROWS]
            measured = _rows_of(part["image_id"].unique().tolist(), frames)
            rows = []
            for sighting in records(part):
                row, verdict = _judge(
                    sighting, measured[sighting["image_id"]], settings, inputs.recipe, placeholders, answers
                )
                rows.append(row)
                if verdict is not None:
                    decisions.append(decision(self.name, row, "drop", *verdict))
            parts.append(_samples_frame(rows))
        table = pd.concat(parts).sort_values("sample_id", ignore_index=True)
        return TableResult(table=table, decisions=decisions_frame(decisions), facts={"samples_count": len(table)})


def _samples_frame(rows: Sequence[Row]) -> pd.DataFrame:
    types = dict.fromkeys(SAMPLE_COLUMNS, "str") | {"target": "float64"}
    return pd.DataFrame(rows, columns=list(SAMPLE_COLUMNS)).astype(types | dict.fromkeys(_COUNTED, "int64"))


def checked_settings(params: Mapping[str, Any], signals: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the defaults and refuse what cannot be."""
    check_params("samples", params, SETTINGS)
    settings = {**SETTINGS, **params}
    if settings["region"] not in ("face", "image"):
        raise UsageError(f"[stages.samples]: region {settings['region']!r}, expected face or image")
    if settings["choose"] not in CHOICES:
        raise UsageError(f"[stages.samples]: choose {settings['choose']!r}, expected one of: {', '.join(CHOICES)}")
    if settings["region"] == "face" and "faces" not in signals:
        raise UsageError("[stages.samples]: region = face needs the stage [stages.faces]")
    return settings


def best_sightings(sightings: pd.DataFrame) -> pd.DataFrame:
    """Give one sighting per image and subject: the one that stood first among its subject's pictures."""
    ordered = sightings.sort_values(["image_id", "subject_id", "rank", "sighting_id"])
    return ordered.drop_duplicates(["image_id", "subject_id"])


def _rows_of(images: Sequence[str], frames: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, Row]]:
    """Give what was measured of some images: image -> stage -> row."""
    found: dict[str, dict[str, Row]] = {image: {} for image in images}
    for name, frame in frames.items():
        places = frame.index.get_indexer(pd.Index(images))
        there = [image for image, place in zip(images, places, strict=True) if place >= 0]
        for image, row in zip(there, records(frame.iloc[places[places >= 0]]), strict=True):
            found[image][name] = row
    return found


def normalised_names(names: pd.Series) -> pd.Series:
    """Apply `normalised_name`, once per name."""
    return names.map({name: normalised_name(name) for name in names.unique()})


def placeholder_images(sightings: pd.DataFrame, hashes: pd.DataFrame | None, subjects_min: int) -> dict[str, int]:
    """Images that stand for several subjects of different names -> for how many.

    Equal pixels count as one picture; a person whom three pages show is one subject by name.
    """
    picture = sightings["image_id"]
    if hashes is not None:
        picture = picture.map(hashes.set_index("image_id")["pixels_digest"]).fillna(picture)
    who = normalised_names(sightings["name"]).where(sightings["name"] != "", sightings["subject_id"])
    counts = who.groupby(picture.to_numpy()).nunique()
    many = counts[counts >= subjects_min]
    return {image: int(many[key]) for image, key in zip(sightings["image_id"], picture, strict=True) if key in many}


Verdict = tuple[str, Row]
"""Reason and evidence."""


@dataclass(frozen=True, slots=True)
class _Answers:
    """What people said of single samples."""

    faces: Mapping[str, str]
    """`portrait_id` -> answer."""
    roles: Mapping[str, str]
    """Subject -> yes, no or unsure."""
    labels: Mapping[str, str]
    """Sample -> its right label."""

    @classmethod
    def of(cls, inputs: TableInputs) -> _Answers:
        verdicts = inputs.verdicts
        chosen = agreed_answers(verdicts, "labels")
        told = inputs.sightings[["label", "attributes"]].drop_duplicates() if chosen else inputs.sightings[:0]
        known = {read_label(inputs.recipe.label, row)[0] for row in records(told)}
        names = {label_answer(label): label for label in known}
        return cls(
            faces=agreed_answers(verdicts, "faces"),
            roles=agreed_answers(verdicts, "roles") if inputs.recipe.role_classes else {},
            labels={target: names[answer] for target, answer in chosen.items() if answer in names},
        )


def _judge(
    sighting: Row,
    measured: Mapping[str, Row],
    settings: Row,
    recipe: Recipe,
    placeholders: Mapping[str, int],
    answers: _Answers,
) -> tuple[Row, Verdict | None]:
    """Make a sample of a sighting; the first thing that is wrong with it, if any."""
    face_index, turn_deg, box, face_verdict = -1, 0, None, None
    verdict = _role_verdict(sighting, recipe, answers.roles.get(sighting["subject_id"], ""))
    verdict = verdict or _image_verdict(sighting, measured, settings, placeholders)
    if settings["region"] == "face" and "faces" in measured:
        face_index, face_verdict = choose_face(measured, settings)
        answer = answers.faces.get(portrait_id(sighting), "")
        if answer == REJECTED:
            face_verdict = "faces_verdict", {}
        elif found := answered_face(answer, measured["faces"]["faces"]):
            (face_index, turn_deg), face_verdict = found, None
        if face_index >= 0:
            face = measured["faces"]["faces"][face_index]
            box = _clipped(face, measured["decode"])
    row = _sample_row(sighting, recipe, face_index, turn_deg, box)
    row["label"] = answers.labels.get(row["sample_id"], row["label"])
    return row, verdict or face_verdict


def _role_verdict(sighting: Row, recipe: Recipe, answer: str) -> Verdict | None:
    if answer == "no":
        return "labels_role", {"role_class": sighting["role_class"], "verdict": answer}
    if answer != "yes" and recipe.role_classes and sighting["role_class"] not in recipe.role_classes:
        return "labels_role", {"role_class": sighting["role_class"]}
    if sighting["is_former"] and not recipe.with_former:
        return "labels_former", {}
    return None


def _image_verdict(
    sighting: Row, measured: Mapping[str, Row], settings: Row, placeholders: Mapping[str, int]
) -> Verdict | None:
    decode = measured["decode"]
    if decode["reason"]:
        return str(decode["reason"]), {}
    if sighting["image_id"] in placeholders:
        return "quality_placeholder", {"subjects_count": placeholders[sighting["image_id"]]}
    side = int(min(decode["width_px"], decode["height_px"]))
    if side < settings["min_side_px"]:
        return "quality_too_small", {"side_px": side}
    quality = measured.get("quality")
    if quality is not None and quality["entropy_bits"] < settings["min_entropy_bits"]:
        return "quality_blank", {"entropy_bits": round(float(quality["entropy_bits"]), 3)}
    if quality is not None and quality["sharpness"] < settings["min_sharpness"]:
        return "quality_blurred", {"sharpness": round(float(quality["sharpness"]), 1)}
    return None


def choose_face(measured: Mapping[str, Row], settings: Row) -> tuple[int, Verdict | None]:
    """Choose the subject's face: its index (-1 for none) and what is wrong with it."""
    faces = list(measured["faces"]["faces"])
    sure = [index for index, face in enumerate(faces) if face["face_score"] >= settings["min_face_score"]]
    if not sure:
        return -1, ("faces_none_found", {"faces_count": len(faces)})
    areas = {index: _area(faces[index]) for index in sure}
    largest = sorted(sure, key=lambda index: (-areas[index], index))
    chosen = largest[0]
    if settings["choose"] in _BY_PLACE:
        decode = measured["decode"]
        sizes = int(decode["width_px"]), int(decode["height_px"])
        chosen = sure[_BY_PLACE[settings["choose"]]([faces[index] for index in sure], *sizes)]
    elif settings["choose"] == "dominant" and len(sure) > 1:
        ratio = areas[largest[0]] / max(1, areas[largest[1]])
        if ratio < settings["dominance"]:
            return -1, ("faces_many", {"faces_count": len(sure), "area_ratio": round(ratio, 2)})
    return chosen, _face_verdict(faces[chosen], measured["decode"], settings)


def portrait_id(row: Mapping[str, Any]) -> str:
    """Name a picture of a subject, whatever is cut out of it: the target of the queue `faces`."""
    return sample_id(row["image_id"], None, row["subject_id"])


def offered_faces(measured: Mapping[str, Row]) -> list[int]:
    """List the faces that a person may choose among: those that have a crop, or all where no crops are made."""
    count = len(measured["faces"]["faces"])
    if "crops" in measured:
        return [int(index) for index in measured["crops"]["face_indexes"] if index < count]
    return list(range(count))


def face_answer(face: Mapping[str, Any], turn_deg: int) -> str:
    """Name a face by its box in pixels of the original, so that the name outlives another order of the faces.

    Args:
        face: a row of the image's `faces`.
        turn_deg: from TURNS_DEG, beyond what the stage `faces` turned.
    """
    name = "_".join(["face", *(str(int(face[corner])) for corner in ("x0", "y0", "x1", "y1"))])
    return f"{name}_turn_{turn_deg}" if turn_deg else name


def answered_face(answer: str, faces: Sequence[Mapping[str, Any]]) -> tuple[int, int] | None:
    """Find the face that an answer names: its index and the turn; None where no face covers half of that box."""
    match = _FACE_ANSWER.fullmatch(answer)
    if match is None or not len(faces):
        return None
    box = np.array([float(number) for number in match.groups()[:4]])
    boxes = np.array([[face[corner] for corner in ("x0", "y0", "x1", "y1")] for face in faces], np.float64)
    shares = overlaps(box, boxes)
    best = int(shares.argmax())
    return (best, int(match["turn"] or 0)) if shares[best] >= _SAME_FACE_FRAC else None


def _face_verdict(face: Row, decode: Row, settings: Row) -> Verdict | None:
    if face["size_px"] < settings["min_face_px"]:
        return "faces_small", {"size_px": int(face["size_px"])}
    x0, y0, x1, y1 = _clipped(face, decode)
    outside = 1 - (x1 - x0) * (y1 - y0) / _area(face)
    if outside > settings["max_outside_frac"]:
        return "faces_cut_off", {"outside_frac": round(outside, 3)}
    if settings["max_tilt_deg"] and abs(face["tilt_deg"]) > settings["max_tilt_deg"]:
        return "faces_tilted", {"tilt_deg": round(float(face["tilt_deg"]), 1)}
    return None


def _area(face: Row) -> int:
    return int(max(1, face["x1"] - face["x0"]) * max(1, face["y1"] - face["y0"]))


def _clipped(face: Row, decode: Row) -> Box:
    """The face's box inside the picture."""
    width, height = int(decode["width_px"]), int(decode["height_px"])
    x0, y0 = min(max(0, int(face["x0"])), width - 1), min(max(0, int(face["y0"])), height - 1)
    return x0, y0, max(x0 + 1, min(width, int(face["x1"]))), max(y0 + 1, min(height, int(face["y1"])))


def _sample_row(sighting: Row, recipe: Recipe, face_index: int, turn_deg: int, box: Box | None) -> Row:
    label, target = read_label(recipe.label, sighting)
    return {
        "sample_id": sample_id(sighting["image_id"], box, sighting["subject_id"]),
        **{name: sighting[name] for name in ("image_id", "subject_id", "sighting_id", "source", "organisation")},
        **{name: sighting[name] for name in ("slot", "name", "image_url", "page_url", "attributes")},
        "label": label,
        "target": target,
        "face_index": face_index,
        "turn_deg": turn_deg,
        **dict(zip(SAMPLE_COLUMNS[-4:], box or (-1, -1, -1, -1), strict=True)),
    }


def read_label(where: str, sighting: Mapping[str, Any]) -> tuple[str, float]:
    """Read class and target of a sighting.

    Args:
        where: the recipe's `label`: `label`, or `attributes.<name>`.
        sighting: a row of the sightings.

    Returns:
        (class, NaN), or ("", number) where the attribute is a number.
    """
    if where == "label":
        return str(sighting["label"]), float("nan")
    value = json.loads(sighting["attributes"]).get(where.removeprefix("attributes."))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "", float(value)
    return "" if value is None else str(value), float(np.nan)

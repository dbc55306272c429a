"""What a drawn person is: one `Look` per person, one `Shot` per photo of that person, and the planted signal.

A `Look` fixes what makes a person (skin, face shape, eyes, brows, nose, mouth, hair, beard, glasses, clothes), a
`Shot` what changes between two photos (turn, tilt, light, expression, backdrop).

The field of study leaves a planted, wholly fictional trace that a small network can learn from a grey crop of the
head: each department has a favourite collar (worn by `FIELD_COLLAR_FRAC` of its people, else any other), a probability
of glasses (`FIELD_GLASSES_PROB`) and a favourite backdrop (`FIELD_BACKDROP_FRAC` of the photos, else any other). The
rule that reads only the collar is right for 62 % of the people, against 25 % by chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COLLARS = ("round", "tie", "scarf", "polo")
BACKDROPS = ("dark", "light", "books", "halves")
FIELD_COLLAR = {"cs": "round", "econ": "tie", "german": "scarf", "mechanical": "polo"}
FIELD_BACKDROP = {"cs": "dark", "econ": "light", "german": "books", "mechanical": "halves"}
FIELD_GLASSES_PROB = {"cs": 0.75, "econ": 0.2, "german": 0.45, "mechanical": 0.1}
FIELD_COLLAR_FRAC = 0.62
FIELD_BACKDROP_FRAC = 0.5

SKINS = ((244, 210, 186), (236, 196, 166), (226, 180, 148), (205, 158, 124), (176, 128, 96), (140, 98, 72))
HAIRS = (
    (36, 28, 26),
    (62, 42, 30),
    (98, 66, 40),
    (150, 104, 58),
    (206, 168, 104),
    (150, 64, 36),
    (150, 148, 146),
    (205, 204, 200),
)
EYES = ((74, 50, 34), (96, 70, 40), (70, 104, 130), (82, 112, 78), (110, 116, 122))
CLOTHES = ((38, 44, 64), (92, 32, 40), (44, 82, 70), (120, 116, 108), (54, 92, 132), (66, 54, 84), (150, 110, 70))
HAIR_STYLES = ("short", "side", "long", "bob", "curly", "bun", "bald")

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """What stays the same on every photo of one person; lengths are fractions of the half face width."""

    skin: Colour
    hair: Colour
    iris: Colour
    clothes: Colour
    hair_style: str
    collar: str
    has_glasses: bool
    beard_frac: float
    face_width: float
    face_length: float
    jaw: float
    eye_distance: float
    eye_size: float
    brow_thickness: float
    brow_tilt: float
    nose_length: float
    nose_width: float
    mouth_width: float
    lip_fullness: float
    fringe: float
    freckle_count: int


@dataclass(frozen=True, slots=True)
class Shot:
    """What changes between two photos of one person."""

    yaw: float
    """-1..1 over the range that is still frontal."""
    pitch: float
    roll_deg: float
    zoom: float
    smile: float
    gaze: float
    light_deg: float
    light_strength: float
    warmth: float
    backdrop: str
    backdrop_colour: Colour
    grain_seed: int


def vary(colour: Colour, rng: np.random.Generator, spread: int) -> Colour:
    """Shift each channel by up to `spread`."""
    shifted = np.clip(np.array(colour) + rng.integers(-spread, spread + 1, 3), 0, 255)
    return (int(shifted[0]), int(shifted[1]), int(shifted[2]))


def _biased(favourite: str, all_values: tuple[str, ...], favourite_frac: float, rng: np.random.Generator) -> str:
    if rng.random() < favourite_frac:
        return favourite
    return str(rng.choice([value for value in all_values if value != favourite]))


def draw_look(field: str, rng: np.random.Generator) -> Look:
    """Invent a person of a department; the field biases collar and glasses as the module says."""
    style = str(rng.choice(HAIR_STYLES, p=(0.26, 0.18, 0.2, 0.12, 0.1, 0.08, 0.06)))
    bearded = style not in ("long", "bob", "bun") and rng.random() < 0.4
    uniform = rng.uniform
    return Look(
        skin=vary(SKINS[rng.integers(len(SKINS))], rng, 6),
        hair=vary(HAIRS[rng.integers(len(HAIRS))], rng, 10),
        iris=vary(EYES[rng.integers(len(EYES))], rng, 8),
        clothes=vary(CLOTHES[rng.integers(len(CLOTHES))], rng, 16),
        hair_style=style,
        collar=_biased(FIELD_COLLAR[field], COLLARS, FIELD_COLLAR_FRAC, rng),
        has_glasses=bool(rng.random() < FIELD_GLASSES_PROB[field]),
        beard_frac=float(uniform(0.4, 1.0)) if bearded else 0.0,
        face_width=float(uniform(0.92, 1.1)),
        face_length=float(uniform(0.94, 1.1)),
        jaw=float(uniform(0.0, 1.0)),
        eye_distance=float(uniform(0.40, 0.47)),
        eye_size=float(uniform(0.17, 0.215)),
        brow_thickness=float(uniform(0.04, 0.085)),
        brow_tilt=float(uniform(-0.06, 0.08)),
        nose_length=float(uniform(0.33, 0.46)),
        nose_width=float(uniform(0.15, 0.23)),
        mouth_width=float(uniform(0.30, 0.42)),
        lip_fullness=float(uniform(0.06, 0.12)),
        fringe=float(uniform(0.0, 1.0)),
        freckle_count=int(rng.integers(12, 26)) if rng.random() < 0.15 else 0,
    )


def draw_shot(field: str, rng: np.random.Generator) -> Shot:
    """Invent the circumstances of one photo; the field biases the backdrop as the module says."""
    backdrop = _biased(FIELD_BACKDROP[field], BACKDROPS, FIELD_BACKDROP_FRAC, rng)
    base = {"dark": (52, 60, 74), "light": (222, 222, 218), "books": (140, 112, 84), "halves": (128, 148, 160)}[
        backdrop
    ]
    return Shot(
        yaw=float(rng.uniform(-0.6, 0.6)),
        pitch=float(rng.uniform(-0.5, 0.5)),
        roll_deg=float(rng.uniform(-5, 5)),
        zoom=float(rng.uniform(0.86, 1.1)),
        smile=float(rng.uniform(0.0, 1.0)),
        gaze=float(rng.uniform(-0.5, 0.5)),
        light_deg=float(rng.uniform(0, 360)),
        light_strength=float(rng.uniform(0.08, 0.26)),
        warmth=float(rng.uniform(-0.06, 0.06)),
        backdrop=backdrop,
        backdrop_colour=vary(base, rng, 18),
        grain_seed=int(rng.integers(2**31)),
    )

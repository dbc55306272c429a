"""Drawn portraits: frontal faces that a face detector finds, of people who do not exist.

An `Identity` is what stays the same between two photos of one person (skin, hair, face, eyes, beard, glasses); a
`Shot` is what changes (light, background, shift, tilt, smile).

The planted signal of the `majors` recipe: a person's field makes glasses, beard, hair and collar more or less likely
(`FIELD_HABITS`), all inside the face crop. It is fiction, put there so that a model has something to find that is
known to be there, and neither certain nor absent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

FIELD_HABITS: dict[str, dict[str, float]] = {
    "cs": {"glasses": 0.85, "beard": 0.45, "long_hair": 0.2, "dark_collar": 0.85, "pale_wall": 0.2},
    "econ": {"glasses": 0.2, "beard": 0.1, "long_hair": 0.35, "dark_collar": 0.9, "pale_wall": 0.9},
    "german": {"glasses": 0.6, "beard": 0.1, "long_hair": 0.85, "dark_collar": 0.2, "pale_wall": 0.8},
    "mechanical": {"glasses": 0.15, "beard": 0.7, "long_hair": 0.1, "dark_collar": 0.25, "pale_wall": 0.15},
}
"""Probability of each visible habit per field."""

_SKINS = ((250, 222, 200), (238, 198, 168), (224, 178, 142), (200, 150, 115), (165, 115, 82), (125, 82, 58))
_HAIRS = ((38, 28, 22), (70, 46, 30), (110, 74, 42), (168, 126, 74), (205, 172, 112), (120, 120, 122), (60, 34, 30))
_EYES = ((62, 44, 30), (86, 62, 40), (70, 98, 120), (84, 110, 84))


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays the same between two photos of one person."""

    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    eyes: tuple[int, int, int]
    face_width: float
    """Half width of the face over half its height."""
    jaw: float
    eye_distance: float
    eye_size: float
    brow_height: float
    brow_weight: float
    nose_length: float
    nose_width: float
    mouth_width: float
    mouth_height: float
    parting: float
    fringe: float
    has_glasses: bool
    has_beard: bool
    has_long_hair: bool
    has_dark_collar: bool
    has_pale_wall: bool
    cloth: tuple[int, int, int]
    rim: tuple[int, int, int]
    rim_width: float
    rim_height: float
    rim_roundness: int
    rim_weight: int
    collar: int
    """0 a V, 1 round, 2 a shirt's two points, 3 a turtleneck."""
    texture_seed: int
    """Of skin and hair: freckles, lines, strands."""


@dataclass(frozen=True, slots=True)
class Shot:
    """What changes between two photos of one person."""

    light: float
    side_light: float
    wall: tuple[int, int, int]
    shift_x: float
    shift_y: float
    zoom: float
    tilt_deg: float
    smile: float
    noise_seed: int


def draw_identity(rng: np.random.Generator, field: str) -> Identity:
    """Draw a person of a field at random."""
    habits = FIELD_HABITS[field]
    uniform = rng.uniform
    has_dark_collar = rng.random() < habits["dark_collar"]
    tones = (20, 70) if has_dark_collar else (150, 235)
    return Identity(
        skin=_SKINS[rng.integers(len(_SKINS))], hair=_HAIRS[rng.integers(len(_HAIRS))],
        eyes=_EYES[rng.integers(len(_EYES))], face_width=uniform(0.68, 0.84), jaw=uniform(0.75, 1.0),
        eye_distance=uniform(0.36, 0.46), eye_size=uniform(0.8, 1.15), brow_height=uniform(0.15, 0.23),
        brow_weight=uniform(0.6, 1.5), nose_length=uniform(0.26, 0.38), nose_width=uniform(0.10, 0.17),
        mouth_width=uniform(0.24, 0.38), mouth_height=uniform(0.48, 0.58), parting=uniform(-0.6, 0.6),
        fringe=uniform(0.0, 0.22), has_glasses=rng.random() < habits["glasses"],
        has_beard=rng.random() < habits["beard"], has_long_hair=rng.random() < habits["long_hair"],
        has_dark_collar=has_dark_collar, has_pale_wall=rng.random() < habits["pale_wall"],
        cloth=tuple(int(value) for value in rng.integers(*tones, 3)),
        rim=tuple(int(value) for value in rng.integers(10, 95, 3)), rim_width=uniform(0.2, 0.29),
        rim_height=uniform(0.13, 0.22), rim_roundness=int(rng.integers(3, 26)), rim_weight=int(rng.integers(3, 7)),
        collar=int(rng.integers(0, 4)), texture_seed=int(rng.integers(2**31)),
    )  # fmt: skip


def draw_shot(rng: np.random.Generator, identity: Identity) -> Shot:
    """Draw the circumstances of one photo at random."""
    tones = (165, 240) if identity.has_pale_wall else (45, 120)
    return Shot(
        light=rng.uniform(0.85, 1.12), side_light=rng.uniform(-0.35, 0.35),
        wall=tuple(int(value) for value in rng.integers(*tones, 3)), shift_x=rng.uniform(-0.08, 0.08),
        shift_y=rng.uniform(-0.05, 0.05), zoom=rng.uniform(0.86, 1.14), tilt_deg=rng.uniform(-4, 4),
        smile=rng.uniform(0.1, 0.9), noise_seed=int(rng.integers(2**31)),
    )  # fmt: skip


_WORK = (320, 400)
"""(width, height) px at which a portrait is drawn before it is scaled."""


def draw_portrait(identity: Identity, shot: Shot, size: tuple[int, int]) -> Image.Image:
    """Draw one photo.

    Args:
        identity: who.
        shot: how it was taken.
        size: (width, height) in px, about 4:5.

    Returns:
        An RGB image; the same arguments give the same pixels.
    """
    width, height = _WORK
    image = _draw_wall(shot)
    pen = ImageDraw.Draw(image)
    scale = height * 0.29 * shot.zoom
    frame = _Frame(width * (0.5 + shot.shift_x), height * (0.47 + shot.shift_y), scale)
    _draw_hair_behind(pen, frame, identity)
    _draw_body(pen, frame, identity)
    _draw_head(pen, frame, identity)
    _draw_eyes(pen, frame, identity)
    _draw_nose_and_mouth(pen, frame, identity, shot)
    _draw_hair_front(pen, frame, identity)
    _draw_texture(pen, frame, identity, shot)
    if identity.has_glasses:
        _draw_glasses(pen, frame, identity)
    if shot.tilt_deg:
        image = image.rotate(shot.tilt_deg, Image.Resampling.BILINEAR, fillcolor=shot.wall)
    image = image.filter(ImageFilter.GaussianBlur(1.1))
    image = _light(image, shot)
    return image.resize(size, Image.Resampling.BICUBIC) if size != _WORK else image


@dataclass(frozen=True, slots=True)
class _Frame:
    """Face coordinates: origin between the eyes' height and the nose, 1 = half the face's height."""

    x: float
    y: float
    scale: float

    def box(self, x: float, y: float, rx: float, ry: float) -> list[float]:
        s = self.scale
        return [self.x + (x - rx) * s, self.y + (y - ry) * s, self.x + (x + rx) * s, self.y + (y + ry) * s]

    def points(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(self.x + x * self.scale, self.y + y * self.scale) for x, y in points]


def _shade(color: tuple[int, int, int], factor: float) -> tuple[int, int, int]:
    return tuple(max(0, min(255, round(value * factor))) for value in color)  # type: ignore[return-value]


def _cloud(rng: np.random.Generator, cells: int, strength: float) -> np.ndarray:
    """Smooth random light and shade of about `cells` patches across, (H, W, 1) float32."""
    width, height = _WORK
    grid = rng.normal(0, strength, (cells * height // width + 1, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize(_WORK, Image.Resampling.BICUBIC))[:, :, None]


def _draw_wall(shot: Shot) -> Image.Image:
    """Draw what stands behind: every photo has a place of its own, with shelves, doors, leaves, light."""
    width, height = _WORK
    rng = np.random.default_rng(shot.noise_seed)
    pixels = np.array(shot.wall, dtype=np.float32) + _cloud(rng, 4, 14) + _cloud(rng, 14, 9) + _cloud(rng, 45, 7)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(6, 22)):
        x, y = int(rng.integers(-20, width)), int(rng.integers(-20, height))
        tone = _shade(shot.wall, rng.uniform(0.6, 1.35))
        box = (x, y, x + int(rng.integers(6, 80)), y + int(rng.integers(6, 120)))
        if rng.random() < 0.6:
            pen.rectangle(box, fill=tone)
        else:
            pen.ellipse(box, fill=tone)
    return image


def _draw_texture(pen: ImageDraw.ImageDraw, frame: _Frame, who: Identity, shot: Shot) -> None:
    """Draw freckles and lines, which a person keeps, and strands and folds, which every photo has anew."""
    own = np.random.default_rng(who.texture_seed)
    for _ in range(own.integers(4, 40)):
        x, y, size = own.uniform(-0.6, 0.6), own.uniform(-0.5, 0.75), own.uniform(0.008, 0.022)
        pen.ellipse(frame.box(x, y, size, size), fill=_shade(who.skin, own.uniform(0.7, 0.92)))
    for _ in range(own.integers(0, 4)):
        y = own.uniform(-0.62, -0.42)
        pen.line(frame.points([(-0.3, y), (0, y - 0.02), (0.3, y)]), fill=_shade(who.skin, 0.88), width=2)
    now = np.random.default_rng(shot.noise_seed + 1)
    for _ in range(46):
        angle, reach = now.uniform(-2.75, -0.4), now.uniform(0.8, 1.0)
        x, y = math.cos(angle) * (who.face_width + 0.08) * reach, -0.26 + math.sin(angle) * 0.86 * reach
        tip = (x + now.uniform(-0.16, 0.16), y + now.uniform(0.02, 0.22))
        pen.line(frame.points([(x, y), tip]), fill=_shade(who.hair, now.uniform(0.6, 1.5)), width=2)
    for _ in range(14):
        x, y = now.uniform(-1.3, 1.3), now.uniform(1.35, 2.0)
        fold = [(x, y), (x + now.uniform(-0.3, 0.3), y + now.uniform(0.1, 0.5))]
        pen.line(frame.points(fold), fill=_shade(who.cloth, now.uniform(0.65, 1.4)), width=int(now.integers(2, 7)))


def _draw_body(pen: ImageDraw.ImageDraw, frame: _Frame, who: Identity) -> None:
    neck = _shade(who.skin, 0.86)
    pen.polygon(frame.points([(-0.36, 0.6), (0.36, 0.6), (0.46, 1.5), (-0.46, 1.5)]), fill=neck)
    pen.ellipse(frame.box(0, 2.25, 1.55, 1.12), fill=who.cloth)
    edge = _shade(who.cloth, 1.35 if who.has_dark_collar else 0.75)
    match who.collar:
        case 0:
            pen.polygon(frame.points([(-0.3, 1.14), (0.3, 1.14), (0, 1.62)]), fill=neck)
            pen.line(frame.points([(-0.34, 1.12), (0, 1.64), (0.34, 1.12)]), fill=edge, width=6)
        case 1:
            pen.ellipse(frame.box(0, 1.14, 0.42, 0.2), fill=neck, outline=edge, width=5)
        case 2:
            pen.polygon(frame.points([(-0.2, 1.1), (0.2, 1.1), (0, 1.4)]), fill=neck)
            for side in (-1, 1):
                pen.polygon(frame.points([(0, 1.42), (side * 0.4, 1.05), (side * 0.5, 1.45)]), fill=edge)
        case _:
            pen.rounded_rectangle(frame.box(0, 1.12, 0.46, 0.2), radius=10, fill=edge)


def _draw_head(pen: ImageDraw.ImageDraw, frame: _Frame, who: Identity) -> None:
    for side in (-1, 1):
        pen.ellipse(frame.box(side * who.face_width * 0.99, 0.05, 0.1, 0.2), fill=_shade(who.skin, 0.9))
    pen.ellipse(frame.box(0, -0.08, who.face_width, 0.92), fill=who.skin)
    pen.ellipse(frame.box(0, 0.32, who.face_width * who.jaw * 0.92, 0.7), fill=who.skin)
    for side in (-1, 1):
        pen.ellipse(frame.box(side * 0.42, 0.32, 0.17, 0.13), fill=_blend(who.skin, (225, 120, 105), 0.14))
    if who.has_beard:
        beard = _blend(who.skin, who.hair, 0.75)
        pen.chord(frame.box(0, 0.3, who.face_width * who.jaw * 0.95, 0.76), 8, 172, fill=beard)
        pen.ellipse(frame.box(0, who.mouth_height + 0.01, who.mouth_width + 0.09, 0.17), fill=beard)


def _blend(a: tuple[int, int, int], b: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    return tuple(round(x * (1 - share) + y * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def _draw_eyes(pen: ImageDraw.ImageDraw, frame: _Frame, who: Identity) -> None:
    for side in (-1, 1):
        x, size = side * who.eye_distance, who.eye_size
        pen.ellipse(frame.box(x, -0.1, 0.2 * size, 0.13 * size), fill=_shade(who.skin, 0.82))
        pen.ellipse(frame.box(x, -0.09, 0.155 * size, 0.08 * size), fill=(240, 238, 234))
        pen.ellipse(frame.box(x, -0.09, 0.075 * size, 0.078 * size), fill=who.eyes)
        pen.ellipse(frame.box(x, -0.09, 0.036 * size, 0.038 * size), fill=(14, 12, 12))
        pen.ellipse(frame.box(x + 0.025, -0.115, 0.014, 0.014), fill=(250, 250, 250))
        pen.arc(frame.box(x, -0.08, 0.17 * size, 0.11 * size), 195, 345, fill=_shade(who.hair, 0.6), width=3)
        brow = -0.1 - who.brow_height
        points = [(x - side * 0.17, brow + 0.03), (x + side * 0.02, brow - 0.03), (x + side * 0.19, brow + 0.03)]
        pen.line(frame.points(points), fill=_shade(who.hair, 0.85), width=round(5 * who.brow_weight), joint="curve")


def _draw_nose_and_mouth(pen: ImageDraw.ImageDraw, frame: _Frame, who: Identity, shot: Shot) -> None:
    dark, tip = _shade(who.skin, 0.78), who.nose_length - 0.06
    pen.polygon(
        frame.points([(-0.05, -0.05), (0.03, -0.05), (who.nose_width * 0.7, tip), (-who.nose_width * 0.8, tip)]),
        fill=_shade(who.skin, 0.94),
    )
    pen.ellipse(frame.box(0, tip, who.nose_width, 0.075), fill=_shade(who.skin, 0.92))
    for side in (-1, 1):
        pen.ellipse(frame.box(side * who.nose_width * 0.55, tip + 0.03, 0.035, 0.022), fill=_shade(who.skin, 0.5))
    pen.line(frame.points([(0.02, -0.02), (0.035, tip - 0.06)]), fill=_shade(who.skin, 1.08), width=4)
    mouth, lips = who.mouth_height, _blend(who.skin, (170, 60, 60), 0.55)
    pen.ellipse(frame.box(0, mouth, who.mouth_width, 0.065), fill=lips)
    pen.ellipse(frame.box(0, mouth - 0.015, who.mouth_width * 0.8, 0.03 * shot.smile), fill=(244, 240, 236))
    curve = frame.box(0, mouth - 0.12 * shot.smile, who.mouth_width, 0.13 * shot.smile + 0.02)
    pen.arc(curve, 20, 160, fill=_shade(lips, 0.6), width=3)
    pen.arc(frame.box(0, mouth + 0.16, 0.16, 0.05), 200, 340, fill=dark, width=2)


def _draw_hair_behind(pen: ImageDraw.ImageDraw, frame: _Frame, who: Identity) -> None:
    if who.has_long_hair:
        pen.ellipse(frame.box(0, 0.25, who.face_width + 0.28, 1.35), fill=_shade(who.hair, 0.85))
    pen.ellipse(frame.box(0, -0.28, who.face_width + 0.12, 0.86), fill=who.hair)


def _draw_hair_front(pen: ImageDraw.ImageDraw, frame: _Frame, who: Identity) -> None:
    top = frame.box(0, -0.24, who.face_width + 0.06, 0.86)
    pen.chord(top, 205 - 18 * who.fringe, 335 + 18 * who.fringe, fill=who.hair)
    strand = [(who.parting * 0.5, -1.02), (who.parting, -0.62 + who.fringe * 0.3), (who.parting * 0.6, -0.66)]
    pen.polygon(frame.points(strand), fill=_shade(who.hair, 1.25))


def _draw_glasses(pen: ImageDraw.ImageDraw, frame: _Frame, who: Identity) -> None:
    for side in (-1, 1):
        box = frame.box(side * who.eye_distance, -0.08, who.rim_width, who.rim_height)
        pen.rounded_rectangle(box, radius=who.rim_roundness, outline=who.rim, width=who.rim_weight)
        temple = [(side * (who.eye_distance + who.rim_width), -0.12), (side * who.face_width, -0.14)]
        pen.line(frame.points(temple), fill=who.rim, width=who.rim_weight - 1)
    gap = who.eye_distance - who.rim_width
    pen.line(frame.points([(-gap, -0.1), (gap, -0.1)]), fill=who.rim, width=who.rim_weight)


def _light(image: Image.Image, shot: Shot) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float32)
    height, width = pixels.shape[:2]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    gain = shot.light * (1 + 0.5 * shot.side_light * across) * (1.02 - 0.10 * down**2 - 0.10 * across**2)
    rng = np.random.default_rng(shot.noise_seed + 2)
    grain = rng.normal(0, 2.5, (height, width, 1)).astype(np.float32) + _cloud(rng, 30, 4.0)
    return Image.fromarray(np.clip(pixels * gain + grain, 0, 255).astype(np.uint8))


def draw_silhouette(size: tuple[int, int]) -> Image.Image:
    """Draw the grey figure that stands for a missing photo."""
    width, height = size
    image = Image.new("RGB", size, (222, 224, 228))
    pen = ImageDraw.Draw(image)
    tone = (176, 180, 188)
    pen.ellipse((width * 0.3, height * 0.18, width * 0.7, height * 0.55), fill=tone)
    pen.ellipse((width * 0.12, height * 0.62, width * 0.88, height * 1.35), fill=tone)
    return image


def draw_group(people: list[tuple[Identity, Shot]], size: tuple[int, int]) -> Image.Image:
    """Put several people side by side, as on a team photo."""
    width, height = size
    image = Image.new("RGB", size, (150, 165, 175))
    share = math.ceil(width / len(people))
    for number, (who, shot) in enumerate(people):
        single = draw_portrait(who, shot, (share, min(height, share * 5 // 4)))
        image.paste(single, (number * share, height - single.height))
    return image


def draw_logo(rng: np.random.Generator, size: tuple[int, int], text: str) -> Image.Image:
    """Draw an institution's sign."""
    image = Image.new("RGB", size, (255, 255, 255))
    pen = ImageDraw.Draw(image)
    color = tuple(int(value) for value in rng.integers(20, 150, 3))
    pen.rectangle((0, 0, size[1], size[1]), fill=color)
    pen.text((size[1] + 8, size[1] // 3), text, fill=color)
    return image

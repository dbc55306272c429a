"""Drawn garments: the cloth once, flat, as RGBA; then a seller's studio photo, a buyer's snapshot, or a buyer's noise.

A `Garment` fixes cut, pattern and colour of one item in one colour. `StudioDrawing`, `SnapshotDrawing` and
`NoiseDrawing` are drawings (`sampleweb.drawings`) around it. To add a category: a half outline in `OUTLINES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from sampleweb.looks import Colour

CLOTH_WIDTH_PX, CLOTH_HEIGHT_PX = 320, 400
SCENE_WIDTH_PX, SCENE_HEIGHT_PX = 400, 480
PATTERNS = ("plain", "plain", "stripes", "dots", "plaid", "flowers", "border")
SETTINGS = ("bed", "floor", "door", "mirror", "grass")
NOISE_KINDS = ("parcel", "fabric_close_up", "half_unwrapped")
COLOURS: dict[str, Colour] = {
    "Black": (38, 36, 40),
    "White": (238, 236, 230),
    "Red": (190, 36, 44),
    "Wine Red": (112, 28, 44),
    "Navy": (34, 44, 92),
    "Sky Blue": (128, 178, 220),
    "Green": (52, 112, 72),
    "Khaki": (176, 152, 108),
    "Pink": (230, 150, 170),
    "Yellow": (232, 194, 72),
    "Grey": (140, 140, 144),
    "Purple": (112, 72, 150),
}


@dataclass(frozen=True, slots=True)
class Garment:
    """One item in one colour; lengths are fractions of the cloth's size."""

    category: str
    colour: Colour
    accent: Colour
    pattern: str
    length: float
    flare: float
    waist: float
    pleat_count: int
    hem_curve: float
    """Below 0 the hem is shorter in the middle, above 0 longer."""
    has_belt: bool
    pattern_size: float
    seed: int


def draw_cut(category: str, rng: np.random.Generator) -> Garment:
    """Invent a cut and pattern, in black; colour it by `dataclasses.replace`."""
    return Garment(
        category=category,
        colour=COLOURS["Black"],
        accent=(240, 236, 226),
        pattern=str(rng.choice(PATTERNS)),
        length=float(rng.uniform(0.5, 1.0)),
        flare=float(rng.uniform(0.02, 0.55)),
        waist=float(rng.uniform(0.26, 0.36)),
        pleat_count=int(rng.choice((0, 0, 5, 9, 14))),
        hem_curve=float(rng.choice((0.0, 0.0, 0.08, -0.1))),
        has_belt=bool(rng.random() < 0.35),
        pattern_size=float(rng.uniform(0.7, 1.5)),
        seed=int(rng.integers(2**31)),
    )


def _skirt(garment: Garment) -> list[tuple[float, float]]:
    """Give the right half of the outline from waist to hem: (half width, height), 0..1."""
    hem = min(0.96, garment.waist + garment.flare * (0.5 + 0.5 * garment.length))
    bottom = 0.04 + 0.92 * garment.length
    points = [(garment.waist, 0.04), (garment.waist * 1.02, 0.1)]
    for step in range(1, 9):
        part = step / 8
        bulge = 0.05 * math.sin(math.pi * min(1.0, 2.2 * part))
        points.append((garment.waist + (hem - garment.waist) * part**1.15 + bulge, 0.1 + (bottom - 0.1) * part))
    points += [
        (hem * (1 - part), bottom + garment.hem_curve * math.sin(part * math.pi / 2)) for part in (0.3, 0.6, 0.85, 1.0)
    ]
    return points


OUTLINES: dict[str, Callable[[Garment], list[tuple[float, float]]]] = {"skirts": _skirt}
"""Half outline of each category."""


def outline_px(garment: Garment) -> list[tuple[float, float]]:
    """Give the closed outline in cloth pixels."""
    half = OUTLINES[garment.category](garment)
    both = [(x, y) for x, y in half] + [(-x, y) for x, y in reversed(half)]
    return [(CLOTH_WIDTH_PX / 2 * (1 + x), CLOTH_HEIGHT_PX * min(y, 0.995)) for x, y in both]


def _lattice(x: np.ndarray, y: np.ndarray, size: float, radius: float) -> np.ndarray:
    """Tell which points lie within dots on a staggered lattice."""
    row = np.floor(y / size)
    dx = (x + (row % 2) * size / 2) % size - size / 2
    dy = y % size - size / 2
    return np.asarray(dx * dx + dy * dy < radius * radius)


def paint_pattern(garment: Garment, width_px: int, height_px: int, zoom: float = 1.0) -> np.ndarray:
    """Paint the cloth's pattern over a rectangle.

    Args:
        garment: pattern and colours.
        width_px: of the rectangle.
        height_px: of the rectangle.
        zoom: above 1 the pattern is seen from nearer.

    Returns:
        (height_px, width_px, 3) float32 RGB, 0..255.
    """
    y, x = np.mgrid[0:height_px, 0:width_px].astype(np.float32) / np.float32(garment.pattern_size * zoom)
    base, accent = np.array(garment.colour, np.float32), np.array(garment.accent, np.float32)
    weight = np.zeros((height_px, width_px), np.float32)
    if garment.pattern == "stripes":
        weight = ((y % 26) < 7).astype(np.float32)
    elif garment.pattern == "dots":
        weight = _lattice(x, y, 28, 6).astype(np.float32)
    elif garment.pattern == "plaid":
        weight = 0.45 * ((x % 36) < 12) + 0.45 * ((y % 36) < 12)
    elif garment.pattern == "flowers":
        angle = np.arctan2(y % 44 - 22, (x + 22 * (np.floor(y / 44) % 2)) % 44 - 22)
        weight = _lattice(x, y, 44, 11).astype(np.float32) * (0.55 + 0.45 * np.cos(5 * angle))
    elif garment.pattern == "border":
        weight = ((y > height_px * 0.8 * garment.length) & (y % 20 < 10)).astype(np.float32)
    weave = 1 + 0.03 * np.sin(x * 2.1 * zoom) * np.sin(y * 2.1 * zoom)
    return (base + (accent - base) * weight[:, :, None]) * weave[:, :, None].astype(np.float32)


def draw_cloth(garment: Garment) -> Image.Image:
    """Draw the garment flat: RGBA, 320 x 400 px, transparent around it."""
    w, h = CLOTH_WIDTH_PX, CLOTH_HEIGHT_PX
    mask = Image.new("L", (w * 2, h * 2), 0)
    ImageDraw.Draw(mask).polygon([(2 * x, 2 * y) for x, y in outline_px(garment)], fill=255)
    mask = mask.reduce(2)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    spread = garment.waist + garment.flare * np.clip(y / h, 0, 1) + 0.05
    u = (x / w * 2 - 1) / spread
    shade = 1.06 - 0.22 * u * u
    rng = np.random.default_rng(garment.seed)
    folds = garment.pleat_count or 4
    depth = 0.16 if garment.pleat_count else 0.07
    shade += depth * np.cos(folds * math.pi * u + rng.uniform(0, 6)) * np.clip(y / h * 1.6, 0, 1)
    pixels = paint_pattern(garment, w, h) * shade[:, :, None]
    band = 0.14 if garment.has_belt else 0.08
    pixels[: int(h * band)] *= 0.62 if garment.has_belt else 0.85
    edge = np.asarray(mask.filter(ImageFilter.GaussianBlur(4)), np.float32)[:, :, None] / 255
    pixels *= 0.72 + 0.28 * edge
    cloth = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    cloth.putalpha(mask)
    return cloth


def _gradient(top: Colour, bottom: Colour) -> Image.Image:
    ramp = np.linspace(0, 1, SCENE_HEIGHT_PX, dtype=np.float32)[:, None, None]
    pixels = np.array(top, np.float32) * (1 - ramp) + np.array(bottom, np.float32) * ramp
    return Image.fromarray(np.broadcast_to(pixels, (SCENE_HEIGHT_PX, SCENE_WIDTH_PX, 3)).astype(np.uint8))


def _drop_shadow(scene: Image.Image, cloth: Image.Image, at: tuple[int, int], strength: float) -> None:
    small = cloth.getchannel("A").reduce(4).filter(ImageFilter.GaussianBlur(2))
    shadow = small.resize(cloth.size).point(lambda value: int(value * strength))
    scene.paste((20, 18, 18), (at[0] + 7, at[1] + 9), shadow)


@dataclass(frozen=True, slots=True)
class StudioDrawing:
    """A seller's photo: clean backdrop, straight on."""

    garment: Garment
    tone: Colour
    has_body: bool
    seed: int

    def draw(self) -> Image.Image:
        """Draw the photo, 400 x 480 px."""
        rng = np.random.default_rng(self.seed)
        lower = (int(self.tone[0] * 0.9), int(self.tone[1] * 0.9), int(self.tone[2] * 0.9))
        scene = _gradient(self.tone, lower)
        size = float(rng.uniform(0.72, 0.8) if self.has_body else rng.uniform(0.9, 1.02))
        cloth = draw_cloth(self.garment).resize((int(CLOTH_WIDTH_PX * size), int(CLOTH_HEIGHT_PX * size)))
        left, top = (SCENE_WIDTH_PX - cloth.width) // 2, 150 if self.has_body else 40
        if self.has_body:
            self._draw_body(scene, top, cloth, rng)
        _drop_shadow(scene, cloth, (left, top), 0.25)
        scene.paste(cloth, (left, top), cloth)
        return scene

    def _draw_body(self, scene: Image.Image, top: int, cloth: Image.Image, rng: np.random.Generator) -> None:
        pen, middle = ImageDraw.Draw(scene), SCENE_WIDTH_PX // 2
        skin = ((236, 198, 168), (206, 160, 126), (150, 106, 80))[int(rng.integers(3))]
        shirt = ((245, 245, 245), (60, 60, 66), (206, 196, 180))[int(rng.integers(3))]
        half = int(self.garment.waist * cloth.width / 2)
        for side in (-1, 1):
            leg = middle + side * half * 0.55
            pen.polygon([(leg - 19, top + 60), (leg + 19, top + 60), (leg + 12, 480), (leg - 12, 480)], fill=skin)
            arm = [
                (side * (half + 10), -120),
                (side * (half + 34), -110),
                (side * (half + 44), 70),
                (side * (half + 26), 72),
            ]
            pen.polygon([(middle + x, top + y) for x, y in arm], fill=skin)
        torso = [
            (-half - 26, -130),
            (half + 26, -130),
            (half + 12, -40),
            (half + 2, 22),
            (-half - 2, 22),
            (-half - 12, -40),
        ]
        pen.polygon([(middle + x, top + y) for x, y in torso], fill=shirt)
        pen.rectangle((middle - 16, top - 150, middle + 16, top - 126), fill=skin)


def _room(setting: str, rng: np.random.Generator) -> Image.Image:
    """Draw a cluttered private place."""
    tones = {
        "bed": (206, 200, 192),
        "floor": (166, 124, 86),
        "door": (228, 224, 214),
        "mirror": (150, 146, 140),
        "grass": (96, 128, 66),
    }
    tone = tuple(int(value + rng.integers(-22, 23)) for value in tones[setting])
    scene = Image.new("RGB", (SCENE_WIDTH_PX, SCENE_HEIGHT_PX), tone)
    pen = ImageDraw.Draw(scene)
    darker = tuple(int(value * 0.86) for value in tone)
    if setting == "floor":
        for x in range(0, SCENE_WIDTH_PX, 44):
            pen.line((x, 0, x + int(rng.integers(-6, 7)), SCENE_HEIGHT_PX), fill=darker, width=3)
    elif setting == "bed":
        for _ in range(9):
            x, y = rng.integers(0, SCENE_WIDTH_PX), rng.integers(0, SCENE_HEIGHT_PX)
            pen.line((x, y, x + int(rng.integers(-160, 160)), y + int(rng.integers(60, 200))), fill=darker, width=9)
        pen.rounded_rectangle((-40, -50, 240, 70), 40, fill=(240, 238, 236))
    elif setting == "door":
        pen.rectangle((40, 0, 360, SCENE_HEIGHT_PX), outline=darker, width=6)
        pen.rectangle((80, 40, 320, 220), outline=darker, width=5)
        pen.ellipse((330, 240, 352, 262), fill=(180, 150, 80))
    elif setting == "mirror":
        pen.rectangle((30, 10, 370, 470), outline=(90, 60, 36), width=14)
        pen.rectangle((44, 330, 356, 460), fill=darker)
    else:
        for _ in range(500):
            x, y = int(rng.integers(SCENE_WIDTH_PX)), int(rng.integers(SCENE_HEIGHT_PX))
            pen.line((x, y, x + int(rng.integers(-4, 5)), y - 12), fill=darker, width=2)
    for _ in range(int(rng.integers(2, 6))):
        _clutter(pen, rng)
    return scene.filter(ImageFilter.GaussianBlur(1.4))


def _clutter(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """Leave a thing lying at the border of the picture."""
    x = int(rng.choice((rng.integers(-20, 70), rng.integers(300, 400))))
    y, w, h = int(rng.integers(0, 440)), int(rng.integers(25, 90)), int(rng.integers(25, 110))
    colour = tuple(int(value) for value in rng.integers(30, 225, 3))
    if rng.random() < 0.5:
        pen.rectangle((x, y, x + w, y + h), fill=colour)
    else:
        pen.ellipse((x, y, x + w, y + h), fill=colour)


def _warp(cloth: Image.Image, rng: np.random.Generator, strength: float) -> Image.Image:
    """See the cloth from an angle: a perspective that moves each corner by up to `strength` of the size."""
    w, h = cloth.size
    corners = np.array([(0, 0), (w, 0), (w, h), (0, h)], float)
    moved = corners + rng.uniform(-strength, strength, (4, 2)) * (w, h)
    rows = []
    for (x, y), (u, v) in zip(corners, moved, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    matrix = np.linalg.solve(np.array(rows), moved.reshape(-1))
    return cloth.transform((w, h), Image.Transform.PERSPECTIVE, tuple(matrix.round(9)), Image.Resampling.BILINEAR)


def _relight(scene: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Change colour, brightness and direction of the light, as a phone in a dim room does."""
    cast = 1 + rng.uniform(-0.14, 0.14, 3) * (1, 0.35, 1)
    angle = rng.uniform(0, 2 * math.pi)
    x = np.linspace(-1, 1, SCENE_WIDTH_PX, dtype=np.float32) * math.cos(angle)
    y = np.linspace(-1, 1, SCENE_HEIGHT_PX, dtype=np.float32) * math.sin(angle)
    field = float(rng.uniform(0.7, 1.12)) * (1 + 0.22 * (y[:, None] + x[None, :]))
    pixels = np.asarray(scene, np.float32) * field[:, :, None].astype(np.float32) * cast.astype(np.float32)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@dataclass(frozen=True, slots=True)
class SnapshotDrawing:
    """A buyer's photo: another light, angle and place; the item is all there."""

    garment: Garment
    setting: str
    seed: int

    def draw(self) -> Image.Image:
        """Draw the photo, 400 x 480 px."""
        rng = np.random.default_rng(self.seed)
        scene = _room(self.setting, rng)
        cloth = draw_cloth(self.garment)
        size = float(rng.uniform(0.75, 1.0))
        cloth = _warp(cloth.resize((int(cloth.width * size), int(cloth.height * size))), rng, 0.1)
        cloth = cloth.rotate(float(rng.normal(0, 11)), Image.Resampling.BILINEAR, expand=True)
        left = (SCENE_WIDTH_PX - cloth.width) // 2 + int(rng.integers(-28, 29))
        top = (SCENE_HEIGHT_PX - cloth.height) // 2 + int(rng.integers(-26, 27))
        _drop_shadow(scene, cloth, (left, top), 0.4)
        scene.paste(cloth, (left, top), cloth)
        return _relight(scene, rng)


@dataclass(frozen=True, slots=True)
class NoiseDrawing:
    """What buyers also send: the parcel, the fabric from very near, the item still in its bag."""

    garment: Garment
    kind: str
    seed: int

    def draw(self) -> Image.Image:
        """Draw the photo, 400 x 480 px."""
        rng = np.random.default_rng(self.seed)
        if self.kind == "fabric_close_up":
            pixels = paint_pattern(self.garment, SCENE_WIDTH_PX, SCENE_HEIGHT_PX, zoom=float(rng.uniform(5, 9)))
            ripple = 1 + 0.12 * np.sin(np.linspace(0, rng.uniform(6, 14), SCENE_WIDTH_PX))[None, :, None]
            scene = Image.fromarray(np.clip(pixels * ripple, 0, 255).astype(np.uint8)).rotate(
                float(rng.uniform(0, 45))
            )
            return _relight(scene.resize((680, 816)).crop((140, 168, 540, 648)), rng)
        scene = _room(str(rng.choice(("bed", "floor", "door"))), rng)
        packet = self._parcel(rng) if self.kind == "parcel" else self._bag(rng)
        packet = _warp(packet, rng, 0.08).rotate(float(rng.uniform(-25, 25)), Image.Resampling.BILINEAR, expand=True)
        at = ((SCENE_WIDTH_PX - packet.width) // 2, (SCENE_HEIGHT_PX - packet.height) // 2)
        _drop_shadow(scene, packet, at, 0.45)
        scene.paste(packet, at, packet)
        return _relight(scene, rng)

    def _parcel(self, rng: np.random.Generator) -> Image.Image:
        box = Image.new(
            "RGBA", (300, 240), ((176, 138, 94, 255), (58, 58, 62, 255), (208, 206, 204, 255))[int(rng.integers(3))]
        )
        pen = ImageDraw.Draw(box)
        pen.rectangle((0, 105, 300, 130), fill=(226, 214, 170, 255))
        pen.rectangle((40, 24, 190, 96), fill=(246, 246, 244, 255))
        for bar in range(30):
            if rng.random() < 0.55:
                pen.rectangle((50 + 4 * bar, 34, 52 + 4 * bar, 66), fill=(20, 20, 20, 255))
        pen.text((52, 72), "CN 21 AIR MAIL", fill=(30, 30, 30, 255), font=ImageFont.load_default(13))
        return box

    def _bag(self, rng: np.random.Generator) -> Image.Image:
        bag = Image.fromarray(paint_pattern(self.garment, 240, 300).clip(0, 255).astype(np.uint8))
        pen = ImageDraw.Draw(bag, "RGBA")
        pen.line((0, 150, 240, 140), fill=(20, 20, 20, 120), width=3)
        pen.rectangle((0, 0, 240, 300), fill=(240, 244, 248, 110), outline=(250, 250, 250, 200), width=5)
        for _ in range(12):
            x, y = int(rng.integers(0, 240)), int(rng.integers(0, 300))
            pen.line(
                (x, y, x + int(rng.integers(-60, 60)), y + int(rng.integers(-80, 80))),
                fill=(255, 255, 255, 170),
                width=4,
            )
        pen.rectangle((80, 110, 160, 160), fill=(250, 250, 250, 235))
        pen.text((120, 135), "SIZE M", fill=(40, 40, 40, 255), anchor="mm", font=ImageFont.load_default(16))
        bag.putalpha(255)
        return bag


@dataclass(frozen=True, slots=True)
class SizeChartDrawing:
    """A seller's table of sizes among the photos."""

    title: str

    def draw(self) -> Image.Image:
        """Draw the table, 400 x 480 px."""
        scene = Image.new("RGB", (SCENE_WIDTH_PX, SCENE_HEIGHT_PX), "white")
        pen, font = ImageDraw.Draw(scene), ImageFont.load_default(20)
        pen.text((200, 40), self.title, fill="black", anchor="mm", font=font)
        for row, words in enumerate(
            (("Size", "Waist", "Length"), ("S", "64", "58"), ("M", "68", "59"), ("L", "72", "60"), ("XL", "76", "61"))
        ):
            for column, word in enumerate(words):
                box = (50 + 100 * column, 90 + 60 * row, 150 + 100 * column, 150 + 60 * row)
                pen.rectangle(box, outline=(120, 120, 120), fill=(236, 226, 230) if row == 0 else None)
                pen.text((100 + 100 * column, 120 + 60 * row), word, fill="black", anchor="mm", font=font)
        return scene

"""Drawn garments in a shop's studio, in a customer's room, and what is not a garment at all."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from sampleweb.tops import TOPS, draw_top

Size = tuple[int, int]
Color = tuple[int, int, int]

COLORS: dict[str, Color] = {
    "Black": (34, 32, 36), "White": (232, 230, 224), "Red": (186, 40, 46), "Navy Blue": (36, 52, 108),
    "Green": (52, 118, 74), "Beige": (206, 184, 150), "Pink": (226, 148, 170), "Yellow": (224, 190, 70),
}  # fmt: skip
NOISE_KINDS = ("parcel", "fabric", "wrapped")
"""What buyers photograph instead of the thing worn."""
CUTS = ("skirt", *TOPS)
"""What kinds of garment there are."""


def draw(kind: str, seed: tuple[int, ...], color: str, size: Size, cut: str = "skirt") -> Image.Image:
    """Draw one photo.

    Args:
        kind: seller, buyer, or one of NOISE_KINDS.
        seed: world, item, then shot; the item's cut and pattern hang on the first two alone.
        color: a name of COLORS.
        size: (width, height) px.
        cut: a name of CUTS.
    """
    shot = np.random.default_rng(seed)
    tone = COLORS[color]
    work = (300, 400)
    match kind:
        case "seller":
            image = _studio(shot, work)
            _wear(image, cut, seed, tone)
        case "buyer":
            image = _room(shot, work)
            _wear(image, cut, seed, tone, shift=shot.uniform(-30, 30), tilt=shot.uniform(-14, 14))
            image = image.rotate(shot.uniform(-10, 10), Image.Resampling.BILINEAR, fillcolor=(90, 84, 80))
        case "parcel":
            image = _parcel(shot, work)
        case "fabric":
            image = _fabric(shot, tone, work)
        case _:
            image = _wrapped(shot, tone, work)
    image = image.filter(ImageFilter.GaussianBlur(0.6 if kind == "seller" else 1.2))
    if kind != "seller":
        image = _phone(image, shot)
    return image.resize(size, Image.Resampling.BICUBIC)


def _wear(
    image: Image.Image, cut: str, seed: tuple[int, ...], tone: Color, *, shift: float = 0, tilt: float = 0
) -> None:
    item = np.random.default_rng(seed[:2])
    if cut == "skirt":
        _skirt(image, item, tone, shift=shift, tilt=tilt)
    else:
        draw_top(image, cut, item, tone, _pattern, shift=shift, tilt=tilt)


def _shade(color: Color, factor: float) -> Color:
    return tuple(max(0, min(255, round(value * factor))) for value in color)  # type: ignore[return-value]


def _studio(rng: np.random.Generator, size: Size) -> Image.Image:
    tone = int(rng.integers(236, 252))
    image = Image.new("RGB", size, (tone, tone, tone))
    ImageDraw.Draw(image).ellipse((60, 350, 240, 385), fill=(tone - 22,) * 3)
    return image


def _room(rng: np.random.Generator, size: Size) -> Image.Image:
    wall = tuple(int(value) for value in rng.integers(110, 215, 3))
    image = Image.new("RGB", size, wall)
    pen = ImageDraw.Draw(image)
    floor = int(rng.integers(270, 350))
    pen.rectangle((0, floor, size[0], size[1]), fill=tuple(int(value) for value in rng.integers(60, 160, 3)))
    for _ in range(rng.integers(4, 9)):  # door, mirror, bed, cupboard
        x, y = int(rng.integers(-40, size[0])), int(rng.integers(-40, size[1]))
        tone = tuple(int(value) for value in rng.integers(50, 235, 3))
        pen.rectangle((x, y, x + int(rng.integers(20, 120)), y + int(rng.integers(30, 190))), fill=tone)
    return image


def _skirt(image: Image.Image, item: np.random.Generator, tone: Color, *, shift: float, tilt: float) -> None:
    """Draw a person's lower half in the item's skirt: its length, flare, pattern, belt and folds are the item's."""
    pen = ImageDraw.Draw(image)
    middle, waist = image.width / 2 + shift, 120
    length, flare, hip = item.uniform(110, 215), item.uniform(50, 110), item.uniform(40, 54)
    pattern, belt, folds = int(item.integers(0, 5)), item.random() < 0.5, int(item.integers(3, 9))
    accent = tuple(int(value) for value in item.integers(20, 240, 3))
    hem = waist + length
    skin = (214, 172, 146)
    for side in (-1, 1):
        pen.rectangle((middle + side * 22 - 11, hem - 10, middle + side * 22 + 11, 385), fill=skin)
    top = tuple(int(value) for value in item.integers(150, 240, 3))
    pen.rounded_rectangle((middle - hip - 6, 18, middle + hip + 6, waist + 8), 18, fill=top)
    outline = [
        (middle - hip, waist), (middle + hip, waist), (middle + flare + tilt, hem), (middle - flare + tilt, hem),
    ]  # fmt: skip
    cloth = Image.new("RGB", image.size, tone)
    _pattern(cloth, pattern, accent, item)
    brush = ImageDraw.Draw(cloth, "RGBA")
    for number in range(folds):
        share = (number + 0.5) / folds * 2 - 1
        line = ((middle + share * hip, waist), (middle + share * flare + tilt, hem))
        brush.line(line, fill=(0, 0, 0, 70), width=5)
        brush.line([(x + 6, y) for x, y in line], fill=(255, 255, 255, 40), width=4)
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    image.paste(cloth, mask=mask)
    if belt:
        pen.rectangle((middle - hip - 2, waist - 4, middle + hip + 2, waist + 10), fill=accent)


def _pattern(cloth: Image.Image, pattern: int, accent: Color, item: np.random.Generator) -> None:
    pen = ImageDraw.Draw(cloth)
    step = int(item.integers(16, 34))
    width, height = cloth.size
    if pattern in (1, 3):
        for y in range(0, height, step):
            pen.line((0, y, width, y), fill=accent, width=step // 4)
    if pattern in (2, 3):
        for x in range(0, width, step):
            pen.line((x, 0, x, height), fill=accent, width=step // 5)
    if pattern == 4:
        for x in range(0, width, step):
            for y in range(0, height, step):
                pen.ellipse((x, y, x + step // 3, y + step // 3), fill=accent)


def _parcel(rng: np.random.Generator, size: Size) -> Image.Image:
    image = _room(rng, size)
    pen = ImageDraw.Draw(image)
    tone = (176, 140, 96) if rng.random() < 0.5 else (188, 190, 196)
    x, y = int(rng.integers(20, 60)), int(rng.integers(60, 140))
    pen.rectangle((x, y, x + 210, y + 190), fill=tone, outline=_shade(tone, 0.6), width=4)
    pen.rectangle((x, y + 80, x + 210, y + 104), fill=_shade(tone, 1.15))
    pen.rectangle((x + 110, y + 20, x + 196, y + 70), fill=(240, 240, 236))
    for row in range(5):
        pen.line((x + 116, y + 28 + 8 * row, x + 116 + int(rng.integers(40, 74)), y + 28 + 8 * row), fill=(40, 40, 40))
    return image


def _fabric(rng: np.random.Generator, tone: Color, size: Size) -> Image.Image:
    image = Image.new("RGB", size, tone)
    pen = ImageDraw.Draw(image, "RGBA")
    for _ in range(40):
        x, y = rng.integers(-100, size[0], 2)
        light = (255, 255, 255, 28) if rng.random() < 0.5 else (0, 0, 0, 34)
        pen.line(
            (int(x), int(y), int(x + 220), int(y + rng.integers(40, 300))), fill=light, width=int(rng.integers(2, 26))
        )
    return image


def _wrapped(rng: np.random.Generator, tone: Color, size: Size) -> Image.Image:
    image = _room(rng, size)
    pen = ImageDraw.Draw(image, "RGBA")
    box = (60, 130, 250, 320)
    pen.rounded_rectangle(box, 20, fill=(*tone, 255))
    pen.rounded_rectangle((40, 110, 270, 340), 26, fill=(235, 240, 245, 120), outline=(250, 250, 250, 200), width=3)
    for _ in range(14):
        x, y = int(rng.integers(40, 260)), int(rng.integers(110, 330))
        pen.line(
            (x, y, x + int(rng.integers(-50, 50)), y + int(rng.integers(-50, 50))), fill=(255, 255, 255, 150), width=2
        )
    return image


def _phone(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float32)
    warmth = np.array([rng.uniform(0.9, 1.15), 1.0, rng.uniform(0.8, 1.1)], dtype=np.float32)
    gain = rng.uniform(0.7, 1.1) * warmth
    grain = rng.normal(0, 5.0, pixels.shape[:2])[..., None].astype(np.float32)
    return Image.fromarray(np.clip(pixels * gain + grain, 0, 255).astype(np.uint8))

"""Drawn garments for the upper half: blouses, hoodies, sweaters, jackets, each with what tells it from the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

Color = tuple[int, int, int]
Paint = Callable[[Image.Image, int, Color, np.random.Generator], None]

_SKIN = (214, 172, 146)
_NECK_Y, _SHOULDER_Y = 84, 100


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the garment is on the picture; all of it is the item's but for middle and tilt."""

    middle: float
    tilt: float
    shoulder: float
    waist: float
    hem: float
    sleeve: float
    accent: Color


def draw_top(
    image: Image.Image, cut: str, item: np.random.Generator, tone: Color, paint: Paint, *, shift: float, tilt: float
) -> None:
    """Draw a person's upper half in a garment.

    Args:
        image: drawn upon; 300 by 400 px.
        cut: a name of TOPS.
        item: gives cut, length, pattern and details; the same item draws the same garment.
        tone: colour of the cloth.
        paint: puts pattern number 0-4 onto cloth.
        shift: how far beside the middle the person stands, px.
        tilt: how far the hem hangs to a side, px.
    """
    frame = _Frame(
        middle=image.width / 2 + shift, tilt=tilt, shoulder=item.uniform(56, 78), waist=item.uniform(44, 66),
        hem=item.uniform(250, 330), sleeve=item.uniform(0.55, 1.0),
        accent=tuple(int(value) for value in item.integers(20, 240, 3)),  # type: ignore[arg-type]
    )  # fmt: skip
    _body(image, frame, item)
    cloth = Image.new("RGB", image.size, tone)
    paint(cloth, int(item.integers(0, 5)), frame.accent, item)
    mask = Image.new("L", image.size, 0)
    pen = ImageDraw.Draw(mask)
    pen.polygon(_torso(frame), fill=255)
    for side in (-1, 1):
        pen.polygon(_sleeve(frame, side, frame.sleeve), fill=255)
    TOPS[cut](image, ImageDraw.Draw(cloth, "RGBA"), cloth, mask, frame, tone, item)


def _body(image: Image.Image, frame: _Frame, item: np.random.Generator) -> None:
    """Draw neck, arms and legs."""
    pen = ImageDraw.Draw(image)
    legs = tuple(int(value) for value in item.integers(40, 200, 3))
    for side in (-1, 1):
        pen.rectangle((frame.middle + side * 24 - 20, 240, frame.middle + side * 24 + 20, 396), fill=legs)
        pen.polygon(_sleeve(frame, side, 1.12, 12), fill=_SKIN)
    pen.rectangle((frame.middle - 15, 40, frame.middle + 15, _SHOULDER_Y + 12), fill=_SKIN)
    pen.ellipse((frame.middle - 27, -14, frame.middle + 27, 58), fill=_SKIN)


def _torso(frame: _Frame) -> list[tuple[float, float]]:
    m, t = frame.middle, frame.tilt
    return [
        (m - 24, _NECK_Y), (m + 24, _NECK_Y), (m + frame.shoulder, _SHOULDER_Y), (m + frame.waist, 210),
        (m + frame.waist + 8 + t, frame.hem), (m - frame.waist - 8 + t, frame.hem), (m - frame.waist, 210),
        (m - frame.shoulder, _SHOULDER_Y),
    ]  # fmt: skip


def _sleeve(frame: _Frame, side: int, share: float, width: float = 19) -> list[tuple[float, float]]:
    x, y = frame.middle + side * (frame.shoulder - 6), _SHOULDER_Y
    end_x, end_y = x + side * 44 * share, y + 158 * share
    return [(x - side * 16, y), (x + side * 8, y), (end_x + side * width / 2, end_y), (end_x - side * width, end_y)]


def _blouse(
    image: Image.Image, brush: ImageDraw.ImageDraw, cloth: Image.Image, mask: Image.Image, frame: _Frame, tone: Color,
    item: np.random.Generator,
) -> None:  # fmt: skip
    """A placket with buttons and a pointed collar."""
    m = frame.middle
    brush.line((m, _NECK_Y, m + frame.tilt, frame.hem), fill=(0, 0, 0, 90), width=3)
    for fold in range(int(item.integers(3, 7))):
        x = m + (fold - 3) * 22
        brush.line((x, 150, x + frame.tilt, frame.hem), fill=(0, 0, 0, 34), width=5)
    image.paste(cloth, mask=mask)
    pen = ImageDraw.Draw(image)
    for y in range(_SHOULDER_Y + 8, int(frame.hem) - 8, int(item.integers(18, 30))):
        pen.ellipse((m + 4, y, m + 11, y + 7), fill=frame.accent, outline=(30, 30, 30))
    for side in (-1, 1):
        pen.polygon(
            [(m, _NECK_Y + 4), (m + side * 30, _NECK_Y - 12), (m + side * 36, _NECK_Y + 22)], fill=_mixed(tone, 1.18),
            outline=(40, 40, 40),
        )  # fmt: skip


def _hoodie(
    image: Image.Image, brush: ImageDraw.ImageDraw, cloth: Image.Image, mask: Image.Image, frame: _Frame, tone: Color,
    item: np.random.Generator,
) -> None:  # fmt: skip
    """A hood about the neck, cords and a pocket."""
    m = frame.middle
    ImageDraw.Draw(image).ellipse((m - 52, 4, m + 52, 118), fill=_mixed(tone, 0.72))
    ImageDraw.Draw(image).ellipse((m - 27, -8, m + 27, 66), fill=_SKIN)
    image.paste(cloth, mask=mask)
    pen = ImageDraw.Draw(image)
    pen.arc((m - 46, 40, m + 46, 126), 10, 170, fill=_mixed(tone, 0.55), width=9)
    for side in (-1, 1):
        pen.line((m + side * 12, 116, m + side * 14, 116 + int(item.integers(40, 80))), fill=frame.accent, width=4)
    top = frame.hem - item.uniform(70, 95)
    pen.polygon(
        [(m - 30, top), (m + 30, top), (m + 50, frame.hem - 24), (m - 50, frame.hem - 24)], fill=_mixed(tone, 0.85),
        outline=_mixed(tone, 0.5),
    )  # fmt: skip
    pen.rectangle((m - 60 + frame.tilt, frame.hem - 12, m + 60 + frame.tilt, frame.hem), fill=_mixed(tone, 0.7))


def _sweater(
    image: Image.Image, brush: ImageDraw.ImageDraw, cloth: Image.Image, mask: Image.Image, frame: _Frame, tone: Color,
    item: np.random.Generator,
) -> None:  # fmt: skip
    """Knitted rows, ribbed at hem and neck; some with a high collar."""
    step = int(item.integers(8, 15))
    for y in range(_NECK_Y, int(frame.hem), step):
        points = [(x, y + (step // 2 if (x // step) % 2 else 0)) for x in range(0, cloth.width + step, step)]
        brush.line(points, fill=(0, 0, 0, 62), width=3)
        brush.line([(x, y + 3) for x, y in points], fill=(255, 255, 255, 46), width=2)
    for x in range(0, cloth.width, 7):
        brush.line((x, frame.hem - 20, x, frame.hem), fill=(0, 0, 0, 110), width=3)
    image.paste(cloth, mask=mask)
    pen = ImageDraw.Draw(image)
    m, high = frame.middle, item.random() < 0.5
    top = 52 if high else _NECK_Y - 8
    pen.rounded_rectangle((m - 27, top, m + 27, _NECK_Y + 14), 8, fill=_mixed(tone, 0.82))
    for x in range(int(m) - 24, int(m) + 25, 7):
        pen.line((x, top + 2, x, _NECK_Y + 12), fill=_mixed(tone, 0.6), width=2)


def _jacket(
    image: Image.Image, brush: ImageDraw.ImageDraw, cloth: Image.Image, mask: Image.Image, frame: _Frame, tone: Color,
    item: np.random.Generator,
) -> None:  # fmt: skip
    """Open in front over something else, with lapels and pockets; long sleeves."""
    m, gap = frame.middle, item.uniform(12, 26)
    pen = ImageDraw.Draw(mask)
    for side in (-1, 1):
        pen.polygon(_sleeve(frame, side, 1.0, 23), fill=255)
    image.paste(cloth, mask=mask)
    pen = ImageDraw.Draw(image)
    right, left = m + gap * 0.6 + frame.tilt, m - gap * 0.6 + frame.tilt
    pen.polygon([(m - gap, _NECK_Y), (m + gap, _NECK_Y), (right, frame.hem), (left, frame.hem)], fill=frame.accent)
    for side in (-1, 1):
        lapel = [(m + side * gap, _NECK_Y - 4), (m + side * (gap + 34), _NECK_Y + 16), (m + side * gap, 186)]
        pen.polygon(lapel, fill=_mixed(tone, 0.7), outline=(26, 26, 26))
        x = m + side * (gap + 24)
        pen.rectangle((x - 17, frame.hem - 66, x + 17, frame.hem - 54), fill=_mixed(tone, 0.6), outline=(26, 26, 26))
    for y in range(196, int(frame.hem) - 10, int(item.integers(22, 36))):
        pen.ellipse((m - gap - 10, y, m - gap - 2, y + 8), fill=(226, 206, 130))


def _mixed(color: Color, factor: float) -> Color:
    red, green, blue = (max(0, min(255, round(value * factor))) for value in color)
    return red, green, blue


TOPS = {"blouse": _blouse, "hoodie": _hoodie, "sweater": _sweater, "jacket": _jacket}
"""What can be drawn, by cut."""

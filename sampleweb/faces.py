"""Draws a frontal face: `draw_face` is a pure function of a `Look` and a `Shot`."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from sampleweb.looks import Colour, Look, Shot, vary

WIDTH_PX, HEIGHT_PX = 320, 400
OVERSAMPLING = 2


class _Canvas:
    """Maps face coordinates (half face widths from the middle of the face, y down) to oversampled pixels."""

    def __init__(self, look: Look, shot: Shot) -> None:
        self.look, self.shot = look, shot
        self.scale = OVERSAMPLING * 70 * shot.zoom
        self.x0 = OVERSAMPLING * (WIDTH_PX / 2 + 7 * shot.yaw)
        self.y0 = OVERSAMPLING * (HEIGHT_PX * 0.46 + 4 * shot.pitch)
        self.turn = 0.10 * shot.yaw
        self.nod = 0.05 * shot.pitch
        self.cos, self.sin = math.cos(math.radians(shot.roll_deg)), math.sin(math.radians(shot.roll_deg))

    def point(self, x: float, y: float, depth: float = 0.0) -> tuple[float, float]:
        """Give the pixel of a face point; points nearer to the camera move more when the head turns."""
        right, down = x + self.turn * depth, y + self.nod * depth
        return (
            self.x0 + self.scale * (right * self.cos - down * self.sin),
            self.y0 + self.scale * (right * self.sin + down * self.cos),
        )

    def box(self, x: float, y: float, rx: float, ry: float, depth: float = 0.0) -> tuple[float, float, float, float]:
        """Give the bounding box of an ellipse around a face point."""
        px, py = self.point(x, y, depth)
        return (px - rx * self.scale, py - ry * self.scale, px + rx * self.scale, py + ry * self.scale)

    def outline(self, grow: float = 0.0) -> list[tuple[float, float]]:
        """Give the contour of the face as a polygon, wider at the jaw for a high `jaw`."""
        points = []
        for step in range(48):
            angle = 2 * math.pi * step / 48
            x, y = math.sin(angle), -math.cos(angle)
            squareness = (
                1
                + (0.08 + 0.10 * self.look.jaw) * max(0.0, y) * abs(x)
                - 0.10 * max(0.0, y) ** 2 * (1 - self.look.jaw)
            )
            points.append(
                self.point(
                    x * squareness * (self.look.face_width * 0.98 + grow),
                    y * (1.28 * self.look.face_length + grow) + 0.03,
                )
            )
        return points


def _shade(colour: Colour, factor: float) -> Colour:
    return (min(255, int(colour[0] * factor)), min(255, int(colour[1] * factor)), min(255, int(colour[2] * factor)))


def draw_backdrop(shot: Shot, width_px: int, height_px: int) -> Image.Image:
    """Draw what stands behind the person, softly out of focus."""
    small = Image.new("RGB", (max(2, width_px // 8), max(2, height_px // 8)), shot.backdrop_colour)
    pen, (w, h) = ImageDraw.Draw(small), small.size
    rng = np.random.default_rng(shot.grain_seed)
    if shot.backdrop == "books":
        x = 0
        while x < w:
            wide = int(rng.integers(2, 5))
            top = int(rng.integers(0, 3))
            for row in range(0, h, 16):
                shade = vary(shot.backdrop_colour, rng, 46)
                pen.rectangle((x, row + top, x + wide - 1, row + 13), fill=shade)
            x += wide
    elif shot.backdrop == "halves":
        split = int(w * rng.uniform(0.25, 0.75))
        pen.rectangle((split, 0, w, h), fill=_shade(shot.backdrop_colour, 0.62))
        pen.rectangle((0, int(h * 0.7), w, int(h * 0.74)), fill=_shade(shot.backdrop_colour, 1.25))
    else:
        for row in range(h):
            pen.line((0, row, w, row), fill=_shade(shot.backdrop_colour, 1.1 - 0.3 * row / h))
    return small.filter(ImageFilter.GaussianBlur(0.8)).resize((width_px, height_px), Image.Resampling.BILINEAR)


def _draw_hair_behind(pen: ImageDraw.ImageDraw, canvas: _Canvas) -> None:
    look, dark = canvas.look, _shade(canvas.look.hair, 0.72)
    wide = look.face_width
    if look.hair_style == "long":
        pen.polygon(
            [
                canvas.point(x * wide, y)
                for x, y in ((-1.2, -0.6), (1.2, -0.6), (1.24, 1.5), (0.9, 1.8), (-0.9, 1.8), (-1.24, 1.5))
            ],
            fill=dark,
        )
        pen.ellipse(canvas.box(0, -0.55, 1.22 * wide, 1.0), fill=dark)
    elif look.hair_style == "bob":
        pen.ellipse(canvas.box(0, -0.1, 1.27 * wide, 1.36), fill=dark)
    elif look.hair_style == "bun":
        pen.ellipse(canvas.box(0.05, -1.52 * look.face_length, 0.42, 0.36), fill=dark)
        pen.ellipse(canvas.box(0, -0.3, 1.07 * wide, 1.18), fill=dark)
    elif look.hair_style == "curly":
        for step in range(15):
            angle = math.pi * (step / 14 * 1.25 - 0.125)
            pen.ellipse(
                canvas.box(-1.02 * wide * math.cos(angle), -0.3 - 1.02 * math.sin(angle), 0.36, 0.36), fill=dark
            )
    elif look.hair_style in ("short", "side"):
        pen.ellipse(canvas.box(0, -0.3, 1.06 * wide, 1.16 * look.face_length), fill=dark)


def _draw_clothes(pen: ImageDraw.ImageDraw, canvas: _Canvas) -> None:
    look, point = canvas.look, canvas.point
    shoulder = [(-2.6, 4), (-2.3, 2.25), (-1.7, 1.9), (-0.65, 1.6), (0.65, 1.6), (1.7, 1.9), (2.3, 2.25), (2.6, 4)]
    light, dark = (236, 236, 234), _shade(look.clothes, 0.6)
    body = {
        "round": _shade(look.clothes, 0.75),
        "tie": _shade(look.clothes, 0.55),
        "scarf": _shade(look.clothes, 1.15),
    }
    pen.polygon([point(*p) for p in shoulder], fill=body.get(look.collar, _shade(look.clothes, 1.3)))
    neck = [(-0.5, 0.8), (0.5, 0.8), (0.55, 1.62), (-0.55, 1.62)]
    if look.collar == "tie":
        pen.polygon([point(*p) for p in ((-0.62, 1.45), (0.62, 1.45), (0.28, 3.4), (-0.28, 3.4))], fill=light)
    pen.polygon([point(*p) for p in neck], fill=_shade(look.skin, 0.8))
    pen.ellipse(canvas.box(0, 1.62, 0.55, 0.2), fill=_shade(look.skin, 0.8))
    if look.collar == "round":
        pen.arc(canvas.box(0, 1.58, 0.66, 0.32), 0, 180, fill=dark, width=int(canvas.scale * 0.09))
    elif look.collar == "tie":
        for side in (-1, 1):
            pen.polygon(
                [point(side * x, y) for x, y in ((0.6, 1.32), (0.02, 1.78), (0.42, 2.05), (0.78, 1.6))], fill=light
            )
        pen.polygon([point(*p) for p in ((-0.13, 1.74), (0.13, 1.74), (0.2, 3.4), (-0.2, 3.4))], fill=(120, 30, 44))
    elif look.collar == "scarf":
        for step, width in enumerate((0.72, 0.84, 0.9)):
            pen.ellipse(
                canvas.box(0, 1.36 + 0.2 * step, width, 0.24), fill=_shade((196, 150, 90), 1.0 - 0.14 * (step % 2))
            )
        pen.polygon([point(*p) for p in ((0.3, 1.7), (0.72, 1.7), (0.8, 2.9), (0.34, 2.9))], fill=(186, 140, 84))
    else:
        for side in (-1, 1):
            pen.polygon(
                [point(side * x, y) for x, y in ((0.62, 1.34), (0.0, 1.9), (0.62, 2.0), (0.88, 1.62))], fill=dark
            )
        for button in (2.05, 2.35):
            pen.ellipse(canvas.box(0, button, 0.04, 0.04), fill=light)


def _draw_eyes(pen: ImageDraw.ImageDraw, canvas: _Canvas) -> None:
    look, shot = canvas.look, canvas.shot
    size, line = look.eye_size, _shade(look.hair, 0.45)
    for side in (-1, 1):
        x, y = side * look.eye_distance, -0.12
        open_y = size * (0.56 - 0.1 * shot.smile)
        pen.ellipse(canvas.box(x, y, size, open_y, 0.8), fill=(240, 238, 234))
        pen.ellipse(canvas.box(x + 0.05 * shot.gaze, y, size * 0.5, open_y * 0.98, 0.9), fill=look.iris)
        pen.ellipse(canvas.box(x + 0.05 * shot.gaze, y, size * 0.24, open_y * 0.5, 0.9), fill=(18, 16, 16))
        pen.ellipse(canvas.box(x + 0.05 * shot.gaze + 0.03, y - 0.035, 0.022, 0.022, 0.9), fill=(250, 250, 250))
        pen.arc(
            canvas.box(x, y, size * 1.05, open_y * 1.15, 0.8),
            185,
            355,
            fill=(48, 34, 30),
            width=int(canvas.scale * 0.035),
        )
        pen.arc(
            canvas.box(x, y + 0.01, size, open_y, 0.8),
            20,
            160,
            fill=_shade(look.skin, 0.68),
            width=int(canvas.scale * 0.018),
        )
        pen.arc(
            canvas.box(x, y - 0.05, size * 1.15, open_y * 1.5, 0.8),
            205,
            335,
            fill=_shade(look.skin, 0.74),
            width=int(canvas.scale * 0.02),
        )
        thick, brow = look.brow_thickness, y - 0.27
        inner, outer = x - side * size * 1.05, x + side * size * 1.25
        tilt = look.brow_tilt
        pen.polygon(
            [
                canvas.point(inner, brow + tilt + thick, 0.9),
                canvas.point(inner, brow + tilt - thick * 0.6, 0.9),
                canvas.point((inner + outer) / 2, brow - 0.07 - thick * 0.5, 0.8),
                canvas.point(outer, brow + 0.02 - tilt * 0.4, 0.5),
                canvas.point((inner + outer) / 2, brow - 0.05 + thick, 0.8),
            ],
            fill=line,
        )


def _draw_nose_and_mouth(pen: ImageDraw.ImageDraw, canvas: _Canvas) -> None:
    look, shot = canvas.look, canvas.shot
    tip = -0.02 + look.nose_length
    dark, lip = _shade(look.skin, 0.66), (int(look.skin[0] * 0.8), int(look.skin[1] * 0.56), int(look.skin[2] * 0.56))
    pen.ellipse(canvas.box(0, tip, look.nose_width * 0.75, 0.12, 1.5), fill=_shade(look.skin, 1.03))
    pen.arc(canvas.box(0, tip - 0.01, look.nose_width, 0.14, 1.4), 25, 155, fill=dark, width=int(canvas.scale * 0.035))
    for side in (-1, 1):
        pen.ellipse(
            canvas.box(side * look.nose_width * 0.5, tip + 0.08, 0.045, 0.03, 1.4), fill=_shade(look.skin, 0.45)
        )
    y = tip + 0.32
    lift = 0.02 + 0.08 * shot.smile
    wide, full = look.mouth_width * (1 + 0.15 * shot.smile), look.lip_fullness
    upper = [
        (-wide, y - lift),
        (-wide * 0.35, y - full * 0.9),
        (0, y - full * 0.55),
        (wide * 0.35, y - full * 0.9),
        (wide, y - lift),
    ]
    lower = [
        (wide * 0.5, y + full + lift * 0.4),
        (0, y + full * 1.3 + lift * 0.5),
        (-wide * 0.5, y + full + lift * 0.4),
    ]
    pen.polygon([canvas.point(*p, 1.0) for p in (*upper, *lower)], fill=lip)
    middle = [
        (-wide, y - lift),
        (-wide * 0.5, y + lift * 0.35),
        (0, y + lift * 0.5),
        (wide * 0.5, y + lift * 0.35),
        (wide, y - lift),
    ]
    if shot.smile > 0.6:
        teeth = [
            (-wide * 0.7, y - lift * 0.3),
            (wide * 0.7, y - lift * 0.3),
            (wide * 0.4, y + lift * 0.9),
            (-wide * 0.4, y + lift * 0.9),
        ]
        pen.polygon([canvas.point(*p, 1.0) for p in teeth], fill=(238, 234, 228))
    pen.line(
        [canvas.point(*p, 1.0) for p in middle], fill=_shade(lip, 0.5), width=int(canvas.scale * 0.03), joint="curve"
    )


def _draw_hair_before(pen: ImageDraw.ImageDraw, canvas: _Canvas) -> None:
    look = canvas.look
    if look.hair_style == "bald":
        return
    top, wide = -1.3 * look.face_length, look.face_width
    line = -0.72 + 0.16 * look.fringe
    parting = {"side": 0.45, "long": 0.1, "bob": -0.3}.get(look.hair_style, 0.0)
    left = [(-1.06 * wide, -0.18), (-1.1 * wide, -0.75), (-0.75 * wide, top - 0.02), (0, top - 0.14)]
    right = [(0.75 * wide, top - 0.02), (1.1 * wide, -0.75), (1.06 * wide, -0.18)]
    front = [
        (0.9 * wide, -0.45),
        (0.62 * wide, line),
        (parting, line - 0.2),
        (-0.62 * wide, line),
        (-0.9 * wide, -0.45),
    ]
    pen.polygon([canvas.point(*p) for p in (*left, *right, *front)], fill=look.hair)
    for step in range(9):
        x = -0.8 + 0.2 * step
        shade = _shade(look.hair, 1.22 if step % 2 else 0.82)
        start, end = (
            canvas.point(x * wide * 0.9, top + 0.1 + 0.16 * abs(x)),
            canvas.point(x * wide * 1.02, line - 0.06 - 0.1 * (step % 2)),
        )
        pen.line((*start, *end), fill=shade, width=int(canvas.scale * 0.025))


def _draw_glasses(pen: ImageDraw.ImageDraw, canvas: _Canvas) -> None:
    look, frame = canvas.look, (58, 50, 50)
    width = int(canvas.scale * 0.036)
    for side in (-1, 1):
        x = side * look.eye_distance
        corner = canvas.box(x, -0.08, 0.34, 0.25, 0.9)
        pen.rounded_rectangle(corner, canvas.scale * 0.12, outline=frame, width=width)
        pen.line(
            (*canvas.point(x + side * 0.33, -0.14, 0.9), *canvas.point(side * look.face_width * 0.99, -0.16)),
            fill=frame,
            width=width,
        )
    pen.line((*canvas.point(-0.09, -0.1, 1.1), *canvas.point(0.09, -0.1, 1.1)), fill=frame, width=width)


def _draw_beard(canvas: _Canvas, image: Image.Image, face_mask: Image.Image) -> None:
    look = canvas.look
    mask = Image.new("L", image.size, 0)
    pen = ImageDraw.Draw(mask)
    pen.polygon(
        [canvas.point(*p) for p in ((-1.2, 0.25), (-0.62, 0.42), (0.62, 0.42), (1.2, 0.25), (1.2, 1.6), (-1.2, 1.6))],
        fill=255,
    )
    pen.ellipse(canvas.box(0, 0.72 * look.face_length, look.mouth_width * 1.1, 0.14, 1.0), fill=130)
    small = Image.fromarray(np.minimum(np.asarray(mask.reduce(4)), np.asarray(face_mask.reduce(4))))
    soft = small.filter(ImageFilter.GaussianBlur(2.2)).resize(image.size, Image.Resampling.BILINEAR)
    image.paste(_shade(look.hair, 0.85), mask=soft.point(lambda value: int(value * 0.8 * look.beard_frac)))


def _light(canvas: _Canvas, face_mask: Image.Image) -> np.ndarray:
    """Give a (HEIGHT_PX, WIDTH_PX, 3) float32 factor: shadows of the face, light from one side, its colour."""
    shot, factor = canvas.shot, OVERSAMPLING * 4
    small = Image.new("L", (WIDTH_PX // 4, HEIGHT_PX // 4), 128)
    pen = ImageDraw.Draw(small)

    def blob(x: float, y: float, rx: float, ry: float, tone: int, depth: float = 0.8) -> None:
        pen.ellipse([value / factor for value in canvas.box(x, y, rx, ry, depth)], fill=tone)

    pen.polygon([(x / factor, y / factor) for x, y in canvas.outline()], fill=136)
    blob(0, 1.42, 0.7, 0.28, 84, 0.0)
    for side in (-1, 1):
        blob(side * canvas.look.eye_distance, -0.14, 0.3, 0.2, 100)
        blob(side * 0.55, 0.38, 0.24, 0.2, 150)
        blob(side * 0.95, 0.3, 0.16, 0.6, 108, 0.0)
    blob(0, -0.72, 0.5, 0.22, 150)
    blob(0, 0.16, 0.09, 0.3, 152, 1.4)
    blob(0.14, 0.3, 0.07, 0.2, 104, 1.4)
    blob(0, 0.98, 0.3, 0.1, 112, 1.0)
    soft = small.filter(ImageFilter.GaussianBlur(2.6)).resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BILINEAR)
    angle = math.radians(shot.light_deg)
    x = np.linspace(-1, 1, WIDTH_PX, dtype=np.float32) * np.float32(math.cos(angle))
    y = np.linspace(-1, 1, HEIGHT_PX, dtype=np.float32) * np.float32(math.sin(angle) * 0.6)
    shade = np.asarray(soft, dtype=np.float32) / 128 * (1 + shot.light_strength * (y[:, None] + x[None, :]))
    tint = np.array([1 + shot.warmth, 1.0, 1 - shot.warmth], dtype=np.float32)
    return shade[:, :, None] * tint


def draw_face(look: Look, shot: Shot) -> Image.Image:
    """Draw one photo of one person.

    Returns:
        RGB, 320 x 400 px, the face upright in the upper middle.
    """
    size = (WIDTH_PX * OVERSAMPLING, HEIGHT_PX * OVERSAMPLING)
    canvas = _Canvas(look, shot)
    image = draw_backdrop(shot, *size)
    pen = ImageDraw.Draw(image)
    _draw_hair_behind(pen, canvas)
    _draw_clothes(pen, canvas)
    for side in (-1, 1):
        pen.ellipse(canvas.box(side * look.face_width * 0.99, 0.02, 0.14, 0.27), fill=_shade(look.skin, 0.86))
    face_mask = Image.new("L", size, 0)
    ImageDraw.Draw(face_mask).polygon(canvas.outline(), fill=255)
    pen.polygon(canvas.outline(), fill=look.skin)
    freckles = np.random.default_rng(look.freckle_count)
    for _ in range(look.freckle_count):
        x, y = freckles.uniform(-0.55, 0.55), freckles.uniform(0.1, 0.4)
        pen.ellipse(canvas.box(x, y, 0.018, 0.016, 1.0), fill=_shade(look.skin, 0.8))
    if look.beard_frac:
        _draw_beard(canvas, image, face_mask)
    _draw_nose_and_mouth(pen, canvas)
    _draw_eyes(pen, canvas)
    _draw_hair_before(pen, canvas)
    if look.has_glasses:
        _draw_glasses(pen, canvas)
    image = image.reduce(OVERSAMPLING)
    pixels = np.asarray(image, dtype=np.float32) * _light(canvas, face_mask)
    return Image.fromarray(np.minimum(pixels, 255).astype(np.uint8)).filter(ImageFilter.BoxBlur(0.7))

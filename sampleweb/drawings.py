"""What an image shows, apart from faces and garments: silhouettes, logos, banners, group photos.

Every drawing is a frozen dataclass with `draw()`: the same value gives the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from sampleweb.faces import draw_face
from sampleweb.looks import Colour, Look, Shot


class Drawing(Protocol):
    """Anything that can be drawn."""

    def draw(self) -> Image.Image:
        """Give the RGB picture at its natural size."""
        ...


@dataclass(frozen=True, slots=True)
class FaceDrawing:
    """One photo of one person."""

    look: Look
    shot: Shot

    def draw(self) -> Image.Image:
        """Draw the portrait, 320 x 400 px."""
        return draw_face(self.look, self.shot)


@dataclass(frozen=True, slots=True)
class GroupDrawing:
    """Several people side by side, as on a team photo."""

    faces: tuple[tuple[Look, Shot], ...]

    def draw(self) -> Image.Image:
        """Draw the people in a row, 240 px each."""
        sheet = Image.new("RGB", (240 * len(self.faces), 400))
        for place, (look, shot) in enumerate(self.faces):
            sheet.paste(draw_face(look, shot).crop((40, 0, 280, 400)), (240 * place, 0))
        return sheet


@dataclass(frozen=True, slots=True)
class SilhouetteDrawing:
    """The grey figure that stands for a missing photo."""

    tone: int
    has_shoulders: bool = True

    def draw(self) -> Image.Image:
        """Draw the silhouette, 320 x 400 px."""
        image = Image.new("RGB", (640, 800), (self.tone,) * 3)
        pen, dark = ImageDraw.Draw(image), (self.tone - 52,) * 3
        pen.ellipse((210, 170, 430, 430), fill=dark)
        if self.has_shoulders:
            pen.ellipse((90, 480, 550, 1000), fill=dark)
        else:
            pen.rounded_rectangle((150, 490, 490, 760), 90, fill=dark)
        return image.reduce(2)


@dataclass(frozen=True, slots=True)
class LogoDrawing:
    """A flat mark with initials."""

    text: str
    colour: Colour
    is_round: bool

    def draw(self) -> Image.Image:
        """Draw the mark on white, 300 x 300 px."""
        image = Image.new("RGB", (600, 600), "white")
        pen = ImageDraw.Draw(image)
        shape = pen.ellipse if self.is_round else pen.rectangle
        shape((60, 60, 540, 540), fill=self.colour)
        shape((110, 110, 490, 490), outline="white", width=14)
        pen.text((300, 300), self.text, fill="white", anchor="mm", font=ImageFont.load_default(150))
        return image.reduce(2)


@dataclass(frozen=True, slots=True)
class BannerDrawing:
    """A wide picture of a campus."""

    seed: int

    def draw(self) -> Image.Image:
        """Draw sky, lawn and buildings, 960 x 200 px."""
        rng = np.random.default_rng(self.seed)
        image = Image.new("RGB", (960, 200), (150, 190, 225))
        pen = ImageDraw.Draw(image)
        pen.rectangle((0, 150, 960, 200), fill=(104, 144, 82))
        x = 20
        while x < 900:
            wide, top = int(rng.integers(60, 170)), int(rng.integers(30, 110))
            tone = int(rng.integers(120, 205))
            pen.rectangle((x, top, x + wide, 158), fill=(tone, tone - 18, tone - 40))
            for wx in range(x + 8, x + wide - 12, 18):
                for wy in range(top + 10, 146, 22):
                    pen.rectangle((wx, wy, wx + 9, wy + 12), fill=(70, 84, 104))
            x += wide + int(rng.integers(5, 50))
        return image.filter(ImageFilter.GaussianBlur(0.7))

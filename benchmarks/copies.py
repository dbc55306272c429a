"""Copies and hard non-copies for calibrating the confirmation of duplicates: edits of real photos, and look-alikes.

Nothing here is judged by eye: a pair is a copy because it was made from one picture, and none because it was made
from two (or, among real faces, because two names stand over it).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Pair = tuple[Image.Image, Image.Image]
Random = np.random.Generator
Edit = Callable[[Image.Image, Random], Image.Image]


def encoded(image: Image.Image, quality: int) -> Image.Image:
    """Give what JPEG leaves of a picture."""
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "JPEG", quality=quality)
    return Image.open(io.BytesIO(stream.getvalue())).convert("RGB")


def _resized(image: Image.Image, random: Random) -> Image.Image:
    factor = random.uniform(0.3, 0.8)
    return image.resize([max(64, round(side * factor)) for side in image.size], Image.Resampling.BICUBIC)


def _cropped(image: Image.Image, random: Random) -> Image.Image:
    width, height = image.size
    across, down = random.uniform(0.03, 0.12, 2)
    left, top = random.uniform(0, across) * width, random.uniform(0, down) * height
    return image.crop((round(left), round(top), round(left + (1 - across) * width), round(top + (1 - down) * height)))


def _marked(image: Image.Image, random: Random) -> Image.Image:
    """A watermark: a line of text, opaque or not, or text tiled over the whole."""
    layer = Image.new("RGBA", image.size)
    pen = ImageDraw.Draw(layer)
    width, height = image.size
    opacity = int(random.integers(70, 230))
    if random.random() < 0.3:
        for y in range(0, height, max(24, height // 5)):
            pen.text((int(random.integers(0, width // 3)), y), "sample  sample  sample", (255, 255, 255, opacity // 2),
                     font_size=max(10, height // 14))  # fmt: skip
    else:
        place = int(random.uniform(0.02, 0.4) * width), int(random.uniform(0.05, 0.85) * height)
        pen.text(place, "(c) sample shop", (255, 255, 255, opacity), font_size=max(10, height // 10))
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def _brightened(image: Image.Image, random: Random) -> Image.Image:
    changed = ImageEnhance.Brightness(image).enhance(float(random.uniform(0.7, 1.35)))
    return ImageEnhance.Contrast(changed).enhance(float(random.uniform(0.8, 1.2)))


def _mirrored(image: Image.Image, random: Random) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _turned(image: Image.Image, random: Random) -> Image.Image:
    return image.transpose([Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270][
        int(random.integers(3))
    ])  # fmt: skip


def _reencoded(image: Image.Image, random: Random) -> Image.Image:
    return encoded(image, int(random.integers(20, 60)))


EDITS: dict[str, Edit] = {
    "reencoded": _reencoded,
    "resized": _resized,
    "watermarked": _marked,
    "mirrored": _mirrored,
    "cropped": _cropped,
    "brightness": _brightened,
    "turned": _turned,
    "resized and cropped": lambda image, random: _resized(_cropped(image, random), random),
    "marked and brightness": lambda image, random: _brightened(_marked(image, random), random),
}


FAR_EDITS: dict[str, Edit] = {
    "mirrored and halved": lambda image, _: ImageOps.mirror(image).resize((image.width // 2, image.height // 2)),
    "a preview of 64 px": lambda image, _: ImageOps.contain(image, (64, 64)),
    "framed in white": lambda image, _: ImageOps.expand(image, (image.width // 10, image.height // 10), "white"),
    "on a white square": lambda image, _: ImageOps.pad(image, (max(image.size),) * 2, color="white"),
    "cut by a tenth all round": lambda image, _: ImageOps.crop(image, min(image.size) // 10),
    "turned by two degrees": lambda image, _: ImageOps.crop(
        image.rotate(2, Image.Resampling.BICUBIC), image.width // 20
    ),
}
"""Copies whose hash or embedding is far from the picture's: to be looked at, something has to nominate them."""


def copies(images: Sequence[Image.Image], seed: int, edits: Mapping[str, Edit] = EDITS) -> Iterator[tuple[str, Pair]]:
    """Give one copy by each edit of each picture, saved as a web site would."""
    for number, image in enumerate(images):
        for place, (name, edit) in enumerate(edits.items()):
            random = np.random.default_rng([seed, number, place])
            yield name, (image, encoded(edit(image, random), int(random.integers(60, 93))))


def recoloured(image: Image.Image, random: Random) -> Pair:
    """A garment in another colour: the thing in front of the background gets another hue, all else stays."""
    hsv = np.asarray(image.convert("HSV")).copy()
    rgb = np.asarray(image, np.float32)
    border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    far = np.abs(rgb - np.median(border, axis=0)).max(axis=2) > 40
    mask = np.asarray(Image.fromarray((far * 255).astype(np.uint8)).filter(ImageFilter.MedianFilter(9))) > 127
    hsv[..., 0] = np.where(mask, hsv[..., 0] + int(random.integers(60, 196)), hsv[..., 0])
    hsv[..., 1] = np.where(mask, np.maximum(hsv[..., 1], 90), hsv[..., 1])
    return image, encoded(Image.fromarray(hsv, "HSV").convert("RGB"), 85)


def conveyor(objects: Sequence[Image.Image], random: Random) -> Pair:
    """Two frames of one camera: the belt and its rails are the same, the things on it are not, nor is the noise."""
    width, height = 320, 240
    belt = random.normal(0, 1, (height, width)).astype(np.float32)
    grain = cv2.GaussianBlur(belt, (0, 0), 2.0) * random.uniform(6, 60)
    base = np.repeat((float(random.uniform(70, 130)) + grain)[..., None], 3, axis=2)
    base[: height // 9] = 60
    base[-height // 9 :] = 170
    base[height // 9 : height // 9 + 4] = 220
    for x in range(0, width, 32):
        base[-height // 9 : -height // 9 + 10, x : x + 6] = 40
    is_rolling = random.random() < 0.5
    return _frame(base, objects, random, 0), _frame(base, objects, random, 17 if is_rolling else 0)


def _frame(base: np.ndarray, objects: Sequence[Image.Image], random: Random, rolled: int) -> Image.Image:
    height, width = base.shape[:2]
    inside = slice(height // 9 + 4, height - height // 9)
    frame = base.copy()
    frame[inside] = np.roll(frame[inside], rolled, axis=1)
    image = Image.fromarray(np.clip(frame + random.normal(0, 3, frame.shape), 0, 255).astype(np.uint8))
    for _ in range(int(random.integers(1, 4))):
        thing = objects[int(random.integers(len(objects)))]
        side = int(random.integers(36, 80))
        cut = thing.crop((thing.width // 4, thing.height // 4, 3 * thing.width // 4, 3 * thing.height // 4))
        cut = cut.resize((side, side)).rotate(float(random.uniform(0, 360)))
        mask = Image.new("L", (side, side))
        ImageDraw.Draw(mask).ellipse((2, 2, side - 2, side - 2), fill=255)
        image.paste(cut, (int(random.integers(0, width - side)), int(random.integers(30, height - side - 30))), mask)
    return encoded(image, int(random.integers(75, 93)))


def on_background(objects: Sequence[Image.Image], random: Random) -> Pair:
    """Two things on one plain background with one shadow, as product photos and litter on a board are taken."""
    tone = tuple(int(value) for value in random.integers(150, 256, 3))
    chosen = random.choice(len(objects), 2, replace=False)
    found = []
    for index in chosen:
        image = Image.new("RGB", (256, 256), tone)
        thing = objects[int(index)].resize((150, 150))
        mask = Image.new("L", thing.size)
        ImageDraw.Draw(mask).rounded_rectangle((4, 4, 146, 146), 30, fill=255)
        image.paste(thing, (53, 53), mask)
        noise = random.normal(0, 2, (256, 256, 3))
        found.append(encoded(Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)), 88))
    return found[0], found[1]


def photos(paths: Sequence[Path]) -> list[Image.Image]:
    """Read pictures as RGB, at most 640 px."""
    found = []
    for path in paths:
        image = Image.open(path).convert("RGB")
        image.thumbnail((640, 640))
        found.append(image)
    return found

"""From a description of a picture to its bytes: drawing, edits, encoding. Pure: same description, same bytes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from sampleweb import faces, garments

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One file that a site serves as a picture."""

    kind: str
    """portrait, silhouette, logo, banner, group, garment or junk."""
    seed: tuple[int, ...]
    """World seed, then what it shows (a person, an item), then which shot of it."""
    size: Size
    """(width, height) px of the drawing, before edits."""
    field: str = ""
    """Field of a portrait's person, or colour of a garment."""
    cut: str = "skirt"
    """What garment: a name of `sampleweb.garments.CUTS`."""
    text: str = ""
    edits: tuple[str, ...] = ()
    """Names of EDITS, applied in order."""
    encoding: str = "jpeg"
    """A name of ENCODINGS."""


def identity_of(seed: tuple[int, ...], field: str) -> faces.Identity:
    """Draw the person that a portrait's seed names."""
    return faces.draw_identity(np.random.default_rng(seed[:2]), field)


def draw(picture: Picture) -> Image.Image:
    """Draw and edit, before encoding."""
    rng = np.random.default_rng(picture.seed)
    match picture.kind:
        case "portrait":
            who = identity_of(picture.seed, picture.field)
            image = faces.draw_portrait(who, faces.draw_shot(rng, who), picture.size)
        case "silhouette":
            image = faces.draw_silhouette(picture.size)
        case "group":
            people = [(who, faces.draw_shot(rng, who)) for who in (faces.draw_identity(rng, "econ") for _ in range(4))]
            image = faces.draw_group(people, picture.size)
        case "logo" | "banner":
            image = faces.draw_logo(rng, picture.size, picture.text)
        case _:
            image = garments.draw(picture.kind, picture.seed, picture.field, picture.size, picture.cut)
    for edit in picture.edits:
        image = EDITS[edit](image)
    return image


def render(picture: Picture) -> tuple[bytes, str]:
    """Give the bytes and the content type that the server says."""
    if picture.encoding in FORGED:
        return FORGED[picture.encoding]()
    return ENCODINGS[picture.encoding](draw(picture))


def _resized(image: Image.Image) -> Image.Image:
    return image.resize((image.width * 6 // 10, image.height * 6 // 10), Image.Resampling.LANCZOS)


def _cropped(image: Image.Image) -> Image.Image:
    dx, dy = round(image.width * 0.04), round(image.height * 0.04)
    return image.crop((dx, dy, image.width - dx, image.height - dy))


def _watermarked(image: Image.Image) -> Image.Image:
    marked = image.copy()
    pen = ImageDraw.Draw(marked, "RGBA")
    height = image.height // 12
    pen.rectangle((0, image.height - height, image.width, image.height), fill=(0, 0, 0, 110))
    pen.text((6, image.height - height + 2), "(c) Pressestelle", fill=(255, 255, 255, 200))
    return marked


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "resized": _resized,
    "cropped": _cropped,
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "watermarked": _watermarked,
    "brightened": lambda image: image.point([min(255, round(value * 1.12 + 6)) for value in range(256)] * 3),
    "recompressed": lambda image: Image.open(io.BytesIO(_encode(image, "JPEG", quality=45))).convert("RGB"),
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
}
"""What people do to a photo before they put it up a second time; `turned` is a photo lying on its side."""

COPY_EDITS = ("resized", "recompressed", "cropped", "mirrored", "watermarked", "brightened")
"""Edits after which it is still a copy."""


def _encode(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def _jpeg(image: Image.Image) -> tuple[bytes, str]:
    return _encode(image, "JPEG", quality=88), "image/jpeg"


def _sideways_by_tag(image: Image.Image) -> tuple[bytes, str]:
    """Store the pixels lying down and an EXIF tag that says so, as cameras do."""
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = image.transpose(Image.Transpose.ROTATE_90)
    return _encode(lying, "JPEG", quality=88, exif=exif), "image/jpeg"


def _truncated(image: Image.Image) -> tuple[bytes, str]:
    body, kind = _jpeg(image)
    return body[: len(body) * 2 // 5], kind


def _animated(image: Image.Image) -> tuple[bytes, str]:
    frames = [image.point([min(255, value + 30 * step) for value in range(256)] * 3).quantize(64) for step in range(3)]
    return _encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=200, loop=0), "image/gif"


ENCODINGS: dict[str, Callable[[Image.Image], tuple[bytes, str]]] = {
    "jpeg": _jpeg,
    "webp": lambda image: (_encode(image, "WEBP", quality=86), "image/webp"),
    "cmyk": lambda image: (_encode(image.convert("CMYK"), "JPEG", quality=90), "image/jpeg"),
    "palette_png": lambda image: (_encode(image.quantize(200), "PNG"), "image/png"),
    "palette_gif": lambda image: (_encode(image.quantize(200), "GIF"), "image/gif"),
    "sideways_by_tag": _sideways_by_tag,
    "truncated": _truncated,
    "animated": _animated,
}


def _bomb() -> tuple[bytes, str]:
    """A PNG of a few hundred kB that says 20,000 x 20,000 px: 1.2 GB once decoded."""
    side = 20_000
    packer = zlib.compressobj(9)
    row = b"\0" * (side // 8 + 1)  # 1 bit per pixel, and the filter byte
    pixels = b"".join([packer.compress(row * 1000) for _ in range(side // 1000)] + [packer.flush()])

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b""), "image/png"


FORGED: dict[str, Callable[[], tuple[bytes, str]]] = {
    "html": lambda: (b"<!doctype html><html><body><h1>Not found</h1></body></html>", "image/jpeg"),
    "bomb": _bomb,
}
"""Bodies that no drawing goes into: an error page under a picture's name, a decompression bomb."""

"""From an `ImageSpec` to the bytes that are served: size, edits, grain, and the encodings good and bad.

`render(spec)` is a pure function: the same spec gives the same bytes (with the same Pillow and NumPy), so that the
sha256 in the truth is that of the served body. `ImageStore` keeps what was rendered, in memory and, if asked, on disk.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageDraw, ImageFont, ImageOps

from sampleweb.drawings import Drawing

DRAWING_VERSION = 1
"""Raised whenever any drawing changes: names the files of the disk cache."""

BOMB_SIDE_PX = 16_000
EXIF_ORIENTATION = {"jpeg_exif_3": (3, 180), "jpeg_exif_6": (6, 90), "jpeg_exif_8": (8, 270)}
"""Tag value and the turn (counter-clockwise, degrees) that the stored pixels have against the upright picture."""
CONTENT_TYPES = {
    "png": "image/png",
    "png_palette": "image/png",
    "bomb": "image/png",
    "gif_palette": "image/gif",
    "gif_animated": "image/gif",
    "webp": "image/webp",
}
SUFFIXES = {"image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/jpeg": ".jpg"}


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """All that decides the bytes of one image."""

    drawing: Drawing
    width_px: int
    height_px: int
    edits: tuple[tuple[str, float], ...] = ()
    """In order; a key of `EDITS` and its amount: a factor, a fraction, an opacity or degrees."""
    encoding: str = "jpeg"
    """jpeg, jpeg_cmyk, jpeg_exif_3|6|8, jpeg_truncated, or a key of `ENCODERS` or `CANNED`."""
    quality: int = 85

    @property
    def content_type(self) -> str:
        """Media type that the server claims; HTML is passed off as a JPEG."""
        return CONTENT_TYPES.get(self.encoding, "image/jpeg")

    @property
    def suffix(self) -> str:
        """File name ending that goes with the claimed media type."""
        return SUFFIXES[self.content_type]


def _grain(image: Image.Image, seed: int) -> Image.Image:
    """Add sensor noise: one fixed tile, shifted by the seed, so that large pictures stay cheap."""
    tile = np.random.default_rng(0).normal(0, 3.0, (256, 256)).astype(np.int16)
    tile = np.roll(tile, (seed % 251, seed % 241), (0, 1))
    h, w = image.height, image.width
    noise = np.tile(tile, (h // 256 + 1, w // 256 + 1))[:h, :w, None]
    return Image.fromarray(np.clip(np.asarray(image, dtype=np.int16) + noise, 0, 255).astype(np.uint8))


def _watermark(image: Image.Image, strength: float) -> Image.Image:
    layer = Image.new("L", image.size, 0)
    size = max(12, image.width // 9)
    ImageDraw.Draw(layer).text(
        (image.width * 0.97, image.height * 0.96),
        "campus foto",
        fill=int(255 * strength),
        anchor="rs",
        font=ImageFont.load_default(size),
    )
    return Image.composite(Image.new("RGB", image.size, "white"), image, layer)


def _crop(image: Image.Image, lost_frac: float) -> Image.Image:
    dx, dy = int(image.width * lost_frac), int(image.height * lost_frac)
    return image.crop((dx, dy // 2, image.width - dx // 2, image.height - dy))


def _resize(image: Image.Image, factor: float) -> Image.Image:
    return image.resize(
        (max(1, round(image.width * factor)), max(1, round(image.height * factor))), Image.Resampling.BICUBIC
    )


EDITS: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "resize": _resize,
    "crop": _crop,
    "mirror": lambda image, _: ImageOps.mirror(image),
    "watermark": _watermark,
    "brightness": lambda image, factor: image.point(lambda value: min(255, int(value * factor))),
    "rotate": lambda image, angle: image.rotate(angle, expand=True),
}


def paint(spec: ImageSpec) -> Image.Image:
    """Give the RGB pixels before they are encoded."""
    image = ImageOps.fit(
        spec.drawing.draw(), (spec.width_px, spec.height_px), Image.Resampling.BICUBIC, centering=(0.5, 0.3)
    )
    image = _grain(image, zlib.crc32(repr(spec.drawing).encode()))
    for edit, amount in spec.edits:
        image = EDITS[edit](image, amount)
    return image


def _save(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _encode_animated(image: Image.Image) -> bytes:
    frames = [
        image.convert("P", palette=Image.Palette.ADAPTIVE),
        ImageOps.mirror(image).convert("P", palette=Image.Palette.ADAPTIVE),
    ]
    return _save(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=400, loop=0)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _bomb() -> bytes:
    """Give a PNG of 256 million grey pixels in about 30 kB: a bit per pixel, all the same."""
    header = struct.pack(">IIBBBBB", BOMB_SIDE_PX, BOMB_SIDE_PX, 1, 0, 0, 0, 0)
    body = zlib.compress(bytes((BOMB_SIDE_PX // 8 + 1) * BOMB_SIDE_PX), 6)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _encode_jpeg(image: Image.Image, spec: ImageSpec) -> bytes:
    options: dict[str, object] = {"quality": spec.quality}
    if spec.encoding in EXIF_ORIENTATION:
        tag, turn_deg = EXIF_ORIENTATION[spec.encoding]
        exif = Image.Exif()
        exif[0x0112] = tag
        image, options["exif"] = image.rotate(turn_deg, expand=True), exif
    if spec.encoding == "jpeg_cmyk":
        image = image.convert("CMYK")
    body = _save(image, "JPEG", **options)
    return body[: len(body) * 55 // 100] if spec.encoding == "jpeg_truncated" else body


ENCODERS: dict[str, Callable[[Image.Image, ImageSpec], bytes]] = {
    "png": lambda image, _: _save(image, "PNG", compress_level=3),
    "png_palette": lambda image, _: _save(image.convert("P", palette=Image.Palette.ADAPTIVE), "PNG", compress_level=3),
    "gif_palette": lambda image, _: _save(image.convert("P", palette=Image.Palette.ADAPTIVE), "GIF"),
    "gif_animated": lambda image, _: _encode_animated(image),
    "webp": lambda image, spec: _save(image, "WEBP", quality=spec.quality, method=2),
}
CANNED: dict[str, Callable[[], bytes]] = {
    "bomb": _bomb,
    "html": lambda: (
        b"<!DOCTYPE html><html><head><title>404</title></head><body><h1>Bild nicht gefunden</h1></body></html>\n"
    ),
    "empty": lambda: b"",
}


def render(spec: ImageSpec) -> bytes:
    """Give the body that the server answers with."""
    if spec.encoding in CANNED:
        return CANNED[spec.encoding]()
    return ENCODERS.get(spec.encoding, _encode_jpeg)(paint(spec), spec)


def spec_key(spec: ImageSpec) -> str:
    """Name a spec for the cache: equal keys mean equal bytes on machines with the same libraries."""
    words = f"{DRAWING_VERSION} {PIL.__version__} {np.__version__} {spec!r}"
    return hashlib.sha256(words.encode()).hexdigest()[:32]


class ImageStore:
    """Renders each spec once.

    Args:
        folder: keeps the rendered files for the next process; None keeps them in memory only.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._bodies: dict[str, bytes] = {}

    def body(self, spec: ImageSpec) -> bytes:
        """Give the rendered bytes, from memory, disk or the pencil."""
        key = spec_key(spec)
        if key not in self._bodies:
            self._bodies[key] = self._read(key) or self.keep(spec, render(spec))
        return self._bodies[key]

    def has(self, spec: ImageSpec) -> bool:
        """Tell whether the bytes are at hand."""
        key = spec_key(spec)
        return key in self._bodies or bool(self._read(key))

    def keep(self, spec: ImageSpec, body: bytes) -> bytes:
        """Remember bytes that were rendered elsewhere."""
        key = spec_key(spec)
        self._bodies[key] = body
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            half = self._folder / f"{key}.{id(self)}.half"
            half.write_bytes(body)
            half.replace(self._folder / key)
        return body

    def _read(self, key: str) -> bytes | None:
        path = self._folder / key if self._folder is not None else None
        return path.read_bytes() if path is not None and path.is_file() else None

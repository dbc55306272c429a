"""From the bytes that a server sent to pixels: one decode per image, or a reason why there is none.

JPEG is decoded at a fraction of its size where the plan allows (libjpeg's DCT scaling); everything else by Pillow.
Whatever the file says of itself (orientation, palette, CMYK, alpha, 16 bit, colour profile) is settled here.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import simplejpeg
from PIL import Image, ImageCms, UnidentifiedImageError

from catalog.errors import BadImage
from curation.contract import DecodedImage, DecodeNeed, Rgb

DECODE_VERSION = 3
"""Raise when pixels or reasons may change: all measures stand on it."""
PIXELS_LIMIT = 100_000_000
"""A picture that declares more is refused before its pixels are decoded; 300 MB of RGB."""
SIDE_LIMIT_PX = 65_535
"""The longest side that a JPEG can have. A line of millions of pixels (a small PNG) is no picture: what is made per
length, as the weights of a hash, would take all memory.
"""
FRAMES_LIMIT = 1000
"""An animation of more frames is called a bomb."""

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "DIB", "TIFF", "PPM", "ICO", "JPEG2000")
"""What Pillow may try: no EPS or PDF, which start other programs. (A camera's MPO opens as JPEG.)"""
_MAGIC = (
    b"\xff\xd8", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"II*\x00", b"MM\x00*", b"P4", b"P5", b"P6", b"\x00\x00\x01\x00",
    b"\x00\x00\x00\x0cjP",
)  # fmt: skip
_VECTOR = re.compile(rb"(?!.*<html[\s>]).*<svg[\s>]", re.IGNORECASE | re.DOTALL)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what puts the picture upright."""
_ORIENTATION_TAG = 0x0112
_JPEG_FRAMES = {0xC0, 0xC1, 0xC2}
"""Markers of baseline, extended and progressive frames."""
_JPEG_HARMLESS = {0xE0, 0xDB, 0xC4, 0xDD, 0xFE, 0xEC, 0xED}
"""Markers that say nothing of how to show the picture: JFIF, tables, restarts, comment, and two of editors."""


@dataclass(frozen=True, slots=True)
class _Header:
    """What a file declares before any pixel is decoded."""

    format: str
    mode: str
    width_px: int
    height_px: int
    orientation: int
    icc_profile: bytes
    frames_count: int


def decode_image(image_id: str, body: bytes, need: DecodeNeed) -> DecodedImage:
    """Decode one image to what the stages of a plan need.

    The scaled pixels are the original ones divided by 1, 2, 4 or 8, so that the shorter side keeps
    `need.min_side_px` (or all it has). They depend on the bytes and the need alone.

    Raises:
        BadImage: with a `decode_` reason.
    """
    if not body:
        raise BadImage("decode_empty")
    header = _plain_jpeg_header(body) or _read_header(body)
    shorter = min(header.width_px, header.height_px)
    factor = _factor(shorter, need.min_side_px)
    kept: dict[int, Rgb] = {}
    colours = "RGB" if need.has_colours else "GRAY"

    def scaled(factor: int) -> Rgb:
        if factor not in kept:
            kept[factor] = _decode_pixels(body, header, factor, colours)
        return kept[factor]

    rgb = _reduced(scaled(1), factor) if need.is_original else scaled(factor)
    is_sideways = header.orientation >= 5
    width, height = (header.height_px, header.width_px) if is_sideways else (header.width_px, header.height_px)
    return DecodedImage(
        image_id=image_id,
        body=body,
        rgb=rgb,
        width_px=width,
        height_px=height,
        scale=rgb.shape[1] / width,
        original=lambda: scaled(1),
        at_least=lambda min_side_px: scaled(_factor(shorter, min_side_px)),
        facts={
            "format": header.format,
            "mode": header.mode,
            "exif_orientation": header.orientation,
            "frames": header.frames_count,
            "has_icc": bool(header.icc_profile),
        },
    )


def _factor(shorter_px: int, min_side_px: int) -> int:
    """Largest of 1, 2, 4, 8 that leaves the shorter side long enough."""
    return next((factor for factor in (8, 4, 2) if shorter_px // factor >= max(min_side_px, 1)), 1)


def _plain_jpeg_header(body: bytes) -> _Header | None:
    """Read the size of a JPEG that holds no orientation, colour profile or second picture; None for all others.

    Most of the web's photos are such, and Pillow's way to open one takes as long as hashing it.
    """
    if not body.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 9 <= len(body) and body[at] == 0xFF:
        kind, length = body[at + 1], int.from_bytes(body[at + 2 : at + 4], "big")
        if kind in _JPEG_FRAMES:
            height, width = int.from_bytes(body[at + 5 : at + 7], "big"), int.from_bytes(body[at + 7 : at + 9], "big")
            mode = {1: "L", 3: "RGB"}.get(body[at + 9]) if at + 9 < len(body) else None
            is_usual = mode and body[at + 4] == 8 and width and height and width * height <= PIXELS_LIMIT
            return _Header("JPEG", mode, width, height, 1, b"", 1) if is_usual and mode else None
        if kind not in _JPEG_HARMLESS or length < 2:
            return None
        at += 2 + length
    return None


def _read_header(body: bytes) -> _Header:
    with _quiet(), _open(body) as image:
        width, height = image.size
        if width * height > PIXELS_LIMIT:
            raise BadImage("decode_bomb", f"{width} x {height} pixels, allowed are {PIXELS_LIMIT}")
        if max(width, height) > SIDE_LIMIT_PX:
            raise BadImage("decode_bomb", f"{width} x {height} pixels, a side may have {SIDE_LIMIT_PX}")
        if width < 1 or height < 1:
            raise BadImage("decode_failed", f"{width} x {height} pixels")
        frames = _frames_count(image)
        if frames > 1:
            reason = "decode_bomb" if frames > FRAMES_LIMIT else "decode_animated"
            raise BadImage(reason, f"{frames} frames")
        profile = image.info.get("icc_profile")
        return _Header(
            format=image.format or "",
            mode=image.mode,
            width_px=width,
            height_px=height,
            orientation=_orientation(image),
            icc_profile=profile if isinstance(profile, bytes) else b"",
            frames_count=frames,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Say nothing of what Pillow warns of, bombs and odd metadata: both are judged here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _open(body: bytes) -> Image.Image:
    try:
        with _quiet():
            return Image.open(io.BytesIO(body), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise BadImage("decode_bomb", str(error)) from error
    except UnidentifiedImageError:
        raise _foreign(body) from None
    except Exception as error:  # Pillow's readers raise whatever hostile bytes provoke
        raise _failed(error) from error


def _foreign(body: bytes) -> BadImage:
    """Say what bytes are that no reader knows."""
    head = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<") and _VECTOR.match(head):
        return BadImage("decode_vector")
    if head.startswith(_MAGIC):
        is_cut = head.startswith(b"\xff\xd8") and b"\xff\xd9" not in body
        is_cut = is_cut or (head.startswith(b"\x89PNG") and b"IEND" not in body) or len(body) < 64
        return BadImage("decode_truncated" if is_cut else "decode_failed", "the header cannot be read")
    if body[4:8] == b"ftyp":
        return BadImage("decode_failed", "a picture or film in an ISO container that cannot be read")
    return BadImage("decode_not_an_image", f"begins with {body[:16]!r}")


def _failed(error: Exception) -> BadImage:
    text = str(error).lower()
    if isinstance(error, EOFError) or any(word in text for word in ("truncated", "premature", "unexpected end")):
        return BadImage("decode_truncated", str(error))
    if "too large" in text or "exceeds" in text:
        return BadImage("decode_bomb", str(error))
    return BadImage("decode_failed", f"{type(error).__name__}: {error}")


def _frames_count(image: Image.Image) -> int:
    if image.format == "MPO":
        return 1  # a camera's JPEG with a preview behind it, not an animation
    try:
        return int(getattr(image, "n_frames", 1)) if getattr(image, "is_animated", False) else 1
    except Exception as error:
        raise _failed(error) from error


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # broken EXIF is no reason to lose the picture
        return 1
    return value if value in _TURNS else 1


def _decode_pixels(body: bytes, header: _Header, factor: int, colours: str) -> Rgb:
    if header.format in ("JPEG", "MPO") and header.mode in ("RGB", "L"):
        is_plain = header.orientation == 1 and not header.icc_profile
        pixels = _decode_jpeg(body, header, factor, colours if is_plain else "RGB")
        if is_plain:
            return pixels
        image = Image.fromarray(pixels)
    else:
        image = _decode_any(body)
        if factor > 1:
            image = image.reduce(factor)
    image = _to_srgb(image, header.icc_profile)
    if header.orientation != 1:
        image = image.transpose(_TURNS[header.orientation])
    return np.asarray(image)


def _decode_jpeg(body: bytes, header: _Header, factor: int, colours: str) -> Rgb:
    """Decode to `RGB` or `GRAY`, which is shown as three equal planes."""
    width, height = -(-header.width_px // factor), -(-header.height_px // factor)
    try:
        pixels: Rgb = simplejpeg.decode_jpeg(body, colours, min_width=width, min_height=height)
    except ValueError:
        pixels = np.asarray(_decode_any(body).reduce(factor))  # Pillow forgives what is harmless, and names the rest
    return np.broadcast_to(pixels, (*pixels.shape[:2], 3)) if pixels.shape[2] == 1 else pixels


def _decode_any(body: bytes) -> Image.Image:
    with _open(body) as image:
        try:
            with _quiet():
                image.load()
                return _flatten(image)
        except Image.DecompressionBombError as error:
            raise BadImage("decode_bomb", str(error)) from error
        except Exception as error:  # as in _open
            raise _failed(error) from error


def _flatten(image: Image.Image) -> Image.Image:
    """Give RGB (or CMYK, which the colour profile may want): alpha on white, deep pictures scaled to 8 bit."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_eight_bit(np.asarray(image))).convert("RGB")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    if image.mode == "CMYK" and image.info.get("icc_profile"):
        return image
    return image.convert("RGB")


def _eight_bit(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    deep = np.nan_to_num(values.astype(np.float64))
    top = deep.max(initial=0)
    full = 1.0 if values.dtype.kind == "f" and top <= 1 else 255.0 if top <= 255 else 65535.0
    return np.clip(deep / full * 255 + 0.5, 0, 255).astype(np.uint8)


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Follow a colour profile, where there is a usable one that is not sRGB already."""
    transform = _transform(profile, image.mode) if profile else None
    if transform is not None:
        converted = ImageCms.applyTransform(image, transform)
        return converted if converted is not None else image
    return image if image.mode == "RGB" else image.convert("RGB")


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in (source.profile.profile_description or "").lower():
            return None
        return ImageCms.buildTransform(source, _srgb(), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None  # a profile of another colour space, or a broken one


@cache
def _srgb() -> Any:
    return ImageCms.createProfile("sRGB")


def _reduced(rgb: Rgb, factor: int) -> Rgb:
    return rgb if factor == 1 else np.asarray(Image.fromarray(rgb).reduce(factor))

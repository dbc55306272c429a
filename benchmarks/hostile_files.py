"""Files as the web's worst serve them: every format, and each of them broken in every way, from seeds."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from functools import cache

import numpy as np
from PIL import Image

_KINDS: dict[str, tuple[str, str, dict[str, object]]] = {
    "jpeg": ("JPEG", "RGB", {"quality": 88}),
    "jpeg-progressive": ("JPEG", "RGB", {"progressive": True}),
    "jpeg-grey": ("JPEG", "L", {}),
    "jpeg-cmyk": ("JPEG", "CMYK", {}),
    "png": ("PNG", "RGB", {}),
    "png-palette": ("PNG", "P", {}),
    "png-alpha": ("PNG", "RGBA", {}),
    "png-16-bit": ("PNG", "I;16", {}),
    "gif": ("GIF", "P", {}),
    "webp": ("WEBP", "RGB", {}),
    "webp-lossless": ("WEBP", "RGBA", {"lossless": True}),
    "avif": ("AVIF", "RGB", {}),
    "bmp": ("BMP", "RGB", {}),
    "tiff": ("TIFF", "RGB", {}),
    "tiff-lzw": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    "tiff-cmyk": ("TIFF", "CMYK", {}),
    "tiff-float": ("TIFF", "F", {}),
    "pgm": ("PPM", "L", {}),
    "ppm": ("PPM", "RGB", {}),
    "ico": ("ICO", "RGBA", {}),
    "jpeg2000": ("JPEG2000", "RGB", {}),
}
_MOVING = ("GIF", "WEBP", "PNG", "AVIF", "TIFF")


def hostile_files(count: int) -> Iterator[tuple[str, bytes]]:
    """Give (what it is, bytes): all sound files once, then broken ones without end.

    Args:
        count: how many.
    """
    sound = sound_files()
    yield from sound[:count]
    names = [name for name, body in sound if len(body) > 8]
    bodies = dict(sound)
    for number in range(count - len(sound)):
        random = np.random.default_rng([66, number])
        name = names[number % len(names)]
        yield f"{name}, broken", broken(bodies[name], random, bodies[names[int(random.integers(len(names)))]])


def broken(body: bytes, random: np.random.Generator, other: bytes) -> bytes:
    """Break a file: flip bytes, cut it, drop or repeat a stretch, raise what its header declares, graft another on."""
    data = bytearray(body)
    for _ in range(int(random.integers(1, 4))):
        at, length = int(random.integers(len(data))), int(random.integers(1, max(2, len(data) // 4)))
        match int(random.integers(6)):
            case 0:
                for position in random.integers(0, len(data), 8):
                    data[position] = int(random.integers(256))
            case 1:
                del data[max(1, at) :]
            case 2:
                del data[max(1, at) : at + length]
            case 3:
                data[at:at] = data[at : at + length]
            case 4:
                head = int(random.integers(min(len(data), 64)))
                data[head : head + 2] = b"\xff\xff"
            case _:
                data[at:] = other[int(random.integers(len(other))) :]
        if not data:
            return b""
    return bytes(data)


@cache
def sound_files() -> tuple[tuple[str, bytes], ...]:
    """One file of each kind: pictures, moving pictures, bombs, and what is no picture."""
    random = np.random.default_rng(6)
    y, x = np.mgrid[0:60, 0:80]
    rgb = np.stack([128 + 90 * np.sin(x / 9 + k) * np.cos(y / 7) for k in range(3)], axis=2)
    frames = [
        Image.fromarray(np.clip(rgb + random.normal(0, 8, rgb.shape), 0, 255).astype(np.uint8)) for _ in range(3)
    ]
    files = [(name, _saved(frames[0], *kind)) for name, kind in _KINDS.items()]
    for kind in _MOVING:
        stream = io.BytesIO()
        frames[0].save(stream, kind, save_all=True, append_images=frames[1:])
        files.append((f"{kind.lower()}-moving", stream.getvalue()))
    texts = {
        "empty": b"",
        "html": b"<!doctype html><html><body><svg></svg>Not found</body></html>",
        "text": b"404 page not found\n",
        "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"></svg>',
        "pdf": b"%PDF-1.7\n1 0 obj<<>>endobj\n",
        "film": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        "png-bomb": _declaring(100_000, 100_000),
        "png-wide": _declaring(2**31 - 1, 1),
        "png-thin": _saved(Image.new("L", (2_000_000, 1)), "PNG", "L", {}),
    }
    return (*files, *texts.items())


def _saved(image: Image.Image, kind: str, mode: str, options: dict[str, object]) -> bytes:
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 257)
    stream = io.BytesIO()
    (image if mode == "I;16" else image.convert(mode)).save(stream, kind, **options)
    return stream.getvalue()


def _declaring(width: int, height: int) -> bytes:
    """A tiny PNG whose header claims a huge picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )

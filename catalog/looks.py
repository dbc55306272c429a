"""How a picture looks, in two 64-bit hashes: enough to know a re-encoded or resized copy of one that was taken down.

The crawler asks before it keeps bytes, so this needs no stage and no signal; the hashes are those of the library
imagehash, as the stage `hashes` gives them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageOps

_DRAFT_PX = 256
"""A JPEG is decoded at a fraction of its size, but not below this side."""
_PIXELS_MAX = 100_000_000
_LOW_INFORMATION_LEVELS = 4.0
"""As in the stage `hashes`: the hash of a blank or solid picture is made of noise and fits many others."""
RADIUS_BITS = 4
"""Of either hash. Measured by benchmarks/bench_looks.py on LFW and SCUT-FBP5500, 600 photos each, shrunk to 60 % and
saved at quality 60: no copy is further off. Among 3,000 aligned portraits of SCUT 15 pairs lie within both (true
copies among them); by the pHash alone, within 6 bits, there would be 383, and a takedown would silence strangers."""


@dataclass(frozen=True, slots=True)
class Look:
    """Hashes of one picture, imagehash bit order."""

    phash: int
    dhash: int | None = None
    """None where only the first is known: then the first decides alone."""

    @classmethod
    def parse(cls, text: str) -> Look:
        """Read 16 hex digits (pHash), or 32 (pHash, then dHash).

        Raises:
            ValueError: neither.
        """
        if len(text) not in (16, 32):
            raise ValueError(f"expected 16 or 32 hex digits, found {len(text)} characters")
        return cls(int(text[:16], 16), int(text[16:], 16) if len(text) == 32 else None)

    def __str__(self) -> str:
        return f"{self.phash:016x}" + ("" if self.dhash is None else f"{self.dhash:016x}")

    def is_like(self, other: Look) -> bool:
        """Tell whether both hashes lie within RADIUS_BITS."""
        if (self.phash ^ other.phash).bit_count() > RADIUS_BITS:
            return False
        return self.dhash is None or other.dhash is None or (self.dhash ^ other.dhash).bit_count() <= RADIUS_BITS


def looks_of(body: bytes) -> tuple[Look, ...]:
    """Give the looks of a picture and of its mirror image; none where it cannot be read or shows almost nothing."""
    gray = _gray(body)
    if gray is None or float(np.asarray(gray.resize((32, 32)), np.float64).std()) < _LOW_INFORMATION_LEVELS:
        return ()
    return _look(gray), _look(ImageOps.mirror(gray))


def _gray(body: bytes) -> Image.Image | None:
    try:
        with Image.open(BytesIO(body)) as image:
            if image.width * image.height > _PIXELS_MAX:
                return None
            image.draft("RGB", (_DRAFT_PX, _DRAFT_PX))
            return ImageOps.exif_transpose(image).convert("RGB").convert("L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None  # what cannot be read shows nobody


def _look(gray: Image.Image) -> Look:
    import imagehash

    return Look(_number(imagehash.phash(gray)), _number(imagehash.dhash(gray)))


def _number(found: Any) -> int:
    return int.from_bytes(np.packbits(found.hash.ravel()).tobytes(), "big")

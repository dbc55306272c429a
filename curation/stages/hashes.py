"""Measure `hashes`: 64-bit perceptual hashes of the picture in several views, of its colours, and of its exact pixels.

Views: as it is, mirrored, turned by quarter turns, its centre, and without a solid frame. Hashes only nominate:
whether two pictures are copies is decided by their pixels (stage `duplicates`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from curation.contract import DecodedImage, DecodeNeed, MeasureFunction, Row
from curation.ops.frame import without_frame
from curation.ops.phash import DHASH_VIEWS, PHASH_VIEWS, colour_hash, hash_views
from curation.stages.registry import check_params

CONTENT_VIEWS = ("phash_content", "dhash_content")
"""Of what a solid frame surrounds; the whole picture's where there is no frame."""
VIEWS = (*PHASH_VIEWS, *DHASH_VIEWS, *CONTENT_VIEWS)
_LOW_INFORMATION_LEVELS = 4.0
"""Standard deviation of the luma's lowest frequencies below which a hash is made of noise: blank pictures."""
_COLOURS_PX = 32
"""Colours are read at so many by so many points."""


class HashesStage:
    """Gives VIEWS and `colorhash` (uint64, imagehash bit order), `pixels_digest` and `is_low_information`.

    Setting `colours = false` leaves `colorhash` out: where no other stage needs colours either, none are decoded.
    """

    name = "hashes"
    version = 4
    needs: tuple[str, ...] = ()

    def columns(self, params: Mapping[str, Any]) -> pa.Schema:
        """Columns; `pixels_digest` is 32 hex digits of size, luma and colours as decoded."""
        names = (*VIEWS, "colorhash") if _has_colours(params) else VIEWS
        hashes = [(name, pa.uint64()) for name in names]
        return pa.schema([*hashes, ("pixels_digest", pa.string()), ("is_low_information", pa.bool_())])

    def decode_need(self, params: Mapping[str, Any]) -> DecodeNeed:
        """128 px: hashes from there are within 2 bits of the full decode's in 99.7 % (measured on 3,000 photos)."""
        return DecodeNeed(min_side_px=128, has_colours=_has_colours(params))

    def prepare(self, params: Mapping[str, Any]) -> MeasureFunction:
        """Give the function; there is no model."""
        check_params(self.name, params, ("colours",))
        has_colours = _has_colours(params)
        return lambda image, _: measure_hashes(image, has_colours=has_colours)


def _has_colours(params: Mapping[str, Any]) -> bool:
    return bool(params.get("colours", True))


def measure_hashes(image: DecodedImage, *, has_colours: bool = True) -> Row:
    """Give the columns of one picture."""
    luma = image.luma()
    views, spread_levels = hash_views(luma)
    pixels = hashlib.sha256(f"{image.width_px}x{image.height_px}:".encode())
    # All of the luma and a grid of the colours: a third of the bytes of all pixels, and as telling.
    pixels.update(np.ascontiguousarray(luma).data)
    content = without_frame(luma)
    inner = views if content is luma else hash_views(content)[0]
    views |= {name: inner[name.removesuffix("_content")] for name in CONTENT_VIEWS}
    row: Row = {**views, "is_low_information": spread_levels < _LOW_INFORMATION_LEVELS}
    if has_colours:
        points = (_COLOURS_PX, _COLOURS_PX)
        colours = cv2.resize(np.ascontiguousarray(image.rgb), points, interpolation=cv2.INTER_NEAREST)
        pixels.update(colours.data)
        row["colorhash"] = colour_hash(np.asarray(colours, np.uint8))
    row["pixels_digest"] = pixels.hexdigest()[:32]
    return row

"""Measure `thumbnails`: a small JPEG of each picture, for review, for reports and for comparing pictures by pixels."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from PIL import Image

from curation.contract import DecodedImage, DecodeNeed, MeasureFunction, Row
from curation.stages.registry import check_params

_SIZE_PX = 256
JPEG_QUALITY = 92


class ThumbnailsStage:
    """Gives `jpeg` (bytes), `thumb_width_px` and `thumb_height_px`; setting `size_px` is the longer side."""

    name = "thumbnails"
    version = 1
    needs: tuple[str, ...] = ()

    def columns(self, params: Mapping[str, Any]) -> pa.Schema:
        """Columns, as said above."""
        sizes = [("thumb_width_px", pa.int32()), ("thumb_height_px", pa.int32())]
        return pa.schema([("jpeg", pa.binary()), *sizes])

    def decode_need(self, params: Mapping[str, Any]) -> DecodeNeed:
        """Its own size on the shorter side: never enlarged from less."""
        return DecodeNeed(min_side_px=int(params.get("size_px", _SIZE_PX)))

    def prepare(self, params: Mapping[str, Any]) -> MeasureFunction:
        """Give the function; there is no model."""
        check_params(self.name, params, ("size_px",))
        size = int(params.get("size_px", _SIZE_PX))

        def measure(image: DecodedImage, _: Mapping[str, Row]) -> Row:
            small = Image.fromarray(image.rgb)
            small.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=None)
            return {"jpeg": jpeg_bytes(small), "thumb_width_px": small.width, "thumb_height_px": small.height}

        return measure


def jpeg_bytes(image: Image.Image, quality: int = JPEG_QUALITY) -> bytes:
    """Encode as JPEG, 4:2:0, no metadata: the same pixels give the same bytes.

    Args:
        image: RGB.
        quality: 1 to 100.
    """
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()

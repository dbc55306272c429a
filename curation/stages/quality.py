"""Measure `quality`: numbers that tell a usable picture from a blank, dark or blurred one. No thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from curation.contract import DecodedImage, DecodeNeed, MeasureFunction, Row
from curation.stages.registry import check_params

_MEASURED_SIDE_PX = 256
"""Pictures are compared at one size, so that sharpness means the same for all: longer side."""


class QualityStage:
    """Gives `sharpness`, `brightness_frac`, `contrast_frac`, `entropy_bits`, `colourfulness`, `border_frac`, sizes."""

    name = "quality"
    version = 1
    needs: tuple[str, ...] = ()

    def columns(self, params: Mapping[str, Any]) -> pa.Schema:
        """Columns, see `measure_quality`."""
        sizes = [("width_px", pa.int32()), ("height_px", pa.int32())]
        return pa.schema([*sizes, *((name, pa.float32()) for name in _NUMBERS)])

    def decode_need(self, params: Mapping[str, Any]) -> DecodeNeed:
        """Enough for the size at which it measures."""
        return DecodeNeed(min_side_px=_MEASURED_SIDE_PX // 2)

    def prepare(self, params: Mapping[str, Any]) -> MeasureFunction:
        """Give the function; there is no model."""
        check_params(self.name, params, ())
        return _measure


_NUMBERS = ("sharpness", "brightness_frac", "contrast_frac", "entropy_bits", "colourfulness", "border_frac")


def _measure(image: DecodedImage, _: Mapping[str, Row]) -> Row:
    return {"width_px": image.width_px, "height_px": image.height_px, **measure_quality(image.rgb)}


def measure_quality(rgb: NDArray[np.uint8]) -> dict[str, float]:
    """Measure one picture.

    Args:
        rgb: (H, W, 3).

    Returns:
        sharpness: variance of the Laplacian of the luma (0..255), at 256 px; a sharp photo has hundreds.
        brightness_frac: mean luma in [0, 1]. contrast_frac: standard deviation of the luma, 0.5 at most.
        entropy_bits: of the luma histogram, 0..8; a solid picture has 0.
        colourfulness: 0 for grey, about 100 for very colourful.
        border_frac: share of rows and columns at the four borders that are solid, in [0, 1].

    Source: colourfulness after Hasler and Süsstrunk, "Measuring colourfulness in natural images", 2003.
    """
    small = Image.fromarray(rgb)
    small.thumbnail((_MEASURED_SIDE_PX, _MEASURED_SIDE_PX), Image.Resampling.BOX)
    luma = np.asarray(small.convert("L"), np.float32)
    counts = np.bincount(luma.astype(np.uint8).ravel(), minlength=256)
    shares = counts[counts > 0] / luma.size
    return {
        "sharpness": float(_laplacian(luma).var()) if min(luma.shape) > 2 else 0.0,
        "brightness_frac": float(luma.mean()) / 255,
        "contrast_frac": float(luma.std()) / 255,
        "entropy_bits": float(-(shares * np.log2(shares)).sum()) + 0.0,
        "colourfulness": _colourfulness(np.asarray(small, np.float32)),
        "border_frac": _border_frac(luma),
    }


def _laplacian(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    centre = luma[1:-1, 1:-1]
    return luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * centre


def _colourfulness(rgb: NDArray[np.float32]) -> float:
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    across, along = red - green, (red + green) / 2 - blue
    spread = np.hypot(across.std(), along.std())
    return float(spread + 0.3 * np.hypot(across.mean(), along.mean()))


def _border_frac(luma: NDArray[np.float32]) -> float:
    """Share of the height and width that solid margins take, whichever is larger."""
    solid_rows, solid_columns = np.ptp(luma, axis=1) < 8, np.ptp(luma, axis=0) < 8
    return float(max(_margins(solid) / len(solid) for solid in (solid_rows, solid_columns)))


def _margins(solid: NDArray[np.bool_]) -> int:
    if solid.all():
        return len(solid)
    busy = np.flatnonzero(~solid)
    return int(busy[0] + len(solid) - 1 - busy[-1])

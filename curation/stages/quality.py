"""Measure `quality`: numbers that tell a usable picture from a blank, dark or blurred one. No thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.contract import DecodedImage, DecodeNeed, MeasureFunction, Row, luma_of
from curation.ops.frame import content_spans
from curation.stages.registry import check_params

_MEASURED_SIDE_PX = 256
"""Pictures are compared at one size, so that sharpness means the same for all: longer side."""


class QualityStage:
    """Gives the numbers of `measure_quality`, and `width_px`, `height_px`."""

    name = "quality"
    version = 3
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


_NUMBERS = (
    "sharpness", "brightness_frac", "contrast_frac", "dark_frac", "light_frac", "entropy_bits", "colourfulness",
    "border_frac",
)  # fmt: skip
_DARK, _LIGHT = 16, 240
"""Luma below or from which a pixel is as good as black or white."""
_COLOURS_PX = 64
"""Colours are read on a grid of some 64 to 127 rows: on photos within 0.5 of the colourfulness of all pixels."""
_OPPONENTS = np.array([[1, -1, 0], [0.5, 0.5, -1]], np.float32)
"""Red against green, and yellow against blue."""


def _measure(image: DecodedImage, _: Mapping[str, Row]) -> Row:
    return {"width_px": image.width_px, "height_px": image.height_px, **measure_quality(image.rgb, image.luma())}


def measure_quality(rgb: NDArray[np.uint8], luma: NDArray[np.uint8] | None = None) -> dict[str, float]:
    """Measure one picture.

    Args:
        rgb: (H, W, 3).
        luma: (H, W) of the same picture, where that was made already.

    Returns:
        sharpness: variance of the Laplacian of the luma (0..255), at 256 px; a sharp photo has hundreds.
        brightness_frac: mean luma in [0, 1]. contrast_frac: standard deviation of the luma, 0.5 at most.
        dark_frac, light_frac: share of pixels that are as good as black or white: wrong exposure, or a cut-out.
        entropy_bits: of the luma histogram, 0..8; a solid picture has 0.
        colourfulness: 0 for grey, about 100 for very colourful.
        border_frac: share of rows and columns at the four borders that are solid, in [0, 1].

    Source: colourfulness after Hasler and Süsstrunk, "Measuring colourfulness in natural images", 2003.
    """
    luma = luma_of(rgb) if luma is None else luma
    height, width = luma.shape
    scale = min(1.0, _MEASURED_SIDE_PX / max(height, width))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
    mean, spread = _mean_and_spread(luma)
    counts = cv2.calcHist([luma], [0], None, [256], [0, 256]).ravel()
    shares = counts[counts > 0] / luma.size
    return {
        "sharpness": _sharpness(luma),
        "brightness_frac": mean[0] / 255,
        "contrast_frac": spread[0] / 255,
        "dark_frac": float(counts[:_DARK].sum() / luma.size),
        "light_frac": float(counts[_LIGHT:].sum() / luma.size),
        "entropy_bits": float(-(shares * np.log2(shares)).sum()) + 0.0,
        "colourfulness": _colourfulness(rgb),
        "border_frac": _border_frac(luma),
    }


def _mean_and_spread(values: NDArray[Any]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation per channel."""
    means, spreads = cv2.meanStdDev(values)
    return means.ravel().tolist(), spreads.ravel().tolist()


def _sharpness(luma: NDArray[np.uint8]) -> float:
    if min(luma.shape) < 3:
        return 0.0
    edges = cv2.Laplacian(luma, cv2.CV_16S, ksize=1)[1:-1, 1:-1]
    return _mean_and_spread(edges)[1][0] ** 2


def _colourfulness(rgb: NDArray[np.uint8]) -> float:
    step = max(1, min(rgb.shape[:2]) // _COLOURS_PX)
    means, spreads = _mean_and_spread(cv2.transform(rgb[::step, ::step].astype(np.float32), _OPPONENTS))
    return math.hypot(*spreads) + 0.3 * math.hypot(*means)


def _border_frac(luma: NDArray[np.uint8]) -> float:
    """Share of the height and width that solid margins take, whichever is larger."""
    spans = zip(content_spans(luma), luma.shape, strict=True)
    return float(max((length - (span.stop - span.start)) / length for span, length in spans))

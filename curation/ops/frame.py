"""Solid margins of a picture: how much they take, and the picture without them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
"""(H, W) luma."""

_SOLID_LEVELS = 8
"""Range of the luma of a solid row; JPEG leaves less."""
_CONTENT_MIN_FRAC = 0.25
"""Of a side: less between solid margins is a thing on a plain ground, of which a hash would tell next to nothing."""


def content_spans(gray: Gray) -> tuple[slice, slice]:
    """Give the rows and the columns between solid ones at the borders; empty where all are solid."""
    spans = []
    for axis in (1, 0):
        busy = np.flatnonzero(np.ptp(gray, axis=axis) >= _SOLID_LEVELS)
        spans.append(slice(int(busy[0]), int(busy[-1]) + 1) if len(busy) else slice(0, 0))
    return spans[0], spans[1]


def without_frame(gray: Gray) -> Gray:
    """Cut off the solid rows and columns at the four sides; where hardly anything is left, nothing is cut off."""
    lines = gray[:1], gray[-1:], gray[:, :1], gray[:, -1:]
    if all(np.ptp(line) >= _SOLID_LEVELS for line in lines):
        return gray
    spans = content_spans(gray)
    lengths = zip(spans, gray.shape, strict=True)
    if any(span.stop - span.start < _CONTENT_MIN_FRAC * length for span, length in lengths):
        return gray
    return gray[spans]

"""Boxes: (x0, y0, x1, y1), half-open, and how they move when a picture is turned by quarter turns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def unturn_points(points: Floats, turn_deg: int, width: int, height: int) -> Floats:
    """Map points of a turned picture back.

    Args:
        points: (N, 2) x, y in the picture after `np.rot90(picture, turn_deg // 90)`.
        turn_deg: counter-clockwise; 0, 90, 180 or 270.
        width: of the picture before it was turned, px.
        height: of the picture before it was turned, px.

    Invariant: `turn_points` is its inverse.
    """
    x, y = points[:, 0], points[:, 1]
    turned = {0: (x, y), 90: (width - y, x), 180: (width - x, height - y), 270: (y, height - x)}
    return np.stack(turned[turn_deg], axis=1)


def turn_points(points: Floats, turn_deg: int, width: int, height: int) -> Floats:
    """Map points of a picture of the given size to where they are after `np.rot90(picture, turn_deg // 90)`."""
    x, y = points[:, 0], points[:, 1]
    turned = {0: (x, y), 90: (y, width - x), 180: (width - x, height - y), 270: (height - y, x)}
    return np.stack(turned[turn_deg], axis=1)


def box_of_corners(corners: Floats) -> Floats:
    """Give the upright box around points: (4,) x0, y0, x1, y1."""
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def overlaps(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of one box with (N, 4) others, in [0, 1]."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    inner = np.clip(high - low, 0, None).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    own = float((box[2:] - box[:2]).prod())
    union = own + areas - inner
    return np.asarray(np.divide(inner, union, out=np.zeros_like(inner), where=union > 0))


def suppress(boxes: Floats, scores: Floats, overlap_frac: float) -> list[int]:
    """Keep the best of boxes that overlap by more than `overlap_frac`: indices, best first.

    Args:
        boxes: (N, 4).
        scores: (N,), high is good.
        overlap_frac: intersection over union in [0, 1].
    """
    order = list(np.argsort(-scores, kind="stable"))
    kept: list[int] = []
    for index in order:
        if not kept or overlaps(boxes[index], boxes[kept]).max() <= overlap_frac:
            kept.append(int(index))
    return kept

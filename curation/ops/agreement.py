"""How far two pictures that lie over each other agree, place by place: fine structure and colour.

What frames a picture (black corners of a turned photo, white bars, the studio's white) is left out, together with its
edges: it is alike in pictures that share nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.float32]
Mask = NDArray[np.bool_]

_FLAT_LEVELS = 6
"""Range of the 5 x 5 neighbourhood within which a place is flat; JPEG noise of a solid colour stays below."""
_CONTENT_LEAST_FRAC = 0.15
"""Content of fewer of a picture's pixels is no content within a frame."""
_EDGE_PX = 2
_FINE_PX, _COARSE_PX = 1.0, 4.0
"""Structure between about 2 and 8 px counts: finer is lost by compression, coarser is shared by all portraits."""
_WINDOW_PX = 17
_NOISE_LEVELS = 1.5
"""Standard deviation of structure that compression and resizing leave; less says nothing."""
_STRONG_LEVELS = 12.0
"""Structure beyond this weighs no more: a few hard edges must not outvote the rest."""
_AGREES = 0.5
"""Local correlation from which a place agrees."""
_SHIFTS_PX = (-1, 0, 1)
_LACKING = 2.25
"""Times the energy from which one has structure that the other lacks."""
_GAIN_MAX = 1.6
"""A picture made brighter by 1.35 has chroma 1.35 times as strong."""
_CLIPPED_LEVEL = 250
"""A channel from here on may have been cut off, which changes the hue; such places count only where most are so."""
_OPEN_MIN_FRAC = 0.3
_WHITE_LEVEL, _BRIGHT_LEVEL = 248, 200
_BLACK_LEVEL, _DARK_LEVEL = 6, 40
"""Means of luma within a window: a copy made brighter or darker loses what lies between each two."""
_NEUTRAL_LEVEL = 128
"""Chroma of grey, in OpenCV's 8-bit Lab."""
_GREY_LEVELS = 4
"""Range of chroma of a picture without colours, which JPEG leaves."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the overlap of two pictures says."""

    correlation: float
    """Mean local correlation of fine structure, in [-1, 1], weighted by how much structure there is."""
    agreeing_frac: float
    """Share of the structure that agrees, in [0, 1]."""
    structure_frac: float
    """Share of the overlap that has structure, in [0, 1]: how much there was to compare."""
    extra_left_frac: float
    """Structure that the left one has and the right one lacks, as a share of all: a mark on it, or what moved."""
    extra_right_frac: float
    colour_distance: float
    """95th percentile of the difference of chroma, in levels of Lab, one gain of the whole allowed."""
    content_frac: float
    """Share of the smaller content that both show."""
    moved_frac: float
    """Largest connected place that one has and the other lacks, as a share of the picture; of both, the smaller one.

    Small however rich the rest of the picture is, where `swapped_frac` drowns: a thing on a belt between rails.
    """

    @property
    def marked_frac(self) -> float:
        """Structure that only one of them has: what a mark laid over it would add."""
        return max(self.extra_left_frac, self.extra_right_frac)

    @property
    def swapped_frac(self) -> float:
        """Structure that each has and the other lacks, the smaller of both shares: something moved."""
        return min(self.extra_left_frac, self.extra_right_frac)


NOTHING = Agreement(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def content_mask(gray: Gray) -> Mask:
    """Tell content from frame: flat places that are joined to the border, and their edges, are frame.

    Where hardly anything is left the picture is not framed but drawn of flat places, and all of it is content.

    Args:
        gray: (H, W) luma, 0 to 255.
    """
    kernel = np.ones((5, 5), np.uint8)
    flat = (cv2.dilate(gray, kernel) - cv2.erode(gray, kernel) <= _FLAT_LEVELS).astype(np.uint8)
    count, regions = cv2.connectedComponents(flat, connectivity=4)
    border = np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])
    outer = np.zeros(count, bool)
    outer[np.unique(border)] = True
    outer[0] = False  # what is not flat
    frame = outer[regions].astype(np.uint8)
    content = cv2.dilate(frame, np.ones((5 + 2 * _EDGE_PX,) * 2, np.uint8)) == 0
    return content if content.mean() >= _CONTENT_LEAST_FRAC else np.ones_like(content)


def agreement(
    left: NDArray[np.uint8], right: NDArray[np.uint8], shared: Mask, either: Mask, content_px: float, detail: float
) -> Agreement:
    """Compare two pictures that lie over each other.

    Args:
        left: (H, W, 3) RGB.
        right: the same, laid over the left one.
        shared: where both show content; colours are compared here.
        either: where both are seen and one shows content: a thing on a plain ground that the other lacks counts.
        content_px: pixels of content of the one that has less.
        detail: pixels of the right one before it was laid over, for each along a side of it now; at most 1.
    """
    if shared.sum() < 64:
        return NOTHING
    weights = either.astype(np.float32)
    near = np.maximum(_mean(weights), 1e-3)
    lumas = _luma(left), _luma(right)
    fine_l, fine_r = (_fine(luma, weights) for luma in lumas)
    # A running box sum may end a hair below zero.
    energy_l, energy_r = (np.maximum(_mean(fine * fine), 0) / near for fine in (fine_l, fine_r))
    norm = np.asarray((np.sqrt(energy_l * energy_r) + _NOISE_LEVELS**2) * near, np.float32)
    local = _best_local(fine_l, fine_r, norm)
    strength = np.minimum(np.sqrt(np.maximum(energy_l, energy_r)), _STRONG_LEVELS)
    structured = either & (strength > 2 * _NOISE_LEVELS) & ~_lost_to_exposure(*lumas)
    strength = np.where(structured, strength, 0)
    total = max(1e-6, float(strength.sum()))
    apart = structured & (local < _AGREES)
    lacking = [apart & (one > _LACKING * other) for one, other in ((energy_l, energy_r), (energy_r, energy_l))]
    extra = [float(strength[places].sum()) / total for places in lacking]
    return Agreement(
        correlation=float((local * strength).sum()) / total,
        agreeing_frac=float(strength[local >= _AGREES].sum()) / total,
        structure_frac=float(structured.sum()) / float(either.sum()),
        extra_left_frac=extra[0],
        extra_right_frac=extra[1],
        colour_distance=_colour_distance(left, right, shared, detail),
        content_frac=min(1.0, float(shared.sum()) / content_px),
        moved_frac=min(_largest_px(places) for places in lacking) / either.size,
    )


def _lost_to_exposure(left: Gray, right: Gray) -> Mask:
    """Find places that are bright in both and white in one, or dark and black: what one lacks there is no evidence."""
    low, high = (pick(_mean(left), _mean(right)) for pick in (np.minimum, np.maximum))
    return np.asarray(
        ((high >= _WHITE_LEVEL) & (low >= _BRIGHT_LEVEL)) | ((low <= _BLACK_LEVEL) & (high <= _DARK_LEVEL))
    )


def _largest_px(places: Mask) -> int:
    """Count the pixels of the largest connected place."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(places.astype(np.uint8))
    return int(stats[1:, cv2.CC_STAT_AREA].max()) if count > 1 else 0


def _luma(rgb: NDArray[np.uint8]) -> Gray:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32)


def _fine(gray: Gray, weights: Gray) -> Gray:
    """Band-pass within the mask alone: what lies outside does not leak in."""
    fine, coarse = (
        _blurred(gray * weights, px) / np.maximum(_blurred(weights, px), 1e-3) for px in (_FINE_PX, _COARSE_PX)
    )
    return np.asarray((fine - coarse) * weights, np.float32)


def _blurred(values: Gray, px: float) -> Gray:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), px), np.float32)


def _mean(values: Gray) -> Gray:
    return np.asarray(cv2.boxFilter(values, -1, (_WINDOW_PX, _WINDOW_PX)), np.float32)


def _best_local(left: Gray, right: Gray, norm: Gray) -> Gray:
    """Correlate place by place; a pixel's shift to any side is allowed, as no transform is exact everywhere."""
    best = np.full(left.shape, -np.inf, np.float32)
    for dy in _SHIFTS_PX:
        for dx in _SHIFTS_PX:
            best = np.maximum(best, _mean(left * np.roll(right, (dy, dx), (0, 1))))
    return np.asarray(best / norm, np.float32)


def _colour_distance(left: NDArray[np.uint8], right: NDArray[np.uint8], mask: Mask, detail: float) -> float:
    """Differences of chroma at a quarter of the smaller one's size, free of what scales all of it (exposure).

    A shift of all of it is a difference: where a garment fills the picture, its other colour is nothing else.
    """
    height, width = mask.shape
    size = max(1, int(width * detail / 4)), max(1, int(height * detail / 4))
    small = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.9
    if small.sum() < 16:
        return 0.0
    shrunk = [np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8) for rgb in (left, right)]
    open_ = small & (np.maximum(*shrunk).max(axis=2) < _CLIPPED_LEVEL)
    if open_.sum() >= _OPEN_MIN_FRAC * small.sum():
        small = open_
    chroma = [cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[..., 1:][small] for rgb in shrunk]
    if any(np.ptp(values, axis=0).max() <= _GREY_LEVELS for values in chroma):
        return 0.0  # a black-and-white copy has no colours to differ
    one, other = (values.astype(np.float32) - _NEUTRAL_LEVEL for values in chroma)
    spread_l, spread_r = (values - np.median(values, axis=0) for values in (one, other))
    scale = float((spread_l * spread_r).sum()) / max(1.0, float((spread_l * spread_l).sum()))
    gain = float(np.clip(scale, 1 / _GAIN_MAX, _GAIN_MAX))
    return float(np.percentile(np.hypot(*(gain * one - other).T), 95))

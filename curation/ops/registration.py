"""Are two pictures copies of one? Thumbnails are laid over each other and compared by their fine structure.

Features matched between the two give a similarity transform (shift, scale, small turn) that many of them must agree
on; an affine refinement follows; then what remains after high-pass filtering is correlated over the overlap. Two
photos of one face, or of one scene a moment later, are alike to the eye but share little of their fine structure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.float32]
Affine = NDArray[np.float32]
"""(2, 3), from pixels of the left picture to pixels of the right."""

_FEATURES_MAX = 400
_FEATURE_CONTRAST = 0.02
"""Half of SIFT's own threshold: smooth pictures still give features."""
_INLIER_PX = 2.0
_INLIERS_BORDER = 35
"""Features that agree: copies judged by eye had 43 and more, look-alikes 28 and fewer; the geometric middle."""
_USUAL_FEATURES = 150
_HOPELESS_INLIERS = 12
_FEW_FEATURES = 60
"""A picture with fewer is judged by its fit alone."""
_OVERLAP_MIN_FRAC = 0.4
_REFINED_SIDES_PX = (64, 128)


@dataclass(frozen=True)
class Look:
    """One picture as the comparison sees it."""

    gray: Gray
    """(H, W) luma, 0 to 255, longer side about 256."""

    @cached_property
    def features(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """SIFT keypoints (K, 2) x, y and descriptors (K, 128)."""
        keypoints, descriptors = (
            _sift()
            .create(_FEATURES_MAX, contrastThreshold=_FEATURE_CONTRAST)
            .detectAndCompute(self.gray.astype(np.uint8), None)
        )
        points = np.array([point.pt for point in keypoints], np.float32).reshape(-1, 2)
        return points, np.zeros((0, 128), np.float32) if descriptors is None else descriptors

    @cached_property
    def mirrored(self) -> Look:
        """The mirror image."""
        return Look(np.ascontiguousarray(self.gray[:, ::-1]))


@dataclass(frozen=True, slots=True)
class Match:
    """How well two pictures lie over each other."""

    inliers_count: int
    """Features that agree on one similarity transform."""
    correlation: float
    """Of the high-passed pictures over their overlap, in [-1, 1]."""
    overlap_frac: float
    """Share of the left picture that the right one covers."""
    is_mirrored: bool = False
    features_count: int = 400
    """Of the picture that has fewer."""

    @property
    def copy_prob(self) -> float:
        """Probability that the two are copies of one picture."""
        return copy_prob(self.inliers_count, self.features_count, self.correlation, self.overlap_frac)


def copy_prob(inliers_count: int, features_count: int, correlation: float, overlap_frac: float) -> float:
    """Weigh the evidence; 0.5 is the border.

    Many features that agree speak for a copy, and so does fine structure that fits. A close fit (above 0.8, which no
    look-alike reached) is enough alone: smooth pictures have few features.
    """
    if overlap_frac < _OVERLAP_MIN_FRAC:
        return 0.0
    # Forty that agree say more where there are fifty than where there are four hundred.
    agreeing = inliers_count * min(3.0, max(1.0, _USUAL_FEATURES / max(1, features_count)))
    weight = 3.0 * math.log((1 + agreeing) / (1 + _INLIERS_BORDER)) + 5.0 * (correlation - 0.45)
    weight += 70.0 * max(0.0, correlation - 0.8)
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, weight))))


def _sift() -> Any:
    return cv2.SIFT  # type: ignore[attr-defined, unused-ignore]


def look_at(jpeg: bytes) -> Look:
    """Decode a thumbnail for comparison."""
    gray = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    return Look(np.asarray(gray, np.float32))


def compare(left: Look, right: Look, *, is_mirrored: bool = False) -> Match:
    """Compare two pictures, or the left one with the mirror image of the right one."""
    if is_mirrored:
        right = right.mirrored
    found, inliers = _from_features(left, right)
    fewest = min(len(left.features[0]), len(right.features[0]))
    if inliers < _HOPELESS_INLIERS and fewest >= _FEW_FEATURES:
        return Match(
            inliers, 0.0, 0.0, is_mirrored, fewest
        )  # rich in features, and none agree: not worth the refinement
    best = (-1.0, 0.0)
    starts = [_stretched(left.gray, right.gray)] + ([] if found is None else [found])
    for start in starts:
        refined = _refined(left.gray, right.gray, start)
        best = max(best, *(_correlation(left.gray, right.gray, warp) for warp in (start, refined)))
    return Match(inliers, best[0], best[1], is_mirrored, fewest)


def _from_features(left: Look, right: Look) -> tuple[Affine | None, int]:
    (points_l, descriptors_l), (points_r, descriptors_r) = left.features, right.features
    if min(len(points_l), len(points_r)) < 8:
        return None, 0
    matches = cv2.BFMatcher(cv2.NORM_L2, crossCheck=True).match(descriptors_l, descriptors_r)
    if len(matches) < 6:
        return None, 0
    source = np.array([points_l[match.queryIdx] for match in matches])
    target = np.array([points_r[match.trainIdx] for match in matches])
    warp, inliers = cv2.estimateAffinePartial2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=_INLIER_PX)
    if warp is None:
        return None, 0
    return warp.astype(np.float32), int(inliers.sum())


def _stretched(left: Gray, right: Gray) -> Affine:
    """Lay the whole of one over the whole of the other."""
    (height_l, width_l), (height_r, width_r) = left.shape, right.shape
    return np.array([[width_r / width_l, 0, 0], [0, height_r / height_l, 0]], np.float32)


def _refined(left: Gray, right: Gray, warp: Affine) -> Affine:
    """Improve a transform by the pictures themselves, coarse to fine; as given where that does not converge."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    for side in _REFINED_SIDES_PX:
        scale = side / max(left.shape)
        small = [cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for gray in (left, right)]
        scaled = warp.copy()
        scaled[:, 2] *= scale
        try:
            _, scaled = cv2.findTransformECC(small[0], small[1], scaled, cv2.MOTION_AFFINE, criteria, None, 5)
        except cv2.error:
            return warp
        warp = scaled.copy()
        warp[:, 2] /= scale
    return warp


def _correlation(left: Gray, right: Gray, warp: Affine) -> tuple[float, float]:
    """Correlate the fine structure where the two overlap: correlation, overlap share; -1 where they hardly do."""
    height, width = left.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(right, warp, (width, height), flags=flags)
    covered = cv2.warpAffine(
        np.ones(right.shape, np.uint8), warp, (width, height), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    )
    inner = cv2.erode(covered, np.ones((9, 9), np.uint8)) > 0
    share = float(covered.mean())
    if share < _OVERLAP_MIN_FRAC or not inner.any():
        return -1.0, share
    return _pearson(_fine(left)[inner], _fine(laid)[inner]), share


def _fine(gray: Gray) -> Any:
    """Keep structure between about 2 and 8 px: finer is lost by compression, coarser is shared by all portraits."""
    return cv2.GaussianBlur(gray, (0, 0), 1.0) - cv2.GaussianBlur(gray, (0, 0), 4.0)


def _pearson(left: Gray, right: Gray) -> float:
    left, right = left - left.mean(), right - right.mean()
    norm = float(np.sqrt((left * left).sum() * (right * right).sum()))
    return float((left * right).sum()) / norm if norm > 0 else 0.0

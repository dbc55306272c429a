"""Are two pictures copies of one? Thumbnails are laid over each other and compared place by place.

Features matched between the two give a similarity transform (shift, scale, small turn) that many of them must agree
on; an affine refinement follows; `agreement` then tells how much of the structure agrees, and `copies` what that is
worth. Two photos of one face, or of one scene a moment later, are alike to the eye but agree only here and there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from curation.ops.agreement import NOTHING, Agreement, Gray, Mask, agreement, content_mask
from curation.ops.copies import copy_prob

Rgb = NDArray[np.uint8]
Affine = NDArray[np.float32]
"""(2, 3), from pixels of the left picture to pixels of the right."""

VIEWS = ("", "mirror", "turn90", "turn180", "turn270")
"""Ways in which the right picture may have to be shown: as it is, mirrored, or turned counter-clockwise."""
_FEATURES_MAX = 400
_FEATURE_CONTRAST = 0.02
"""Half of SIFT's own threshold: smooth pictures still give features."""
_INLIER_PX = 2.0
_HOPELESS_INLIERS = 10
_FEW_FEATURES = 60
"""A picture with fewer is judged by its fit alone."""
_ALIKE = 0.5
"""Correlation of the stretched pictures at 64 px from which a fit is tried although no features agree."""
_CONTENT_MIN_FRAC = 0.4
_REFINED_SIDES_PX = (64, 128)
_SHEAR_MAX = 0.05
"""Copies are cut, stretched and turned, but not sheared: a transform that shears slides one edge along another."""


@dataclass(frozen=True)
class Look:
    """One picture as the comparison sees it."""

    rgb: Rgb
    """(H, W, 3), longer side about 256."""

    @property
    def gray(self) -> Gray:
        """(H, W) luma, 0 to 255; made anew, as it takes more room than all else and next to no time."""
        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY), np.float32)

    @cached_property
    def content(self) -> Mask:
        """(H, W), false where the picture is only framed."""
        return content_mask(self.gray)

    @cached_property
    def features(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """SIFT keypoints (K, 2) x, y and descriptors (K, 128), of the content."""
        keypoints, descriptors = (
            _sift()
            .create(_FEATURES_MAX, contrastThreshold=_FEATURE_CONTRAST)
            .detectAndCompute(self.gray.astype(np.uint8), self.content.astype(np.uint8))
        )
        points = np.array([point.pt for point in keypoints], np.float32).reshape(-1, 2)
        return points, np.zeros((0, 128), np.float32) if descriptors is None else descriptors

    @cached_property
    def mirrored(self) -> Look:
        """The mirror image."""
        return Look(np.ascontiguousarray(self.rgb[:, ::-1]))

    def shown(self, view: str) -> Look:
        """Give the picture in one of VIEWS."""
        if view == "mirror":
            return self.mirrored
        return Look(np.ascontiguousarray(np.rot90(self.rgb, int(view[4:]) // 90))) if view else self


@dataclass(frozen=True, slots=True)
class Match:
    """How well two pictures lie over each other."""

    inliers_count: int
    """Features that agree on one similarity transform."""
    features_count: int
    """Of the picture that has fewer."""
    agreement: Agreement
    view: str = ""
    """Of the right picture, one of VIEWS."""

    @property
    def is_mirrored(self) -> bool:
        """Whether the right picture was mirrored."""
        return self.view == "mirror"

    @property
    def correlation(self) -> float:
        """See `Agreement`."""
        return self.agreement.correlation

    @property
    def copy_prob(self) -> float:
        """Probability that the two are copies of one picture."""
        return copy_prob(self.agreement)


EQUAL = Match(0, 0, Agreement(1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
"""Of equal pixels."""


def _sift() -> Any:
    return cv2.SIFT  # type: ignore[attr-defined, unused-ignore]


def look_at(jpeg: bytes) -> Look:
    """Decode a thumbnail for comparison."""
    bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return Look(np.asarray(cv2.cvtColor(np.asarray(bgr), cv2.COLOR_BGR2RGB), np.uint8))


def compare(left: Look, right: Look, view: str = "") -> Match:
    """Compare two pictures.

    Args:
        left: one.
        right: the other.
        view: which of VIEWS of the right one.
    """
    shown = right.shown(view)
    if shown.gray.size <= left.gray.size:
        return replace(_compare(left, shown), view=view)
    # The smaller one is laid over the larger: shrinking by sampling would lose structure that both have.
    match = _compare(shown, left)
    told = match.agreement
    swapped = replace(told, extra_left_frac=told.extra_right_frac, extra_right_frac=told.extra_left_frac)
    return replace(match, view=view, agreement=swapped)


def _compare(left: Look, right: Look) -> Match:
    found, inliers = _from_features(left, right)
    fewest = min(len(left.features[0]), len(right.features[0]))
    stretched = _stretched(left.gray, right.gray)
    is_alike = _plain_correlation(left.gray, right.gray) >= _ALIKE
    if not is_alike and inliers < _HOPELESS_INLIERS and fewest >= _FEW_FEATURES:
        return Match(inliers, fewest, NOTHING)  # rich in features, and none agree: not worth the refinement
    is_found = found is not None and inliers >= _HOPELESS_INLIERS
    best = max(_fits(left, right, [found] if is_found else [stretched]), key=_merit)
    if is_found and best.agreeing_frac < _SETTLED:
        best = max(best, *_fits(left, right, [stretched]), key=_merit)
    if inliers < _HOPELESS_INLIERS and fewest >= _FEW_FEATURES and best.agreeing_frac < _WITHOUT_FEATURES:
        return Match(inliers, fewest, NOTHING)  # a pale picture agrees by half with any other that is posed like it
    return Match(inliers, fewest, best)


_SETTLED = 0.95
"""Structure that agrees from which no other transform is tried."""
_WITHOUT_FEATURES = 0.8
"""Structure that must agree where both are rich in features, and those do not."""


def _merit(found: Agreement) -> float:
    return found.correlation * min(1.0, found.content_frac / 0.5)


def _fits(left: Look, right: Look, starts: list[Any]) -> Iterator[Agreement]:
    for start in starts:
        yield _laid_over(left, right, start)
        refined = _refined(left.gray, right.gray, start)
        if refined is not None:
            yield _laid_over(left, right, refined)


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


def _plain_correlation(left: Gray, right: Gray) -> float:
    """Correlate the whole pictures at 64 x 64, coarse structure removed."""
    small = [cv2.resize(gray, (64, 64), interpolation=cv2.INTER_AREA) for gray in (left, right)]
    fine = [gray - cv2.GaussianBlur(gray, (0, 0), 4.0) for gray in small]
    norm = float(np.sqrt((fine[0] ** 2).sum() * (fine[1] ** 2).sum()))
    return float((fine[0] * fine[1]).sum()) / norm if norm > 0 else 0.0


def _refined(left: Gray, right: Gray, warp: Affine) -> Affine | None:
    """Improve a transform by the pictures themselves, coarse to fine; None where that does not converge."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    for side in _REFINED_SIDES_PX:
        scale = side / max(left.shape)
        small = [cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for gray in (left, right)]
        scaled = warp.copy()
        scaled[:, 2] *= scale
        try:
            _, scaled = cv2.findTransformECC(small[0], small[1], scaled, cv2.MOTION_AFFINE, criteria, None, 5)
        except cv2.error:
            return None
        warp = scaled.copy()
        warp[:, 2] /= scale
    return warp


def _laid_over(left: Look, right: Look, warp: Affine) -> Agreement:
    """Lay the right picture over the left one and compare what both show."""
    height, width = left.gray.shape
    turn = np.abs(np.linalg.det(warp[:, :2].astype(np.float64)))
    if not 1e-3 < turn < 1e3 or _shear(warp) > _SHEAR_MAX:
        return NOTHING
    laid = cv2.warpAffine(right.rgb, warp, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    content = right.content.astype(np.uint8)
    covered, seen = (_laid_mask(mask, warp, (width, height)) for mask in (content, np.ones_like(content)))
    shared = left.content & covered
    either = (left.content | covered) & seen
    content_px = max(1.0, min(float(left.content.sum()), float(content.sum()) / turn))
    if shared.sum() < _CONTENT_MIN_FRAC * content_px:
        return NOTHING
    detail = min(1.0, float(np.sqrt(turn)))
    return agreement(left.rgb, np.asarray(laid, np.uint8), shared, either, content_px, detail)


def _shear(warp: Affine) -> float:
    """Give how far the sides of a square end from a right angle: the cosine between them, 0 to 1."""
    across, down = warp[:, :2].T.astype(np.float64)
    return abs(float(across @ down)) / max(1e-9, float(np.linalg.norm(across) * np.linalg.norm(down)))


def _laid_mask(mask: NDArray[np.uint8], warp: Affine, size: tuple[int, int]) -> Mask:
    """Lay a mask over the left picture, less its rim, which interpolation blurs."""
    laid = cv2.warpAffine(mask, warp, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return np.asarray(cv2.erode(laid, np.ones((5, 5), np.uint8)) > 0)

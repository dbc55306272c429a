"""What an agreement of two pictures is worth: the probability that they are copies of one."""

from __future__ import annotations

import math

from curation.ops.agreement import Agreement

_WEIGHTS = {"agreeing": 1.2, "unmarked": 1.0, "features": 1.0, "still": 20.0, "colour": 1.0}
_BIAS = -3.0
_CONTENT_MIN_FRAC = 0.4
_COLOUR_LEVELS = 12.0
"""Chroma may differ by so much: compression at low quality and brightened skies do."""
_MOVED_FRAC = 0.01


def evidence(found: Agreement, inliers_count: int, features_count: int) -> dict[str, float]:
    """Say what speaks for a copy, each as a number that grows with it.

    Args:
        found: of the two laid over each other.
        inliers_count: features that agree on one transform.
        features_count: of the picture that has fewer.
    """
    # What lies under a mark cannot agree: the share is taken of the rest.
    agreeing = min(1.0, found.agreeing_frac / max(0.2, 1 - found.marked_frac))
    return {
        "agreeing": math.log((agreeing + 0.02) / (1.02 - agreeing)),
        "unmarked": -found.marked_frac,
        "features": math.log1p(inliers_count) if features_count >= 20 else math.log1p(20),
        "still": -max(0.0, found.swapped_frac - _MOVED_FRAC),
        "colour": -max(0.0, found.colour_distance - _COLOUR_LEVELS) / 10,
    }


def copy_prob(found: Agreement, inliers_count: int, features_count: int) -> float:
    """Weigh the evidence; 0.5 is the border."""
    if found.content_frac < _CONTENT_MIN_FRAC:
        return 0.0
    values = evidence(found, inliers_count, features_count)
    weight = _BIAS + sum(_WEIGHTS[name] * value for name, value in values.items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, weight))))

"""Shares with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z_95 = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A share, estimated from a sample."""

    frac: float
    low_frac: float
    """Ends of the 95 % Wilson interval."""
    high_frac: float
    count: int
    """What it was counted on."""

    def to_json(self) -> dict[str, float]:
        """Give the numbers, rounded to four digits."""
        numbers = {"frac": self.frac, "low_frac": self.low_frac, "high_frac": self.high_frac}
        return {**{name: round(value, 4) for name, value in numbers.items()}, "count": self.count}


def estimate(hits: Sequence[bool] | NDArray[np.bool_]) -> Estimate | None:
    """Estimate a share from hits and misses; None of nothing."""
    total, right = len(hits), int(sum(hits))
    if not total:
        return None
    low, high = wilson_interval(right, total)
    return Estimate(frac=right / total, low_frac=low, high_frac=high, count=total)


def wilson_interval(right_count: int, total_count: int) -> tuple[float, float]:
    """Give the 95 % interval of a share.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    share = right_count / total_count
    middle = share + _Z_95**2 / (2 * total_count)
    spread = _Z_95 * math.sqrt(share * (1 - share) / total_count + _Z_95**2 / (4 * total_count**2))
    scale = 1 + _Z_95**2 / total_count
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)

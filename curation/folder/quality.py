"""Numbers that tell usable pictures of a folder from blank, small or blurred ones."""

from __future__ import annotations

from typing import Any

from curation.decisions import records
from curation.folder.pictures import Measured
from curation.stages.samples import SETTINGS

STAGES: dict[str, dict[str, Any]] = {"quality": {}}
LIMITS = {name: SETTINGS[name] for name in ("min_side_px", "min_entropy_bits", "min_sharpness")}
"""Those of a recipe's [stages.samples]; 0 switches one off."""


def quality_rows(measured: Measured, limits: dict[str, float] | None = None) -> list[dict[str, Any]]:
    """Give one row per picture, in path order: path, reason (empty where nothing is wrong), and the measured numbers.

    Args:
        measured: with the signals of STAGES.
        limits: on top of LIMITS.
    """
    wanted = {**LIMITS, **(limits or {})}
    numbers = {row.pop("image_id"): row for row in records(measured.signals["quality"])}
    bad = measured.reasons
    rows = []
    for path in sorted({*measured.listed.image_of, *measured.listed.unread}):
        signals = numbers.get(measured.listed.image_of.get(path, ""), {})
        reason = bad.get(path) or _reason(signals, wanted)
        rows.append({"path": path, "reason": reason, **{name: _plain(value) for name, value in signals.items()}})
    return rows


def _reason(signals: dict[str, Any], limits: dict[str, float]) -> str:
    if min(signals["width_px"], signals["height_px"]) < limits["min_side_px"]:
        return "quality_too_small"
    if signals["entropy_bits"] < limits["min_entropy_bits"]:
        return "quality_blank"
    return "quality_blurred" if signals["sharpness"] < limits["min_sharpness"] else ""


def _plain(value: Any) -> Any:
    return round(float(value), 4) if isinstance(value, float) else value

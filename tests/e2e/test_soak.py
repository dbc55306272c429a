"""The short form of `benchmarks/soak.py`: a minute of schedules on a changing web, and three kills."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.soak import run_soak

pytestmark = [pytest.mark.slow, pytest.mark.prefect, pytest.mark.timeout(1200)]


def test_nothing_is_lost_or_doubled_while_components_are_killed(tmp_path: Path) -> None:
    report = run_soak(tmp_path, minutes=1.0, every_s=20, victims=("worker-cpu", "crawler", "prefect-server"))
    told = json.dumps(report)  # pytest shortens all but text
    assert report["problems"] == {}, told
    assert set(report["kills"]) == {"worker-cpu", "crawler", "prefect-server"}, told
    assert report["is_good"], told
    assert report["runs_due"] >= 2

"""What counts as a green demo."""

from __future__ import annotations

import pytest

from flows.demo import Outcome
from flows.truth import Comparison


@pytest.mark.parametrize(
    ("accuracy", "tested_count", "is_green"), [(0.5, 41, True), (0.25, 41, False), (0.25, 11, True), (0.5, 11, True)]
)
def test_the_accuracy_is_judged_where_there_are_pictures_enough(
    accuracy: float, tested_count: int, is_green: bool
) -> None:
    outcome = Outcome(accuracy=accuracy, chance=0.25, tested_count=tested_count)
    assert outcome.is_green is is_green


def test_one_leak_or_one_line_is_enough_to_fail() -> None:
    assert Outcome(accuracy=0.5, chance=0.25, tested_count=41, leaks_count=1).is_green is False
    lines = [Comparison("people", 100, 90)]
    assert Outcome(accuracy=0.5, chance=0.25, tested_count=41, comparisons=lines).is_green is False

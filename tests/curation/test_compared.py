"""Pairs that were compared once: a run that ends in the middle must not compare them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation import compared
from curation.compared import Compared
from curation.derived import DerivedFolder


def folder_in(tmp_path: Path) -> DerivedFolder:
    return DerivedFolder(str(tmp_path / "derived"), "compared", "0123456789abcdef")


def test_a_run_that_is_killed_loses_only_the_last_comparisons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compared, "SAVED_AT_ONCE", 2)
    asked: list[str] = []

    def outcomes(memory: Compared) -> list[str]:
        def compare(number: int) -> str:
            asked.append(f"i{number}")
            return f"of {number}"

        return [memory.outcome("i0", f"i{number}", "", lambda number=number: compare(number)) for number in range(5)]

    first = outcomes(Compared(folder_in(tmp_path)))  # never saved: as if killed
    assert len(asked) == 5
    again = Compared(folder_in(tmp_path))
    assert outcomes(again) == first
    assert asked[5:] == ["i4"]
    again.save()
    assert outcomes(Compared(folder_in(tmp_path))) == first
    assert len(asked) == 6


def test_the_order_and_the_view_of_a_pair_count(tmp_path: Path) -> None:
    memory = Compared(folder_in(tmp_path))
    keys = [("a", "b", ""), ("b", "a", ""), ("a", "b", "mirror")]
    assert [memory.outcome(*key, lambda key=key: str(key)) for key in keys] == [str(key) for key in keys]
    memory.save()
    known = Compared(folder_in(tmp_path))
    assert [known.outcome(*key, lambda: "anew") for key in keys] == [str(key) for key in keys]


def test_without_a_folder_nothing_is_kept() -> None:
    memory = Compared()
    assert memory.outcome("a", "b", "", lambda: "x") == "x"
    memory.save()
    assert memory.outcome("a", "b", "", lambda: "y") == "x"

from __future__ import annotations

from pathlib import Path

from catalog.db import Catalog
from flows import gates

NOW, LATER = "2026-11-21T12:00:00Z", "2026-11-28T12:00:00Z"


def test_waiting_twice_is_one_wait(tmp_path: Path) -> None:
    with Catalog(f"sqlite:///{tmp_path / 'c.db'}") as catalog:
        for _ in range(2):
            gates.record_wait(catalog, "street2shop", "noise", {"recipe": "street2shop"}, NOW)
        (wait,) = gates.open_waits(catalog)
        assert (wait.recipe, wait.queue, wait.continuation) == ("street2shop", "noise", {"recipe": "street2shop"})


def test_a_wait_lives_through_days_and_restarts_and_ends_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c.db'}"
    with Catalog(url) as catalog:
        gates.record_wait(catalog, "r", "noise", {}, NOW)
    for _ in range(2):  # the second time as after a kill between the start and the mark
        with Catalog(url) as catalog:
            (wait,) = gates.open_waits(catalog)
            assert wait.continuation_key == f"{wait.wait_id}/first"
    with Catalog(url) as catalog:
        gates.mark_continued(catalog, wait, LATER)
        assert gates.open_waits(catalog) == []


def test_a_second_wait_for_the_same_queue_continues_under_another_key(tmp_path: Path) -> None:
    with Catalog(f"sqlite:///{tmp_path / 'c.db'}") as catalog:
        gates.record_wait(catalog, "r", "noise", {}, NOW)
        (first,) = gates.open_waits(catalog)
        gates.mark_continued(catalog, first, LATER)
        gates.record_wait(catalog, "r", "noise", {}, LATER)
        (second,) = gates.open_waits(catalog)
        assert second.continuation_key != first.continuation_key

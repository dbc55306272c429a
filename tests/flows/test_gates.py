from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from catalog.db import Catalog
from flows import gates

NOW = "2026-11-21T12:00:00Z"


def test_waiting_twice_is_one_wait(tmp_path: Path) -> None:
    with Catalog(f"sqlite:///{tmp_path / 'c.db'}") as catalog:
        for _ in range(2):
            gates.record_wait(catalog, "street2shop", "noise", {"recipe": "street2shop"}, NOW)
        (wait,) = gates.open_waits(catalog)
        assert (wait.recipe, wait.queue, wait.continuation) == ("street2shop", "noise", {"recipe": "street2shop"})


def test_only_one_of_many_pollers_continues(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c.db'}"
    with Catalog(url) as catalog:
        wait = gates.record_wait(catalog, "r", "noise", {}, NOW)

    def claim(_: int) -> bool:
        with Catalog(url) as mine:
            return gates.claim_wait(mine, wait.wait_id, NOW)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(claim, range(8))) == [False] * 7 + [True]


def test_a_claim_that_could_not_be_used_waits_again(tmp_path: Path) -> None:
    with Catalog(f"sqlite:///{tmp_path / 'c.db'}") as catalog:
        wait = gates.record_wait(catalog, "r", "noise", {}, NOW)
        assert gates.claim_wait(catalog, wait.wait_id, NOW)
        assert gates.open_waits(catalog) == []
        gates.release_claim(catalog, wait.wait_id)
        assert len(gates.open_waits(catalog)) == 1

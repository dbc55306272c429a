from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalog import tables
from catalog.db import Catalog
from catalog.errors import CatalogCorrupt, UsageError
from catalog.migrations import MIGRATIONS
from catalog.schema import Verdict

REPOSITORY = Path(__file__).parents[2]


def _verdict(number: int, reviewer: str = "r") -> Verdict:
    return Verdict(
        verdict_id=f"v{number}-{reviewer}", queue="noise", target_id=f"t{number}", answer="good", reviewer=reviewer,
        answered_at="2026-11-21T12:00:00Z", shown={"image": "x"}, model_prob=0.25,
    )  # fmt: skip


def test_answers_come_back_in_order_and_only_once(catalog: Catalog) -> None:
    verdicts = [_verdict(3), _verdict(1), _verdict(2)]
    assert catalog.add_verdicts(verdicts) == 3
    assert catalog.add_verdicts([*verdicts, _verdict(4)]) == 1
    assert catalog.verdicts("noise") == [*verdicts, _verdict(4)]
    assert catalog.verdicts("labels") == []


def test_two_reviewers_at_once_lose_nothing(catalog: Catalog) -> None:
    def answer(reviewer: str) -> None:
        for number in range(40):
            catalog.add_verdicts([_verdict(number, reviewer)])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(answer, ["ada", "bea"]))
    assert len(catalog.verdicts()) == 80


def test_assignments_are_per_recipe(catalog: Catalog) -> None:
    catalog.save_assignments("a", [("s1", "train"), ("s2", "test")])
    catalog.save_assignments("a", [("s2", "validation")])
    assert catalog.assignments("a") == {"s1": "train", "s2": "validation"}
    assert catalog.assignments("b") == {}


def test_answers_survive_a_kill(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c.db'}"
    code = (
        "import sys, time; from catalog.db import Catalog; from catalog.schema import Verdict\n"
        f"c = Catalog({url!r})\n"
        "c.add_verdicts([Verdict(verdict_id='v', queue='noise', target_id='t', answer='good', reviewer='r', "
        "answered_at='2026')])\n"
        "print('saved', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=REPOSITORY)
    assert child.stdout is not None
    assert child.stdout.readline() == b"saved\n"
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    with Catalog(url) as catalog:
        assert [verdict.verdict_id for verdict in catalog.verdicts()] == ["v"]


def test_sqlite_runs_in_wal_mode_and_deletes_for_good(tmp_path: Path) -> None:
    with Catalog(f"sqlite:///{tmp_path / 'c.db'}") as catalog, catalog.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c.db'}"
    with Catalog(url) as catalog:
        catalog.add_verdicts([_verdict(1)])
    with Catalog(url) as catalog:
        assert len(catalog.verdicts()) == 1
        assert catalog.frame(tables.schema_version)["version"].tolist() == list(range(1, len(MIGRATIONS) + 1))


def test_a_catalog_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    Catalog(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO schema_version VALUES (999)")
    with pytest.raises(CatalogCorrupt, match="schema 999"):
        Catalog(f"sqlite:///{path}")


@pytest.mark.parametrize("url", ["mysql://x/y", "no url at all", "oracle+nothing://"])
def test_a_database_that_is_not_ours_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="catalog"):
        Catalog(url)

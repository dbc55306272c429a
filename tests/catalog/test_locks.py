from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from catalog.db import Catalog
from catalog.locks import shared_lock

REPOSITORY = Path(__file__).resolve().parents[2]
HOLD = """
import sys, time
from catalog.db import Catalog
from catalog.locks import shared_lock
with Catalog(sys.argv[1]) as catalog, shared_lock(catalog, "host:a") as is_held:
    print(is_held, flush=True)
    time.sleep(60)
"""


def test_with_sqlite_nothing_is_in_the_way(tmp_path: Path) -> None:
    with (
        Catalog(f"sqlite:///{tmp_path / 'c.db'}") as catalog,
        shared_lock(catalog, "a") as first,
        shared_lock(catalog, "a") as second,
    ):
        assert (first, second) == (True, True)


@pytest.mark.postgres
def test_a_name_is_held_by_one_and_given_on(postgres_url: str) -> None:
    with Catalog(postgres_url) as one, Catalog(postgres_url) as other:
        with shared_lock(one, "host:a") as first, shared_lock(other, "host:a") as second:
            assert (first, second) == (True, False)
            with shared_lock(other, "host:b") as third:
                assert third
        with shared_lock(other, "host:a") as again:
            assert again


@pytest.mark.postgres
def test_waiting_ends_when_it_is_cancelled(postgres_url: str) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with (
        Catalog(postgres_url) as one,
        Catalog(postgres_url) as other,
        shared_lock(one, "host:a"),
        shared_lock(other, "host:a", patience_s=3600, cancelled=cancelled) as is_held,
    ):
        assert not is_held


@pytest.mark.postgres
def test_a_killed_holder_holds_nothing(postgres_url: str) -> None:
    command = [sys.executable, "-c", HOLD, postgres_url]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with Catalog(postgres_url) as catalog:
            with shared_lock(catalog, "host:a") as while_it_lives:
                assert not while_it_lives
            holder.kill()
            with shared_lock(catalog, "host:a", patience_s=30) as after:
                assert after

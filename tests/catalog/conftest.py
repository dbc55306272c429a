"""Landed runs made by hand, and catalogs on both databases."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog import ids
from catalog.db import Catalog
from catalog.landing import LandingWriter
from catalog.schema import ImageRecord, IssueRecord, PageRecord, RunRecord, SightingRecord, SubjectRecord

SOURCE = "uni-cs"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a real PostgreSQL server of its own, on a Unix socket, gone after the tests."""
    initdb = _find("initdb")
    if initdb is None:
        pytest.skip("no PostgreSQL server binaries (initdb) on this machine: apt-get install postgresql")
    # Not under pytest's own folder, which only we may enter: initdb refuses root, so another account runs the server.
    with tempfile.TemporaryDirectory(prefix="gleanery-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        data = folder / "data"
        account: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
            account = ["runuser", "-u", "nobody", "--"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": folder}
        make = [*account, initdb, "-D", data, "-U", "gleanery", "-A", "trust", "--no-sync"]
        subprocess.run(make, check=True, **quiet)
        control = [*account, initdb.parent / "pg_ctl", "-D", data]
        options = f"-c listen_addresses='' -k {folder} -c fsync=off"
        subprocess.run([*control, "-l", folder / "log", "-o", options, "-w", "start"], check=True, **quiet)
        try:
            yield f"postgresql+psycopg://gleanery@/postgres?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=False, **quiet)


def _find(program: str) -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    on_path = shutil.which(program)
    return found[-1] if found else Path(on_path).resolve() if on_path else None


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    """An empty catalog on each database."""
    if request.param == "sqlite":
        opened = Catalog(f"sqlite:///{tmp_path / 'catalog.db'}")
    else:
        from sqlalchemy import text

        url = request.getfixturevalue("postgres_url")
        opened = Catalog(url)
        opened.close()
        with opened.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        opened.close()
        opened = Catalog(url)
    yield opened
    opened.close()


LandRun = Callable[..., Path]


@pytest.fixture
def land_run(tmp_path: Path) -> LandRun:
    """Land a finished run of people with one portrait each; gives the run's folder."""

    def land(
        names: list[str], *, hour: int = 1, state: str = "ok", source: str = SOURCE, is_finished: bool = True
    ) -> Path:
        started_at = f"2026-11-21T{hour:02d}:00:00Z"
        run_id = ids.run_id(started_at, source)
        folder = tmp_path / "landing" / source / run_id
        url = "http://127.0.0.1/staff/"
        page = ids.page_id(source, url)
        with LandingWriter(folder) as writer:
            writer.add(
                PageRecord(
                    page_id=page,
                    source=source,
                    url=url,
                    final_url=url,
                    status=200,
                    via="http",
                    body_sha256=ids.sha256_hex(b"page"),
                    fetched_at=started_at,
                )
            )
            for rank, name in enumerate(names):
                subject, image = ids.subject_id(source, name), ids.image_id(name.encode())
                image_url = f"{url}{rank}.jpg"
                writer.add(
                    SubjectRecord(
                        subject_id=subject,
                        source=source,
                        kind="person",
                        label="cs",
                        name=name,
                        role_class="researcher",
                    )
                )
                writer.add(
                    ImageRecord(image_id=image, source=source, url=image_url, size_bytes=9, fetched_at=started_at)
                )
                writer.add(
                    SightingRecord(
                        sighting_id=ids.sighting_id(source, page, subject, "portrait", image_url, image),
                        source=source,
                        page_id=page,
                        subject_id=subject,
                        slot="portrait",
                        rank=0,
                        image_url=image_url,
                        image_id=image,
                    )
                )
            writer.add(IssueRecord(source=source, reason="fetch_not_found", where=f"{url}gone.jpg"))
            if is_finished:
                writer.finish(
                    RunRecord(
                        run_id=run_id,
                        source=source,
                        kind="crawl",
                        state=state,
                        started_at=started_at,
                        finished_at=started_at,
                        counts={"subjects": len(names)},
                    )
                )
        return folder

    return land

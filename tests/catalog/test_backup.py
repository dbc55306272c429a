from __future__ import annotations

import io
import json
import shutil
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog import tables
from catalog.backup import back_up, restore
from catalog.blobs import BlobStore
from catalog.config import Config
from catalog.copies import known_copies
from catalog.db import Catalog
from catalog.errors import CatalogCorrupt, UsageError
from catalog.ingest import ingest_all
from catalog.schema import Verdict
from catalog.suppressions import Suppressions, add_suppression

NOW = "2026-11-21T12:00:00Z"
LandRun = Callable[..., Path]


@pytest.fixture
def config(tmp_path: Path, land_run: LandRun) -> Config:
    """A data root with answers, takedowns, splits, a release, landing and blobs."""
    config = Config(root=tmp_path / "root")
    for hour, names in ((1, ["Ada", "Bea"]), (2, ["Bea", "Cem"])):
        run = land_run(names, hour=hour)
        target = config.data_root.run_folder(run.parent.name, run.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(run, target)
    BlobStore(config.data_root.blobs).put(b"picture")
    release = config.data_root.release_folder("people", "2026-11-21.1")
    release.mkdir(parents=True)
    (release / "manifest.json").write_text("{}")
    (config.root / "sources").mkdir()
    (config.root / "sources" / "uni.toml").write_text("[source]\n")
    (config.root / "takedowns" / "open" / "take_0").mkdir(parents=True)
    (config.root / "takedowns" / "open" / "take_0" / "request.json").write_text("private")
    with Catalog(config.catalog_url) as catalog:
        ingest_all(catalog, config.data_root.landing)
        catalog.save_assignments("people", [("s1", "train"), ("s2", "test")])
        for number, answer in enumerate(("good", "noise", "undone")):
            verdict = Verdict(
                verdict_id=f"v{number}", queue="noise", target_id="t", answer=answer, reviewer="eve", answered_at=NOW,
                shown={"box": [1, 2]}, model_prob=0.25,
            )  # fmt: skip
            catalog.add_verdicts([verdict])
        add_suppression(catalog, "name", "Dora Ümlaut", "asked", NOW)
    return config


def contents(config: Config) -> dict[str, Any]:
    with Catalog(config.catalog_url) as catalog:
        kept = [table for table in tables.METADATA.sorted_tables if table.name != "schema_version"]
        rows = {table.name: catalog.frame(table).to_dict("records") for table in kept}
    return {name: sorted(map(repr, found)) for name, found in rows.items()}


def files_of(root: Path) -> dict[str, bytes]:
    found = (path for path in root.rglob("*") if path.is_file() and "catalog.db" not in path.name)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize("with_blobs", [True, False])
def test_a_destroyed_data_root_comes_back(config: Config, tmp_path: Path, with_blobs: bool) -> None:
    target = tmp_path / "elsewhere" / "backup.tar.gz"
    made = back_up(config, target, NOW, with_blobs=with_blobs)
    rows, files = contents(config), files_of(config.root)
    shutil.rmtree(config.root)
    back = restore(config, target)
    assert (back.made_at, back.has_blobs, back.files_count) == (NOW, with_blobs, made.files_count)
    assert contents(config) == rows
    lost = {name for name in files if name.startswith(("takedowns/open", *([] if with_blobs else ["blobs"])))}
    assert files_of(config.root) == {name: body for name, body in files.items() if name not in lost}
    with Catalog(config.catalog_url) as catalog:
        assert Suppressions.load(catalog).blocks_name("Umlaut, Dora"), "the salt did not come back"
        later = Verdict(verdict_id="v9", queue="noise", target_id="t", answer="good", reviewer="eve", answered_at=NOW)
        assert catalog.add_verdicts([later]) == 1


def test_a_backup_is_private_and_later_takedowns_know_of_it(config: Config, tmp_path: Path) -> None:
    made = back_up(config, tmp_path, NOW)
    assert made.path.parent == tmp_path
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    (copy,) = known_copies(config.data_root)
    assert (copy.kind, copy.where) == ("backup", str(made.path))
    with pytest.raises(UsageError, match="never overwritten"):
        back_up(config, made.path, NOW)
    with pytest.raises(UsageError, match="lost with it"):
        back_up(config, config.root / "b.tar.gz", NOW)


def test_nothing_is_restored_over_data(config: Config, tmp_path: Path) -> None:
    made = back_up(config, tmp_path, NOW)
    before = files_of(config.root)
    with pytest.raises(UsageError, match="not empty"):
        restore(config, made.path)
    assert files_of(config.root) == before


def damaged(path: Path, kind: str) -> None:
    if kind == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif kind == "text":
        path.write_text("no archive")
    else:
        with tarfile.open(path) as archive:
            bodies = {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]
        if kind == "changed":
            bodies["sources/uni.toml"] = b"[other]\n"
        if kind == "escape":
            bodies["../../outside"] = b"x"
        if kind == "newer":
            bodies["backup.json"] = json.dumps({"format_version": 99}).encode()
        with tarfile.open(path, "w:gz") as archive:
            for name, body in bodies.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(body)
                archive.addfile(entry, io.BytesIO(body))


@pytest.mark.parametrize("kind", ["cut", "text", "changed", "escape", "newer"])
def test_a_damaged_backup_is_refused_and_leaves_nothing(config: Config, tmp_path: Path, kind: str) -> None:
    made = back_up(config, tmp_path, NOW)
    damaged(made.path, kind)
    empty = Config(root=tmp_path / "fresh")
    with pytest.raises((UsageError, CatalogCorrupt)):
        restore(empty, made.path)
    assert not empty.root.exists()
    assert not list(tmp_path.glob(".fresh*"))
    assert not (tmp_path / "outside").exists()

"""What may be thrown away: derived results that nothing names, blobs that no line names, runs that are over.

All of it can be made or fetched again. Nothing young is touched, as a job that runs may be writing it, and blobs only
while no crawl can run: the caller holds the locks.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from catalog import landing, tables
from catalog.ids import digest
from catalog.recipe import Recipe
from curation.curate import table_names
from curation.derived import DerivedFolder
from curation.engine import plan_measures
from curation.places import FIND, TRAINING, Places, is_decoded_release
from curation.stages import registry

DAY_S = 86_400.0
_KNOWN_STAGES = {"decode", TRAINING, FIND, *registry.MEASURES, *registry.TABLES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """One thing that may go."""

    kind: str
    """`derived`, `blob`, `partial file`, `training run` or `crawl run`."""
    name: str
    """Its place, relative to the data root; of a blob its sha256."""
    size_bytes: int
    why: str
    remove: Callable[[], None]


def find_garbage(
    places: Places,
    recipes: Iterable[Recipe],
    *,
    now_s: float,
    min_age_s: float = DAY_S,
    runs_age_s: float | None = None,
    with_blobs: bool = True,
) -> Iterator[Garbage]:
    """Yield what may go.

    Args:
        places: the data root.
        recipes: all that there are: what they would compute today stays.
        now_s: seconds since 1970.
        min_age_s: nothing written since then is touched.
        runs_age_s: also finished training runs and failed crawls older than this; None leaves them.
        with_blobs: orphan blobs too; hold the locks of all sources then.
    """
    yield from _derived(places, list(recipes), now_s, min_age_s)
    yield from _partial_files(places, now_s, min_age_s)
    yield from _training_runs(places, now_s, min_age_s, runs_age_s)
    if runs_age_s is not None:
        yield from _crawl_runs(places, now_s, max(runs_age_s, min_age_s))
    if with_blobs:
        yield from _blobs(places, now_s, min_age_s)


def _derived(places: Places, recipes: list[Recipe], now_s: float, min_age_s: float) -> Iterator[Garbage]:
    known = [folder for folder in places.derived.folders() if folder.stage in _KNOWN_STAGES]
    kept = _named_keys(places, recipes, known)
    for folder in known:
        if (folder.stage, folder.key) in kept or places.derived.age_s(folder, now_s) < min_age_s:
            continue
        yield Garbage(
            kind="derived",
            name=f"derived/{folder.stage}/{folder.key}",
            size_bytes=places.derived.size_bytes(folder),
            why="no release and no recipe names it",
            remove=lambda folder=folder: places.derived.remove(folder),  # type: ignore[misc]
        )


def _named_keys(places: Places, recipes: list[Recipe], folders: list[DerivedFolder]) -> set[tuple[str, str]]:
    """(stage, key) of whatever a whole release was built from, a recipe measures today, or was decided last."""
    kept = {pair for recipe in recipes for pair in plan_measures(recipe).keys.items()}
    kept |= _keys_of_releases(places)
    manifests = {(folder.stage, folder.key): folder.read_manifest() or {} for folder in folders}
    table_folders = [folder for folder in folders if folder.stage in registry.TABLES]
    used = {stage for recipe in recipes for stage in table_names(recipe)}
    latest: dict[str, tuple[float, DerivedFolder]] = {}
    for folder in table_folders:
        manifest = manifests[folder.stage, folder.key]
        if not manifest or folder.stage not in used:
            continue
        age = (-places.derived.age_s(folder, 0.0), folder)
        chain = _config_digest(folder.stage, manifest)
        latest[chain] = max(latest.get(chain, age), age, key=lambda one: one[0])
    for _, folder in latest.values():
        kept.add((folder.stage, folder.key))
        inputs = manifests[folder.stage, folder.key].get("inputs", {})
        kept |= {(stage, key) for stage, key in inputs.get("stages", {}).items()}
        kept |= {(stage, key) for stage, (key, *_) in inputs.get("signals", {}).items()}
    return kept


def _config_digest(stage: str, manifest: Mapping[str, Any]) -> str:
    """Name the settings under which a table was decided: of several with the same, the newest counts."""
    inputs = manifest.get("inputs", {})
    measures = sorted((name, key) for name, (key, *_) in inputs.get("signals", {}).items())
    return digest([stage, manifest.get("params"), inputs.get("recipe"), measures, sorted(inputs.get("stages", {}))])


def _keys_of_releases(places: Places) -> set[tuple[str, str]]:
    kept: set[tuple[str, str]] = set()
    whole = list(places.releases())
    names = {(release.recipe, release.version) for release in whole}
    with places.catalog.engine.connect() as connection:
        for row in connection.execute(select(tables.releases)).mappings():
            if (row["recipe"], row["version"]) in names:
                kept |= set(row["summary"].get("stage_keys", {}).items())
    shas = places.manifest_shas()
    return kept | {(one.stage, one.key) for one in places.derived.folders() if is_decoded_release(one, shas)}


def _partial_files(places: Places, now_s: float, min_age_s: float) -> Iterator[Garbage]:
    for path in places.root.root.rglob(".*.part"):
        if path.is_file() and now_s - path.stat().st_mtime >= min_age_s:
            yield _file_garbage(places, path, "partial file", "a writer that was killed left it")


def _file_garbage(places: Places, path: Path, kind: str, why: str) -> Garbage:
    size = sum(each.stat().st_size for each in ([path] if path.is_file() else path.rglob("*")) if each.is_file())
    return Garbage(
        kind=kind,
        name=path.relative_to(places.root.root).as_posix(),
        size_bytes=size,
        why=why,
        remove=lambda: shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True),
    )


def _training_runs(places: Places, now_s: float, min_age_s: float, runs_age_s: float | None) -> Iterator[Garbage]:
    """Unfinished runs; of the finished ones, if asked, all but the newest of each task and recipe."""
    newest: dict[tuple[str, str], float] = {}
    finished: list[tuple[Path, tuple[str, str], float]] = []
    for folder in sorted(path for path in places.root.runs.glob("*/*") if path.is_dir()):
        written = max((path.stat().st_mtime for path in folder.rglob("*")), default=folder.stat().st_mtime)
        if not (folder / "metrics.json").exists():
            if now_s - written >= max(min_age_s, 7 * DAY_S):
                yield _file_garbage(
                    places, folder, "training run", "it was never finished, and nobody went on for days"
                )
            continue
        what = (folder.parent.name, _recipe_of_run(folder))
        newest[what] = max(written, newest.get(what, 0.0))
        finished.append((folder, what, written))
    for folder, what, written in finished if runs_age_s is not None else ():
        if written < newest[what] and now_s - written >= max(min_age_s, runs_age_s or 0.0):
            yield _file_garbage(
                places, folder, "training run", "a newer one of its task and recipe stands; its model stays"
            )


def _recipe_of_run(folder: Path) -> str:
    try:
        return str(json.loads((folder / "run.json").read_text(encoding="utf-8"))["release"]["recipe"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _crawl_runs(places: Places, now_s: float, age_s: float) -> Iterator[Garbage]:
    """Runs that brought nothing into the catalog, but for the last of a source: a crawl may go on with it."""
    for source in sorted(path for path in places.root.landing.glob("*") if path.is_dir()):
        for folder in list(landing.iter_run_folders(places.root.landing, source.name))[:-1]:
            run = landing.load_run(folder)
            if (run is not None and run.state == "ok") or now_s - folder.stat().st_mtime < age_s:
                continue
            state = run.state if run is not None else "unfinished"
            found = _file_garbage(places, folder, "crawl run", f"it ended as {state}, and later runs stand")
            yield Garbage(
                kind=found.kind, name=found.name, size_bytes=found.size_bytes, why=found.why,
                remove=lambda folder=folder: _remove_run(places, folder),  # type: ignore[misc]
            )  # fmt: skip


def _remove_run(places: Places, folder: Path) -> None:
    with places.catalog.begin() as connection:
        for table in (tables.runs, tables.issues):
            connection.execute(delete(table).where(table.c.run_id == folder.name))
    shutil.rmtree(folder)


def _blobs(places: Places, now_s: float, min_age_s: float) -> Iterator[Garbage]:
    named = set(_named_blobs(places))
    for sha256 in places.blobs.iter_ids():
        if sha256 in named:
            continue
        size, written_s = places.blobs.size_and_time(sha256)
        if now_s - written_s >= min_age_s:
            yield Garbage(
                kind="blob", name=sha256, size_bytes=size, why="no landed line and no row names it",
                remove=lambda sha256=sha256: _delete_blob(places, sha256),  # type: ignore[misc]
            )  # fmt: skip


def _delete_blob(places: Places, sha256: str) -> None:
    places.blobs.delete(sha256)


def _named_blobs(places: Places) -> Iterator[str]:
    for folder in landing.iter_run_folders(places.root.landing):
        path = folder / landing.RECORDS
        for row in landing.iter_rows(path) if path.exists() else ():
            yield from filter(None, (row.get("body_sha256"), row.get("image_id")))
    columns = (tables.pages.c.body_sha256, tables.images.c.image_id, tables.sightings.c.image_id)
    with places.catalog.engine.connect() as connection:
        for column in columns:
            yield from (row[0] for row in connection.execute(select(column).where(column.is_not(None))))


def clock_s() -> float:
    """Seconds since 1970: file times are compared with it."""
    return time.time()

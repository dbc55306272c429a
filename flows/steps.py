"""The steps of the road as plain functions, without Prefect: what flows and commands both call.

Each takes the settings and names, opens what it needs, and gives back small facts; pixels and frames stay inside.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.blobs import BlobStore
from catalog.changes import run_changes
from catalog.config import Config
from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ingest import ingest_run
from catalog.recipe import Recipe, load_recipe
from catalog.suppressions import Suppressions
from flows.progress import Progress, no_progress

if TYPE_CHECKING:
    from catalog.release_format import Release
    from catalog.schema import RunRecord
    from curation.contract import Curated
    from spiders.sources import Source
    from training.loop import Progress as TrainingProgress
    from training.train import RunResult


def utc_now() -> str:
    """The only clock of the steps: UTC, ISO 8601 with Z, whole seconds."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def blob_store(config: Config) -> BlobStore:
    """Open the blobs where the settings say."""
    return BlobStore(config.blobs_url or config.data_root.blobs)


def recipe_named(config: Config, name: str) -> Recipe:
    """Find a recipe: the root's own first, then those that ship."""
    return load_recipe(name, config.data_root.recipes)


def all_sources(config: Config) -> dict[str, Source]:
    """Read all declarations: those that ship, and the root's own, which win."""
    from spiders.sources import SHIPPED, load_sources

    return load_sources([SHIPPED, config.data_root.sources])


def sources_of_recipe(config: Config, recipe: Recipe) -> list[Source]:
    """The enabled sources that a recipe collects from, by name."""
    return [
        source
        for name, source in sorted(all_sources(config).items())
        if recipe.matches_source(name) and source.is_enabled
    ]


def collect_source(config: Config, source: Source, progress: Progress = no_progress) -> RunRecord:
    """Crawl one source (resuming what a kill left), land it, and take it into the catalog."""
    from spiders.run import crawl_source

    def show(counts: Mapping[str, int]) -> None:
        done = counts.get("pages", 0) + counts.get("images", 0)
        progress(source.name, done, max(done, counts.get("pages_found", 0) + counts.get("images_found", 0)))

    with Catalog(config.catalog_url) as catalog:
        suppressions = Suppressions.load(catalog)
    run = crawl_source(source, config.data_root, config, utc_now(), show, suppressions=suppressions)
    ingest(config, run)
    progress(source.name, 1, 1)
    return run


def ingest(config: Config, run: RunRecord) -> None:
    """Take a finished run into the catalog; twice is once."""
    with Catalog(config.catalog_url) as catalog:
        ingest_run(catalog, config.data_root.run_folder(run.source, run.run_id))


def import_folder(
    config: Config, folder: Path, layout: str, source_name: str, progress: Progress = no_progress
) -> RunRecord:
    """Make a run out of a folder of pictures and take it into the catalog."""
    from spiders.importers import import_folder as import_pictures

    def show(counts: Mapping[str, int]) -> None:
        progress(source_name, counts.get("images", 0), counts.get("images_found", counts.get("images", 0)))

    with Catalog(config.catalog_url) as catalog:
        suppressions = Suppressions.load(catalog)
    run = import_pictures(
        folder, layout, source_name, config.data_root, utc_now(), blobs=blob_store(config),
        suppressions=suppressions, on_progress=show,
    )  # fmt: skip
    ingest(config, run)
    return run


def curate_recipe(config: Config, name: str, progress: Progress = no_progress) -> Curated:
    """Measure what is new and decide anew; a second call with nothing new only reads."""
    from curation.curate import curate

    def show(what: str, done: int, total: int) -> None:
        # All that comes after measuring is quick: one bar for the table stages together.
        progress(f"{name}: {'measure' if what == 'measure' else 'decide'}", done, total)

    with Catalog(config.catalog_url) as catalog:
        return curate(recipe_named(config, name), catalog, config.data_root, config, on_progress=show)


def release_curated(config: Config, curated: Curated, progress: Progress = no_progress) -> Release:
    """Freeze a data set.

    Raises:
        ReviewNeeded: a gate of the recipe waits for people.
        GateFailed: another gate does not hold.
        LeakFound: a split of ours leaks; nothing is written.
    """
    from curation.release.build import build_release

    def show(done: int, total: int) -> None:
        progress(f"{curated.recipe.name}: release", done, total)

    with Catalog(config.catalog_url) as catalog:
        return build_release(curated, catalog, blob_store(config), config.data_root, utc_now(), on_progress=show)


def train_release(
    config: Config,
    release_name: str,
    task: str | None = None,
    experiment: str | None = None,
    overrides: Sequence[str] = (),
    progress: Progress = no_progress,
) -> RunResult:
    """Train on the latest (or the named) release of a recipe; resumes what a kill left.

    Raises:
        UsageError: the recipe names no task and none is given.
    """
    from catalog.release_format import find_release
    from training.train import train

    release = find_release(config.data_root.releases, release_name)
    recipe = recipe_named(config, release.recipe)
    task = task or recipe.training.get("task")
    if not task:
        raise UsageError(f"recipe {recipe.name!r} names no task: say one, for example `gleanery train classification`")
    own = dict(recipe.training) if task == recipe.training.get("task") else {}
    chosen = experiment or own.get("experiment")
    if not chosen:
        raise UsageError(f"task {task!r}: name an experiment, as recipe {recipe.name!r} names none for it")

    def show(state: TrainingProgress) -> None:
        done = (state.epoch - 1) * state.batches + state.batch
        progress(f"{release.recipe}: train {state.phase}", done, state.epochs * state.batches)

    return train(task, release, config.data_root, own, chosen, list(overrides), now=utc_now(), on_progress=show)


def run_facts(config: Config, run: RunRecord) -> dict[str, Any]:
    """One row of the collecting table: what a run gave, and what changed since the last good one."""
    counts = run.counts
    with Catalog(config.catalog_url) as catalog:
        changes = run_changes(catalog, run.source, run.run_id)
    return {
        "source": run.source,
        "state": run.state,
        "pages": counts.get("pages", 0),
        "subjects": counts.get("subjects", 0),
        "new": changes.new_count,
        "changed": changes.changed_count,
        "gone": changes.gone_count,
        "images": counts.get("images", 0),
        "fetched": counts.get("images_new", 0),
        "refused": counts.get("refused", 0),
        "failed": counts.get("failed", 0),
        "detail": run.detail,
    }

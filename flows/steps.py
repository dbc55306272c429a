"""The steps of the road as plain functions, without Prefect: what flows and commands both call.

Each takes the settings and names, opens what it needs, and gives back small facts; pixels and frames stay inside.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog import tables
from catalog.blobs import BlobStore
from catalog.changes import run_changes
from catalog.clock import utc_now
from catalog.config import Config
from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ingest import ingest_run
from catalog.landing import RUN, iter_run_folders
from catalog.locks import shared_lock
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


_SHOP_ROLES = {"listing": "list pages", "item": "items", "reviews": "review pages", "description": "descriptions"}
"""What has a line of its own while a shop is crawled, in the order in which it is reached."""
_LOG = logging.getLogger(__name__)
_HOST_PATIENCE_S = 24 * 3600.0
_LABEL_STUDIO_PX = 1024
"""Longer side of pictures handed to Label Studio."""


def blob_store(config: Config) -> BlobStore:
    """Open the blobs where the settings say."""
    return BlobStore(config.blobs_url or config.data_root.blobs)


def recipe_named(config: Config, name: str) -> Recipe:
    """Find a recipe: the root's own first, then those that ship."""
    return load_recipe(name, config.data_root.recipes)


def takedowns(config: Config) -> Suppressions:
    """Read the takedowns that hold."""
    with Catalog(config.catalog_url) as catalog:
        return Suppressions.load(catalog)


def all_sources(config: Config) -> dict[str, Source]:
    """Read all declarations: those that ship, and the root's own, which win."""
    from spiders.sources import SHIPPED, load_sources

    return load_sources([SHIPPED, config.data_root.sources])


def sources_of_recipe(config: Config, recipe: Recipe) -> list[Source]:
    """The enabled sources that a recipe collects from, by name, as the recipe wants them."""
    return [
        as_wanted(source, recipe)
        for name, source in sorted(all_sources(config).items())
        if recipe.matches_source(name) and source.is_enabled
    ]


def as_wanted(source: Source, recipe: Recipe) -> Source:
    """Let a shop give what a recipe asks for beyond the usual: gallery pictures, facts about buyers.

    Raises:
        UsageError: a fact that cannot be kept; lists those that can.
    """
    if source.kind != "shop":
        return source
    return dataclasses.replace(
        source,
        with_descriptions=source.with_descriptions or "gallery" in recipe.slots,
        buyer_facts=tuple(dict.fromkeys((*source.buyer_facts, *recipe.buyer_facts))),
    )


def recipe_names(config: Config) -> list[str]:
    """Names of all recipes: the root's own and those that ship."""
    from catalog.recipe import SHIPPED

    folders = (config.data_root.recipes, *SHIPPED)
    return sorted({path.stem for folder in folders for path in folder.glob("*.toml")})


def recipes_of(config: Config, sources: Collection[str]) -> list[str]:
    """Names of the recipes that any of these sources goes into."""
    recipes = [recipe_named(config, name) for name in recipe_names(config)]
    return [recipe.name for recipe in recipes if any(recipe.matches_source(source) for source in sources)]


def collect_source(
    config: Config, source: Source, progress: Progress = no_progress, cancelled: threading.Event | None = None
) -> RunRecord:
    """Crawl one source (resuming what a kill left), land it, and take it into the catalog; `cancelled` stops it."""
    from spiders.run import crawl_source

    def show(counts: Mapping[str, int]) -> None:
        done = counts.get("pages", 0) + counts.get("images", 0)
        progress(source.name, done, max(done, counts.get("pages_found", 0) + counts.get("images_found", 0)))
        for role, words in _SHOP_ROLES.items() if source.kind == "shop" else ():
            if counts.get(f"{role}_found"):
                progress(f"  {source.name}: {words}", counts.get(f"{role}_read", 0), counts[f"{role}_found"])

    with Catalog(config.catalog_url) as catalog, _alone_on_host(catalog, source, cancelled):
        suppressions = Suppressions.load(catalog)
        run = crawl_source(
            source, config.data_root, config, utc_now(), show, suppressions=suppressions, cancelled=cancelled
        )
    ingest(config, run)
    progress(source.name, 1, 1)
    return run


def check_source(config: Config, source: Source) -> dict[str, Any]:
    """Crawl a little of a source and compare it with its declaration and its last good run; nothing lands."""
    from spiders.check import check_source as check

    with Catalog(config.catalog_url) as catalog:
        suppressions = Suppressions.load(catalog)
    return check(source, config, utc_now(), suppressions)


@contextmanager
def _alone_on_host(catalog: Catalog, source: Source, cancelled: threading.Event | None) -> Iterator[None]:
    """Hold a source and its host among all machines that share the catalog, so that the pace of the host holds.

    Raises:
        UsageError: the source is being collected, or its host was busy for a day, or the wait was cancelled.
    """
    with (
        shared_lock(catalog, f"source:{source.name}") as is_ours,
        shared_lock(catalog, f"host:{source.host}", _HOST_PATIENCE_S if is_ours else 0, cancelled) as is_free,
    ):
        if not is_ours:
            raise UsageError(f"source {source.name!r} is being collected by another machine; wait for it to end")
        if not is_free:
            raise UsageError(f"source {source.name!r}: another crawl of its host did not end")
        yield
        if catalog.engine.dialect.name == "postgresql":
            time.sleep(source.delay_s)  # the pause that the host is owed before the next machine asks


def ingest(config: Config, run: RunRecord) -> None:
    """Take a finished run into the catalog, after those of its source that a kill kept from it; twice is once."""
    with Catalog(config.catalog_url) as catalog:
        known = set(catalog.frame(tables.runs, tables.runs.c.source == run.source)["run_id"])
        for folder in iter_run_folders(config.data_root.landing, run.source):
            if folder.name not in known and (folder / RUN).exists():
                ingest_run(catalog, folder)


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


def queue_rows(curated: Curated, catalog: Catalog) -> list[dict[str, Any]]:
    """Say how far each review queue of a curated recipe is; queues without a card are left out."""
    from curation.review.progress import measure_progress
    from curation.review.queues.registry import QUEUES

    found = {name: measure_progress(curated, catalog, name) for name in QUEUES}
    return [
        {
            "queue": name,
            "cards": progress.cards_count,
            "answered": progress.answered_count,
            "missing": progress.missing_count,
        }
        for name, progress in found.items()
        if progress.cards_count
    ]


def curate_measured(config: Config, name: str) -> Curated:
    """Decide anew on what is measured, without measuring anything: quick enough for a page that somebody waits for.

    Raises:
        UsageError: some pictures are not measured yet; says how to do it.
    """
    from curation.candidates import load_sightings
    from curation.engine import plan_measures, unmeasured_count

    recipe = recipe_named(config, name)
    with Catalog(config.catalog_url) as catalog:
        images = load_sightings(catalog, recipe, Suppressions.load(catalog)).image_ids
    derived = config.derived_url or str(config.data_root.derived)
    missing = unmeasured_count(plan_measures(recipe), images, derived)
    if missing or not len(images):
        what = f"{missing} of its pictures are not measured yet" if missing else "nothing was collected for it yet"
        raise UsageError(f"{what}; `gleanery curate {name}` does that")
    return curate_recipe(dataclasses.replace(config, executor="inline"), name)


def export_label_studio(
    config: Config, recipe: str, queue: str, file: Path, pictures: Path | None = None
) -> tuple[int, Path]:
    """Write a queue as Label Studio tasks, and its labelling configuration beside them.

    Args:
        config: settings.
        recipe: its name.
        queue: its name.
        file: JSON file to write.
        pictures: folder that gets the pictures, to be served by Label Studio as local files; None names those of the
            running review pages.

    Returns:
        How many tasks, and the file of the labelling configuration.
    """
    from catalog.files import write_bytes, write_text
    from curation.release.pictures import fit_jpeg
    from curation.review.label_studio import export_tasks, labelling_config
    from curation.review.progress import queue_cards

    cards = queue_cards(curate_recipe(config, recipe), queue)
    if pictures is None:
        base = f"http://127.0.0.1:{config.web_port}/pictures/{recipe}"
    else:
        base = f"/data/local-files/?d={pictures.name}"
        blobs = blob_store(config)
        for image in {one.image_id for card in cards for one in card.pictures} | {card.image_id for card in cards}:
            write_bytes(pictures / f"{image}.jpg", fit_jpeg(blobs.get(image), _LABEL_STUDIO_PX))
    with Catalog(config.catalog_url) as catalog:
        count = export_tasks(catalog, cards, lambda image: f"{base}/{image}.jpg", file)
    settings = file.with_suffix(".xml")
    write_text(settings, labelling_config(queue))
    return count, settings


def tell_lineage(config: Config, recipe: str, picture: str) -> dict[str, Any]:
    """Tell the story of a picture: sightings, signals, decisions, answers, releases.

    Raises:
        UsageError: nothing is known of it; says so where it was taken down.
    """
    from curation.release.lineage import lineage

    curated = curate_recipe(config, recipe)
    with Catalog(config.catalog_url) as catalog:
        return lineage(catalog, curated, config.data_root, picture)


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
        ReleaseEnding: a takedown ends the release; what the run left goes with it.
    """
    from catalog.readers import reading
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
        check_wanted()
        if state.batch == 1:
            loss = "" if state.loss is None else f" validation_loss={state.loss:.4f}"
            _LOG.info("training phase=%s epoch=%d of=%d%s", state.phase, state.epoch, state.epochs, loss)
        done = (state.epoch - 1) * state.batches + state.batch
        progress(f"{release.recipe}: train {state.phase}", done, state.epochs * state.batches)

    with reading(config.data_root, release.recipe, release.version) as check_wanted:
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
        "failures": ", ".join(
            f"{name.removeprefix('failed_')} {count}" for name, count in counts.items() if name.startswith("failed_")
        ),
        "detail": run.detail,
    }

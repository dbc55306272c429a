"""The flow `curate`: measure what is new, decide anew, show the funnel and what was kept."""

from __future__ import annotations

import os
from typing import Any

from prefect import flow, get_run_logger, task

from catalog.config import Config, load_config
from catalog.db import Catalog
from curation.contract import Curated
from flows import artifacts, sheets, steps
from flows.artifacts import artifact_key
from flows.parameters import RecipeName
from flows.services import Addresses


@task(name="curate-recipe", task_run_name="curate {recipe}")
def curate_recipe(recipe: str) -> dict[str, Any]:
    """Curate one recipe; returns its counts."""
    config = load_config(os.environ)
    curated = steps.curate_recipe(config, recipe, artifacts.show_progress(recipe))
    show_curated(config, curated)
    get_run_logger().info(
        "curated recipe=%s %s", recipe, " ".join(f"{key}={value}" for key, value in curated.counts.items())
    )
    return dict(curated.counts)


def show_curated(config: Config, curated: Curated) -> None:
    """Show funnel, reasons, contact sheets and review queues."""
    from curation.funnel import funnel, reason_counts

    recipe = curated.recipe.name
    with Catalog(config.catalog_url) as catalog:
        left = funnel(curated, catalog)
        queues = steps.queue_rows(curated, catalog)
    artifacts.show_frame(artifact_key(recipe, "funnel"), left, "From pages to splits")
    artifacts.show_frame(artifact_key(recipe, "reasons"), reason_counts(curated), "What was not kept, and why")
    web = Addresses.of(config).web
    for name in sheets.write_index(config, curated):
        address = f"{web}/sheets/{recipe}/{name}.jpg"
        artifacts.show_picture(artifact_key(recipe, "sheet", name), address, f"{recipe}: pictures under {name}")
    artifacts.show_link(artifact_key(recipe, "sheets"), f"{web}/sheets/{recipe}", "All contact sheets", "By reason")
    if queues:
        artifacts.show_page(artifact_key(recipe, "queues"), _queues_page(web, recipe, queues), "What people are asked")


def _queues_page(web: str, recipe: str, queues: list[dict[str, Any]]) -> str:
    lines = ["| queue | cards | answered | missing |", "|---|---|---|---|"]
    for row in queues:
        link = f"[{row['queue']}]({web}/review/{recipe}/{row['queue']})"
        lines.append(f"| {link} | {row['cards']} | {row['answered']} | {row['missing']} |")
    return "\n".join(lines)


@flow(name="curate", flow_run_name="curate {recipe}")
def curate(recipe: RecipeName) -> dict[str, Any]:
    """Curate a recipe: measure what is new and decide anew.

    Args:
        recipe: its name.
    """
    return curate_recipe(recipe)

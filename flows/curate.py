"""The flow `curate`: measure what is new, decide anew, show the funnel."""

from __future__ import annotations

import os
from typing import Any

from prefect import flow, task

from catalog.config import load_config
from catalog.db import Catalog
from flows import artifacts, steps
from flows.progress import current_progress


@task(name="curate-recipe", task_run_name="curate {recipe}")
def curate_recipe(recipe: str) -> dict[str, Any]:
    """Curate one recipe; returns its counts."""
    from curation.funnel import funnel, reason_counts

    config = load_config(os.environ)
    curated = steps.curate_recipe(config, recipe, current_progress())
    with Catalog(config.catalog_url) as catalog:
        steps_left = funnel(curated, catalog)
    artifacts.show_frame(artifacts.artifact_key(recipe, "funnel"), steps_left, "From pages to splits")
    artifacts.show_frame(
        artifacts.artifact_key(recipe, "reasons"), reason_counts(curated), "What was not kept, and why"
    )
    return dict(curated.counts)


@flow(name="curate", flow_run_name="curate {recipe}")
def curate(recipe: str) -> dict[str, Any]:
    """Curate a recipe.

    Args:
        recipe: its name.
    """
    return curate_recipe(recipe)

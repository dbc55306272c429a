"""The flow `curate`: measure what is new, decide anew, show the funnel."""

from __future__ import annotations

import os
from typing import Any

from prefect import flow, task

from catalog.config import load_config
from flows import artifacts, steps
from flows.progress import current_progress


@task(name="curate-recipe", task_run_name="curate {recipe}")
def curate_recipe(recipe: str) -> dict[str, Any]:
    """Curate one recipe; returns its counts."""
    from curation.funnel import funnel_table, reason_table

    curated = steps.curate_recipe(load_config(os.environ), recipe, current_progress())
    artifacts.show_frame(artifacts.artifact_key(recipe, "funnel"), funnel_table(curated), "From pages to splits")
    artifacts.show_frame(
        artifacts.artifact_key(recipe, "reasons"), reason_table(curated), "What was not kept, and why"
    )
    return dict(curated.counts)


@flow(name="curate")
def curate(recipe: str) -> dict[str, Any]:
    """Curate a recipe.

    Args:
        recipe: its name.
    """
    return curate_recipe(recipe)

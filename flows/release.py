"""The flow `release`: freeze a data set, or end as waiting for people."""

from __future__ import annotations

import os
from typing import Any

from prefect import flow, task
from prefect.client.schemas.objects import State
from prefect.states import Completed

from catalog.clock import utc_now
from catalog.config import load_config
from catalog.db import Catalog
from catalog.errors import ReviewNeeded
from catalog.release_format import CERTIFICATE_PAGE
from flows import artifacts, gates, steps
from flows.parameters import RecipeName
from flows.services import Addresses

WAITING = "waiting_review"
"""Name of the state in which a flow run ends that needs people."""


@task(name="build-release", task_run_name="release {recipe}")
def build_release(recipe: str) -> dict[str, Any]:
    """Build the release of one recipe; returns its name and counts, or which queue it waits for."""
    config = load_config(os.environ)
    try:
        progress = artifacts.show_progress(f"{recipe}-release")
        curated = steps.curate_recipe(config, recipe, progress)
        release = steps.release_curated(config, curated, progress)
    except ReviewNeeded as needed:
        link = f"{Addresses.of(config).web}/review/{recipe}/{needed.queue}"
        return {"waits_for": needed.queue, "missing_count": needed.missing_count, "link": link}
    page = (release.folder / CERTIFICATE_PAGE).read_text(encoding="utf-8")
    artifacts.show_page(artifacts.artifact_key(recipe, "certificate"), page, "Split certificate of the release")
    return {"release": f"{recipe}@{release.version}", **release.manifest["counts"]}


@flow(name="release", flow_run_name="release {recipe}")
def release(recipe: RecipeName, continuation: dict[str, Any] | None = None) -> State[dict[str, Any]]:
    """Release a recipe; where a gate needs people the run ends as `waiting_review` and costs nothing meanwhile.

    Args:
        recipe: its name.
        continuation: parameters of the pipeline that goes on once the queue is done; default: release only.
    """
    facts = build_release(recipe)
    if "waits_for" not in facts:
        return Completed(message=f"released {facts['release']}", data=facts)
    config = load_config(os.environ)
    again = continuation or {"recipe": recipe, "with_collect": False, "with_train": False}
    with Catalog(config.catalog_url) as catalog:
        gates.record_wait(catalog, recipe, facts["waits_for"], again, utc_now())
    text = f"{facts['missing_count']} answers are missing in {facts['waits_for']}"
    artifacts.show_link(artifacts.artifact_key(recipe, "review"), facts["link"], "Open the review queue", text)
    return Completed(name=WAITING, message=f"{text}: {facts['link']}", data=facts)

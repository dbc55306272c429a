"""The flow `pipeline`: the whole road of one recipe, and `continue-waiting`, which goes on after a review."""

from __future__ import annotations

import os
from typing import Any, cast

from prefect import flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.states import Completed

from catalog.clock import utc_now
from catalog.config import load_config
from catalog.db import Catalog
from catalog.errors import GleaneryError, ReviewNeeded
from flows import gates, steps
from flows.collect import collect
from flows.curate import curate
from flows.parameters import RecipeName
from flows.release import WAITING, release
from flows.train import train

TRAIN_DEPLOYMENT = "train/train"
PIPELINE_DEPLOYMENT = "pipeline/pipeline"


@flow(name="pipeline", flow_run_name="pipeline {recipe}")
def pipeline(
    recipe: RecipeName, with_collect: bool = True, with_train: bool = True, hand_off: bool = True
) -> State[dict[str, Any]]:
    """Collect, curate, release and train one recipe; ends as `waiting_review` where a gate needs people.

    Args:
        recipe: its name.
        with_collect: crawl the recipe's sources first.
        with_train: train on the release, if the recipe names a task.
        hand_off: give the training to the `gpu` work pool; otherwise train in this process.
    """
    config = load_config(os.environ)
    declared = steps.recipe_named(config, recipe)
    missing = ""
    if with_collect:
        names = [source.name for source in steps.sources_of_recipe(config, declared)]
        collected = cast("State[Any]", collect(names, recipe, return_state=True))
        # One broken site must not hold up all the others: its last good run stands, and the message says so.
        missing = f"; {collected.message}" if collected.is_failed() else ""
    curate(recipe)
    again = {"recipe": recipe, "with_collect": False, "with_train": with_train, "hand_off": hand_off}
    released = cast("State[dict[str, Any]]", release(recipe, again, return_state=True))
    facts = released.result()
    if released.name == WAITING:
        return Completed(name=WAITING, message=f"{released.message}{missing}", data=facts)
    if with_train and declared.training.get("experiment"):
        facts["training"] = _train(facts["release"], hand_off=hand_off)
    return Completed(message=f"released {facts['release']}{missing}", data=facts)


def _train(release_name: str, *, hand_off: bool) -> dict[str, Any]:
    if not hand_off:
        return train(release_name)
    run = cast("FlowRun", run_deployment(TRAIN_DEPLOYMENT, parameters={"release": release_name}, poll_interval=1))
    if run.state is None or not run.state.is_completed():
        raise GleaneryError(f"training run {run.name} ended as {run.state.name if run.state else 'unknown'}")
    return {"flow_run": run.name}


@flow(name="continue-waiting")
def continue_waiting() -> list[str]:
    """Look whether waited-for queues are done and start what waits for them; returns the recipes started."""
    config = load_config(os.environ)
    started = []
    with Catalog(config.catalog_url) as catalog:
        for wait in gates.open_waits(catalog):
            if not _is_answered(wait.recipe):
                continue
            run_deployment(
                PIPELINE_DEPLOYMENT,
                parameters=wait.continuation,
                timeout=0,
                as_subflow=False,
                idempotency_key=wait.continuation_key,
            )
            gates.mark_continued(catalog, wait, utc_now())
            started.append(wait.recipe)
    return started


def _is_answered(recipe: str) -> bool:
    from curation.release.gates import check_gates

    config = load_config(os.environ)
    curated = steps.curate_recipe(config, recipe)
    with Catalog(config.catalog_url) as catalog:
        try:
            check_gates(curated, catalog)
        except ReviewNeeded:
            return False
    return True

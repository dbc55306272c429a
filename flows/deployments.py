"""All deployments, declared in one place; `python -m flows.deployments` tells the server of them.

Two process work pools: `cpu` for everything, `gpu` for training, one run per device. What a person changed on the
dashboard (a schedule, a pause) stands: a deployment that the server knows keeps its schedules.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from typing import Any, cast

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from catalog.config import Config, load_config
from flows import steps
from flows.alerts import COLLECTED, TAG, declare_alerts, mail
from flows.collect import collect
from flows.curate import curate
from flows.devices import devices_count
from flows.pipeline import continue_waiting, pipeline
from flows.release import release
from flows.services import WORK_POOLS
from flows.takedown import takedown
from flows.train import train

_COMMAND = "python -m prefect.engine"
"""One process per run. Left to itself a worker starts another before it, which loads Prefect to fetch the flow's
code; ours is installed beside the worker. Services have that Python first on their path."""
_JITTER_S = 600.0
"""Scheduled crawls begin within ten minutes of their time, so that no site sees them on the dot."""

# A second crawl of the same group while one runs is refused, not queued: it would find nothing new.
_REFUSE = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
_ONE_AFTER_THE_OTHER = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)


def _deployed(declared_flow: Flow[..., Any], name: str, **settings: Any) -> RunnerDeployment:
    """Build one deployment, tagged and on the pool `cpu` unless said otherwise."""
    chosen = {"work_pool_name": "cpu", "tags": [TAG], "job_variables": {"command": _COMMAND}, **settings}
    return cast(
        "RunnerDeployment", declared_flow.to_deployment(name, entrypoint_type=EntrypointType.MODULE_PATH, **chosen)
    )


def declared(config: Config) -> Iterator[RunnerDeployment]:
    """Build the deployments; each is `<flow>/<name>`.

    The sources of a recipe are a group: `collect/<recipe>` crawls them at night, once a person switches it on.
    """
    yield _deployed(collect, "collect", description="Crawl any sources, now.")
    for name in steps.recipe_names(config):
        if steps.sources_of_recipe(config, steps.recipe_named(config, name)):
            yield _collect_group(config, name)
    yield _deployed(curate, "curate", triggers=[_after_collect()], concurrency_limit=_ONE_AFTER_THE_OTHER)
    yield _deployed(release, "release", concurrency_limit=_ONE_AFTER_THE_OTHER)
    yield _deployed(train, "train", work_pool_name="gpu")
    yield _deployed(pipeline, "pipeline")
    yield _deployed(takedown, "takedown")
    yield _deployed(
        pipeline,
        "weekly-majors",
        cron="0 3 * * 1",
        paused=True,  # a schedule begins when a person says so
        parameters={"recipe": "majors"},
        concurrency_limit=_REFUSE,
    )
    yield _deployed(continue_waiting, "poller", interval=120, concurrency_limit=_REFUSE)
    yield _deployed(mail, "mail", tags=[])


def _collect_group(config: Config, recipe: str) -> RunnerDeployment:
    patterns = list(steps.recipe_named(config, recipe).sources)
    minute = zlib.crc32(recipe.encode()) % 60  # groups do not all begin at the same minute
    nightly = Cron(f"{minute} 2 * * *", slug="nightly", parameters={"jitter_s": _JITTER_S})
    return _deployed(
        collect,
        recipe,
        description=f"Crawl the sources of the recipe {recipe}: {', '.join(patterns)}.",
        schedules=[nightly],
        paused=True,
        parameters={"sources": patterns},
        concurrency_limit=_REFUSE,
    )


def _after_collect() -> DeploymentEventTrigger:
    recipe = {"__prefect_kind": "jinja", "template": "{{ event.payload.recipe }}"}
    return DeploymentEventTrigger(
        name=f"{TAG}: curate what was collected",
        expect={COLLECTED},
        match={"prefect.resource.id": "gleanery.recipe.*"},
        parameters={"recipe": recipe},
    )


def declare(config: Config) -> list[str]:
    """Make the work pools, deployments and alerts on the server; again changes nothing. Returns the names."""
    names = []
    with get_client(sync_client=True) as client:
        for pool in WORK_POOLS:
            _declare_pool(client, pool)
        for deployment in declared(config):
            _keep_schedules(client, deployment)
            deployment.apply()
            names.append(f"{deployment.flow_name}/{deployment.name}")
        names += declare_alerts(client, config)
    return names


def _declare_pool(client: SyncPrefectClient, name: str) -> None:
    limit = devices_count() if name == "gpu" else None
    try:
        client.create_work_pool(WorkPoolCreate(name=name, type="process", concurrency_limit=limit))
    except ObjectAlreadyExists:
        client.update_work_pool(name, WorkPoolUpdate(concurrency_limit=limit))


def _keep_schedules(client: SyncPrefectClient, deployment: RunnerDeployment) -> None:
    """Leave the schedules and the pause of a deployment that the server knows as people set them."""
    try:
        known = client.read_deployment_by_name(f"{deployment.flow_name}/{deployment.name}")
    except ObjectNotFound:
        return
    deployment.paused = known.paused
    deployment.schedules = None
    deployment.model_fields_set.discard("schedules")


if __name__ == "__main__":
    print("\n".join(declare(load_config(os.environ))))

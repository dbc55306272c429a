"""All deployments, declared in one place; `python -m flows.deployments` tells the server of them.

Two process work pools: `cpu` for everything, `gpu` for training, one at a time.
"""

from __future__ import annotations

from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.exceptions import ObjectAlreadyExists
from prefect.types.entrypoint import EntrypointType

from flows.collect import collect
from flows.curate import curate
from flows.pipeline import continue_waiting, pipeline
from flows.release import release
from flows.services import WORK_POOLS
from flows.takedown import takedown
from flows.train import train

# A second crawl of the same recipe while one runs is refused, not queued: it would find nothing new.
_ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
_MODULE: dict[str, Any] = {"entrypoint_type": EntrypointType.MODULE_PATH}


def declared() -> list[Any]:
    """Build the deployments; each is `<flow>/<name>`."""
    return [
        collect.to_deployment("collect", work_pool_name="cpu", concurrency_limit=_ONE_AT_A_TIME, **_MODULE),
        curate.to_deployment("curate", work_pool_name="cpu", **_MODULE),
        release.to_deployment("release", work_pool_name="cpu", **_MODULE),
        train.to_deployment("train", work_pool_name="gpu", **_MODULE),
        pipeline.to_deployment("pipeline", work_pool_name="cpu", **_MODULE),
        takedown.to_deployment("takedown", work_pool_name="cpu", **_MODULE),
        pipeline.to_deployment(
            "weekly-majors",
            work_pool_name="cpu",
            cron="0 3 * * 1",
            paused=True,  # a schedule begins when a person says so
            parameters={"recipe": "majors"},
            concurrency_limit=_ONE_AT_A_TIME,
            **_MODULE,
        ),
        continue_waiting.to_deployment(
            "poller", work_pool_name="cpu", interval=120, concurrency_limit=_ONE_AT_A_TIME, **_MODULE
        ),
    ]


def declare() -> list[str]:
    """Make the work pools and deployments on the server; again changes nothing. Returns the deployments' names."""
    with get_client(sync_client=True) as client:
        for pool in WORK_POOLS:
            try:
                client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
            except ObjectAlreadyExists:
                continue
    names = []
    for deployment in declared():
        deployment.apply()
        names.append(f"{deployment.flow_name}/{deployment.name}")
    return names


if __name__ == "__main__":
    print("\n".join(declare()))

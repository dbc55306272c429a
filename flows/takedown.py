"""The flow `takedown`: carry out a kept request; it is given the request's id and nothing else."""

from __future__ import annotations

import os
from typing import Any

from prefect import flow, task

from catalog.config import load_config
from flows import artifacts, keeping
from flows.parameters import RequestId
from flows.progress import current_progress


@task(name="take-down", task_run_name="take down {request_id}")
def take_down(request_id: str) -> dict[str, Any]:
    """Remove what the request covers; what was cut off goes on."""
    return keeping.take_down(load_config(os.environ), request_id, current_progress())


@flow(name="takedown", flow_run_name="takedown {request_id}")
def takedown(request_id: RequestId) -> dict[str, Any]:
    """Carry out a request that `gleanery takedown --later` kept; no name enters Prefect's database.

    Args:
        request_id: `take_` and 16 digits.
    """
    receipt = take_down(request_id)
    rows = [{"place": place, "cleared": count} for place, count in receipt["cleared"].items()]
    artifacts.show_rows(artifacts.artifact_key("takedown", request_id), rows, "What a takedown cleared, by place")
    return receipt

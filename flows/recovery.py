"""Brings back runs that a worker took and never started: Prefect leaves them `Pending` for ever when the worker dies.

Knows the server by its address alone, so that the supervising process does not load Prefect.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from catalog.config import Config
from catalog.errors import GleaneryError

_PATIENCE_S = 10.0


def reschedule_lost(config: Config, api: str, pool: str, before: datetime) -> list[str]:
    """Schedule anew what a work pool's dead worker had taken and not started; returns the names of the runs.

    Args:
        config: settings.
        api: address of the Prefect API.
        pool: name of the work pool.
        before: when the worker was known to be dead; what was taken later is another worker's.

    Raises:
        GleaneryError: the server does not answer now.
    """
    pending = {
        "flow_runs": {"state": {"type": {"any_": ["PENDING"]}}, "start_time": {"is_null_": True}},
        "work_pools": {"name": {"any_": [pool]}},
        "limit": 200,
    }
    started = _started_here()
    lost = []
    for run in _ask(config, f"{api}/flow_runs/filter", pending):
        taken_at = datetime.fromisoformat(run["state"]["timestamp"].replace("Z", "+00:00"))
        if taken_at < before and run["id"] not in started:
            again = {"type": "SCHEDULED", "message": "its worker died before it began"}
            _ask(config, f"{api}/flow_runs/{run['id']}/set_state", {"state": again})
            lost.append(str(run["name"]))
    return lost


class Recovery:
    """Remembers which pools lost a worker until the server can be told.

    Args:
        config: settings.
        api: address of the Prefect API.
    """

    def __init__(self, config: Config, api: str) -> None:
        self._config = config
        self._api = api
        self._lost: dict[str, datetime] = {}

    def worker_died(self, pool: str) -> None:
        """Note that a pool's worker is dead: runs that it took and did not start must be brought back."""
        self._lost[pool] = datetime.now(UTC)

    def attend(self) -> None:
        """Bring runs back where there is anything to; the next call tries again where the server is away."""
        for pool, died_at in list(self._lost.items()):
            try:
                reschedule_lost(self._config, self._api, pool, died_at)
            except GleaneryError:
                continue
            del self._lost[pool]


def _started_here() -> set[str]:
    """Ids of the flow runs that have a process on this machine."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = path.read_bytes().split(b"\0")
        except OSError:
            continue
        found |= {
            value.partition(b"=")[2].decode() for value in variables if value.startswith(b"PREFECT__FLOW_RUN_ID=")
        }
    return found


def _ask(config: Config, address: str, body: Any) -> Any:
    auth: Any = tuple(config.auth.split(":", 1)) if config.auth else None
    try:
        answer = requests.post(address, json=body, timeout=_PATIENCE_S, auth=auth)
        answer.raise_for_status()
        return answer.json()
    except requests.RequestException as error:
        raise GleaneryError(f"the Prefect server does not answer: {type(error).__name__}") from error

"""Asks the Prefect server of a command line, patiently."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.e2e.command_line import CommandLine

ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def until(condition: Callable[[], Any], what: str, patience_s: float = 180.0) -> Any:
    """Wait until a condition gives something, and give it."""
    deadline = time.monotonic() + patience_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.3)
    return found


@dataclass(frozen=True)
class PrefectServer:
    dashboard: str

    @classmethod
    def of(cls, line: CommandLine) -> PrefectServer:
        return cls(f"http://127.0.0.1:{line.environment['GLEANERY_PREFECT_PORT']}")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        # The server says 503 while its SQLite is busy, and nothing while it is started again after a kill.
        with requests.Session() as web:
            again = Retry(total=30, backoff_factor=0.3, backoff_max=5, status_forcelist=[503], allowed_methods=None)
            web.mount("http://", HTTPAdapter(max_retries=again))
            answer = web.request(method, f"{self.dashboard}/api/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def deployment(self, name: str) -> Any:
        return self.ask("GET", f"deployments/name/{name}")

    def start(self, name: str, **parameters: Any) -> str:
        path = f"deployments/{self.deployment(name)['id']}/create_flow_run"
        return str(self.ask("POST", path, {"parameters": parameters})["id"])

    def state(self, run: str) -> Any:
        return self.ask("GET", f"flow_runs/{run}")["state"]

    def ended(self, run: str, patience_s: float = 240.0) -> Any:
        """Wait until a run is over, and give its state."""
        until(lambda: self.state(run)["type"] in ENDED, f"run {run}", patience_s)
        return self.state(run)

    def runs(self, deployment: str) -> list[Any]:
        query = {"deployments": {"id": {"any_": [self.deployment(deployment)["id"]]}}, "sort": "START_TIME_DESC"}
        found: list[Any] = self.ask("POST", "flow_runs/filter", query)
        return found

    def logs(self, run: str) -> list[str]:
        query = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC"}
        return [row["message"] for row in self.ask("POST", "logs/filter", query)]

    def artifacts(self, run: str) -> dict[str, Any]:
        """Key -> artifact of a run."""
        query = {"artifacts": {"flow_run_id": {"any_": [run]}}}
        return {row["key"]: row for row in self.ask("POST", "artifacts/filter", query)}

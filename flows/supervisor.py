"""Keeps child processes running: starts them, restarts those that die, stops them all.

Knows nothing of what it runs; `flows.services` says that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STOP_PATIENCE_S = 10.0
"""After SIGTERM a child has this long before SIGKILL."""
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 60.0
"""A child that ran this long is taken to be well again: the next restart is at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One long-lived child process."""

    name: str
    command: Sequence[str]
    is_ready: Callable[[], bool] | None = None
    """Asked until it says yes; None means ready at once."""


@dataclass(slots=True)
class _Child:
    service: Service
    process: subprocess.Popen[bytes]
    started_at_s: float
    failures_count: int = 0
    restart_at_s: float = field(default=0.0)


class Supervisor:
    """A handful of services in process groups of their own.

    Args:
        log_folder: each service appends to `<name>.log` there.
        environment: of the children, whole.
    """

    def __init__(self, log_folder: Path, environment: Mapping[str, str]) -> None:
        self._log_folder = log_folder
        self._environment = dict(environment)
        self._children: dict[str, _Child] = {}
        log_folder.mkdir(parents=True, exist_ok=True)

    def start(self, service: Service, patience_s: float = 300.0) -> None:
        """Start a service and wait until it is ready.

        Raises:
            TimeoutError: it is not ready in time; names its log.
            ChildProcessError: it ended at once; names its log.
        """
        child = _Child(service, self._spawn(service), time.monotonic())
        self._children[service.name] = child
        deadline_s = time.monotonic() + patience_s
        while service.is_ready is not None and not service.is_ready():
            log = self._log_folder / f"{service.name}.log"
            if child.process.poll() is not None:
                raise ChildProcessError(f"{service.name} ended with code {child.process.returncode}; see {log}")
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{service.name} was not ready within {patience_s:.0f} s; see {log}")
            time.sleep(0.2)

    def check(self) -> list[str]:
        """Restart the services that died, each after a growing pause; returns the names of those restarted."""
        restarted = []
        for child in self._children.values():
            if child.process.poll() is None:
                continue
            now_s = time.monotonic()
            if child.restart_at_s == 0.0:
                if now_s - child.started_at_s > _STEADY_S:
                    child.failures_count = 0
                child.restart_at_s = now_s + min(_LONGEST_PAUSE_S, 2.0**child.failures_count - 1.0)
                child.failures_count += 1
            if now_s >= child.restart_at_s:
                child.process = self._spawn(child.service)
                child.started_at_s, child.restart_at_s = now_s, 0.0
                restarted.append(child.service.name)
        return restarted

    def dead(self) -> set[str]:
        """Names of the services whose process has ended and was not started again yet."""
        return {name for name, child in self._children.items() if child.process.poll() is not None}

    def pids(self) -> dict[str, int]:
        """Process id of each service."""
        return {name: child.process.pid for name, child in self._children.items()}

    def stop(self) -> None:
        """End all services, the last started first: SIGTERM to each group, SIGKILL to what stays."""
        for child in reversed(list(self._children.values())):
            stop_group(child.process.pid)
            child.process.wait()
        self._children.clear()

    def _spawn(self, service: Service) -> subprocess.Popen[bytes]:
        with (self._log_folder / f"{service.name}.log").open("ab") as log:
            return subprocess.Popen(
                list(service.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,  # a Ctrl-C reaches us alone; we stop the children in order
            )


def stop_group(pid: int, patience_s: float = STOP_PATIENCE_S) -> None:
    """End a process group led by `pid`: SIGTERM, then SIGKILL for what is left after `patience_s`."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGTERM)
        deadline_s = time.monotonic() + patience_s
        while time.monotonic() < deadline_s:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            os.killpg(pid, 0)
            time.sleep(0.05)
        os.killpg(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True

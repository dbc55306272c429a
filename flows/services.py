"""What `gleanery up` runs: the Prefect server, a worker for each work pool, and the web app.

Their state stands under `<root>/services/`: `state.json` (process ids, addresses), logs, and Prefect's own database,
so that a restart of everything loses nothing.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from catalog import files
from catalog.config import Config, config_environment
from catalog.errors import GleaneryError, UsageError
from catalog.file_locks import lock_file, try_lock
from flows.recovery import Recovery
from flows.supervisor import Service, Supervisor, is_alive, stop_group
from flows.watch import HEARTBEAT_S, Watch

WORK_POOLS = ("cpu", "gpu")
STATE_NAME = "state.json"
_WORKER_LIMITS = {"cpu": 2, "gpu": 1}
"""Flow runs at once per worker; one training per device."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a person finds things."""

    dashboard: str
    review: str
    web: str

    @classmethod
    def of(cls, config: Config) -> Addresses:
        """Work them out from the settings."""
        web = f"http://{config.prefect_host}:{config.web_port}"
        return cls(dashboard=f"http://{config.prefect_host}:{config.prefect_port}", review=f"{web}/", web=web)


def prefect_home(config: Config) -> Path:
    """Give the folder where the Prefect server keeps its database and what it gave up on."""
    return config.data_root.services.absolute() / "prefect"


def service_environment(config: Config) -> dict[str, str]:
    """Environment of all services and of the flow runs that workers start.

    Raises:
        UsageError: the server would listen beyond loopback without an auth string.
    """
    if not config.auth and not is_loopback(config.prefect_host):
        raise UsageError(
            f"prefect_host is {config.prefect_host}: set auth = 'user:password' to listen beyond loopback"
        )
    # The packages stand beside this one, in a checkout and when installed; worker children must find them too.
    packages = str(Path(__file__).resolve().parent.parent)
    environment = {
        **os.environ,
        **config_environment(config),
        # Workers start flow runs as `python`.
        "PATH": os.pathsep.join(filter(None, [str(Path(sys.executable).parent), os.environ.get("PATH", "")])),
        "PYTHONPATH": os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH", "")])),
        "PREFECT_HOME": str(prefect_home(config)),
        "PREFECT_API_URL": f"{Addresses.of(config).dashboard}/api",
        # Set by variable, not by --port: the dashboard would call port 4200 otherwise.
        "PREFECT_SERVER_API_HOST": config.prefect_host,
        "PREFECT_SERVER_API_PORT": str(config.prefect_port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS": "8",
        # What our packages log in a flow run stands in the run's log.
        "PREFECT_LOGGING_EXTRA_LOGGERS": "spiders,curation,training,flows",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_S),
        # Prefect's own database does not grow for ever.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    }
    if config.auth:
        environment["PREFECT_SERVER_API_AUTH_STRING"] = config.auth
        environment["PREFECT_API_AUTH_STRING"] = config.auth
    return environment


def use_server(config: Config) -> None:
    """Make this process talk to the server of `gleanery up`; call it before Prefect is imported."""
    # A person sees bars; what runs log stands on the dashboard.
    os.environ.update({**service_environment(config), "PREFECT_LOGGING_LEVEL": "WARNING"})


def load_state(config: Config) -> dict[str, Any] | None:
    """Read who runs; None where nothing does (a state left by a killed supervisor counts as nothing)."""
    path = config.data_root.services / STATE_NAME
    with contextlib.suppress(OSError, ValueError):
        state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if is_alive(int(state["pid"])):
            return state
    return None


def run_services(config: Config) -> None:
    """Start everything, keep it running until SIGTERM or Ctrl-C, then stop it; returns when all is stopped.

    Raises:
        UsageError: it runs already, or a port is taken.
        GleaneryError: a service does not come up; names its log.
    """
    folder = config.data_root.services
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one(folder):
        _stop_leftovers(folder / STATE_NAME)
        for setting in ("prefect_port", "web_port"):
            _refuse_taken_port(config.prefect_host, getattr(config, setting), setting)
        environment = service_environment(config)
        supervisor = Supervisor(folder / "logs", environment)
        stopping = _StopSignal()
        api = f"{Addresses.of(config).dashboard}/api"
        watch, recovery = Watch(config, api, folder / "logs"), Recovery(config, api)
        for pool in WORK_POOLS:
            recovery.worker_died(pool)  # the one of an earlier `up`, which may have been killed
        try:
            _write_state(folder, supervisor, is_ready=False)
            _start_all(supervisor, config, environment)
            _write_state(folder, supervisor, is_ready=True)
            while not stopping.is_set:
                _restart_dead(supervisor, recovery, folder)
                recovery.attend()
                watch.look()
                time.sleep(0.5)
        except KeyboardInterrupt:
            pass  # asked to stop: that is how it ends well
        except (TimeoutError, ChildProcessError) as error:
            raise GleaneryError(str(error)) from error
        finally:
            stopping.ignore()  # a second Ctrl-C must not leave half of it running
            supervisor.stop()
            (folder / STATE_NAME).unlink(missing_ok=True)


def _restart_dead(supervisor: Supervisor, recovery: Recovery, folder: Path) -> None:
    for pool in WORK_POOLS:
        if f"worker-{pool}" in supervisor.dead():
            recovery.worker_died(pool)
    if supervisor.check():
        _write_state(folder, supervisor, is_ready=True)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the services of a data root; the lock falls with the process.

    Raises:
        UsageError: another process holds them.
    """
    with lock_file(folder / "up.lock") as handle:
        if not try_lock(handle):
            raise UsageError("gleanery is up already; `gleanery status` says where, `gleanery down` stops it")
        yield


def _write_state(folder: Path, supervisor: Supervisor, *, is_ready: bool) -> None:
    state = {"pid": os.getpid(), "services": supervisor.pids(), "is_ready": is_ready}
    files.write_text(folder / STATE_NAME, json.dumps(state, indent=1))


def start_detached(config: Config, patience_s: float = 400.0) -> dict[str, Any]:
    """Start `run_services` in a process of its own that outlives this one; returns its state once all is ready.

    Raises:
        GleaneryError: it ended or was not ready in time; names its log.
    """
    running = load_state(config)
    if running is not None and running["is_ready"]:
        return running
    environment = service_environment(config)  # a wrong setting is told here, not in a log
    folder = config.data_root.services.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "logs" / "up.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "up"],
            env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    deadline_s = time.monotonic() + patience_s
    while time.monotonic() < deadline_s:
        state = load_state(config)
        if state is not None and state["is_ready"]:
            return state
        if process.poll() is not None and state is None:  # where another one comes up, that is the one to wait for
            raise GleaneryError(f"the services did not come up: {log.read_text(errors='replace').strip()[-2000:]}")
        time.sleep(0.2)
    stop_group(process.pid)
    raise GleaneryError(f"the services were not ready within {patience_s:.0f} s; see {log.parent}")


def stop_services(config: Config, patience_s: float = 60.0) -> bool:
    """Stop what `run_services` started, wherever it runs; tells whether anything ran.

    Raises:
        GleaneryError: it does not stop in time.
    """
    state = load_state(config)
    if state is None:
        return _stop_leftovers(config.data_root.services / STATE_NAME)
    pid = int(state["pid"])
    os.kill(pid, signal.SIGTERM)
    deadline_s = time.monotonic() + patience_s
    while is_alive(pid):
        if time.monotonic() > deadline_s:
            raise GleaneryError(f"the services (process {pid}) did not stop within {patience_s:.0f} s")
        time.sleep(0.1)
    return True


def _start_all(supervisor: Supervisor, config: Config, environment: dict[str, str]) -> None:
    python = sys.executable
    addresses = Addresses.of(config)
    supervisor.start(
        Service(
            name="prefect-server",
            command=[python, "-m", "flows.prefect_server"],
            is_ready=lambda: answers(f"{addresses.dashboard}/api/health"),
        )
    )
    declared = subprocess.run(
        [python, "-m", "flows.deployments"], env=environment, capture_output=True, text=True, check=False
    )
    if declared.returncode != 0:
        raise ChildProcessError(f"the deployments could not be declared: {declared.stderr.strip()[-2000:]}")
    for pool in WORK_POOLS:
        command = [python, "-m", "prefect", "worker", "start", "--pool", pool, "--type", "process"]
        limit = ["--limit", str(_WORKER_LIMITS[pool]), "--name", f"gleanery-{pool}"]
        supervisor.start(Service(name=f"worker-{pool}", command=[*command, *limit]))
    supervisor.start(
        Service(
            name="web",
            command=[python, "-m", "flows.web"],
            is_ready=lambda: answers(f"{addresses.web}/health"),
        )
    )


class _StopSignal:
    """Becomes set on SIGTERM or SIGINT."""

    def __init__(self) -> None:
        self.is_set = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._set)

    def _set(self, _number: int, _frame: FrameType | None) -> None:
        if not self.is_set:
            self.is_set = True
            raise KeyboardInterrupt  # leaves a wait for readiness at once

    def ignore(self) -> None:
        """Be deaf from now on: what is stopping is not to be stopped."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)


def answers(url: str, timeout_s: float = 2.0) -> bool:
    """Tell whether a loopback address answers 200."""
    import requests

    try:
        return requests.get(url, timeout=timeout_s).status_code == requests.codes.ok
    except requests.RequestException:
        return False


def port_is_free(host: str, port: int) -> bool:
    """Tell whether a TCP port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _refuse_taken_port(host: str, port: int, setting: str) -> None:
    if not port_is_free(host, port):
        raise UsageError(f"port {port} is taken by another program: set {setting} (GLEANERY_{setting.upper()})")


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _stop_leftovers(state_path: Path) -> bool:
    """End services whose supervisor was killed; tells whether there were any."""
    try:
        services: dict[str, int] = json.loads(state_path.read_text(encoding="utf-8"))["services"]
    except (OSError, ValueError, KeyError):
        return False
    stopped = False
    for pid in services.values():
        if is_alive(pid) and _is_ours(pid):
            stop_group(pid)
            stopped = True
    state_path.unlink(missing_ok=True)
    return stopped


def _is_ours(pid: int) -> bool:
    """Tell whether a process was started by us: process ids are used again after a while."""
    try:
        return b"GLEANERY_ROOT=" in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False

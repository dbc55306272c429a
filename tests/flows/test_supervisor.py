from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from flows.supervisor import Service, Supervisor, is_alive, stop_group


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _wait_until(condition: object, patience_s: float = 10.0) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def test_a_killed_service_is_started_again(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, os.environ)
    supervisor.start(Service(name="sleeper", command=_python("import time; time.sleep(60)")))
    first = supervisor.pids()["sleeper"]
    os.kill(first, signal.SIGKILL)
    _wait_until(supervisor.check)
    second = supervisor.pids()["sleeper"]
    assert second != first
    assert is_alive(second)
    supervisor.stop()
    assert not is_alive(second)


def test_grandchildren_end_too(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(marker)!r}, 'w').write(str(child.pid)); time.sleep(60)\n"
    )
    supervisor = Supervisor(tmp_path, os.environ)
    supervisor.start(
        Service(name="parent", command=_python(code), is_ready=lambda: marker.exists() and bool(marker.read_text()))
    )
    supervisor.stop()
    grandchild = int(marker.read_text())
    _wait_until(lambda: not is_alive(grandchild))


def test_a_service_that_ends_at_once_names_its_log(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, os.environ)
    with pytest.raises(ChildProcessError, match=r"code 3; see .*broken\.log"):
        supervisor.start(Service(name="broken", command=_python("raise SystemExit(3)"), is_ready=lambda: False))
    supervisor.stop()


def test_a_service_that_is_never_ready_is_a_timeout(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, os.environ)
    with pytest.raises(TimeoutError, match="slow"):
        supervisor.start(
            Service(name="slow", command=_python("import time; time.sleep(60)"), is_ready=lambda: False),
            patience_s=0.3,
        )
    supervisor.stop()


def test_what_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, os.environ)
    marker = tmp_path / "ready"
    code = (
        "import pathlib, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(marker)!r}).touch(); time.sleep(60)"
    )
    supervisor.start(Service(name="deaf", command=_python(code), is_ready=marker.exists))
    pid = supervisor.pids()["deaf"]
    stop_group(pid, patience_s=0.3)
    _wait_until(lambda: not is_alive(pid))
    supervisor.stop()

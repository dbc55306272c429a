from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from catalog.config import Config
from catalog.errors import GleaneryError
from flows.recovery import Recovery, reschedule_lost

BEFORE, DEATH, AFTER = (f"2026-11-21T12:00:{second:02d}Z" for second in (0, 10, 20))
DIED_AT = datetime(2026, 11, 21, 12, 0, 10, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict[str, Any]], list[str]]]:
    """An API that has some pending runs, and keeps which were scheduled anew."""
    pending: list[dict[str, Any]] = []
    scheduled: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/flow_runs/filter":
                answer: Any = pending
            else:
                assert body["state"]["type"] == "SCHEDULED"
                scheduled.append(self.path.split("/")[2])
                answer = {}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            return

    api = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{api.server_port}", pending, scheduled
    api.shutdown()
    api.server_close()


def _run(name: str, taken_at: str) -> dict[str, Any]:
    return {"id": f"id-{name}", "name": name, "state": {"type": "PENDING", "timestamp": taken_at}}


def test_only_what_the_dead_worker_took_and_never_started_is_brought_back(
    server: tuple[str, list[dict[str, Any]], list[str]],
) -> None:
    api, pending, scheduled = server
    pending += [_run("lost", BEFORE), _run("of-the-next-worker", AFTER), _run("starting", BEFORE)]
    code = "print('up', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], env={"PREFECT__FLOW_RUN_ID": "id-starting"}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        assert reschedule_lost(Config(), api, "cpu", DIED_AT) == ["lost"]
        process.kill()
    assert scheduled == ["id-lost"]


def test_a_server_that_is_away_is_asked_again(server: tuple[str, list[dict[str, Any]], list[str]]) -> None:
    api, pending, scheduled = server
    with pytest.raises(GleaneryError, match="does not answer"):
        reschedule_lost(Config(), "http://127.0.0.1:9", "cpu", DIED_AT)
    recovery = Recovery(Config(), "http://127.0.0.1:9")
    recovery.worker_died("cpu")
    recovery.attend()
    pending.append(_run("lost", "2020-01-01T00:00:00Z"))
    recovery._api = api  # it is back
    recovery.attend()
    recovery.attend()
    assert scheduled == ["id-lost"], "told more than once, or never"

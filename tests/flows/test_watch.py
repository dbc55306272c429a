from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from catalog.config import Config
from flows.watch import DISK_LOW, Watch, shorten_log


@pytest.fixture
def posted() -> Iterator[tuple[str, list[Any]]]:
    """An address that keeps what is posted to it."""
    seen: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()


def test_a_full_disk_is_told_once_in_a_while(tmp_path: Path, posted: tuple[str, list[Any]]) -> None:
    address, seen = posted
    more_than_there_is = shutil.disk_usage(tmp_path).total // 2**30 + 1
    watch = Watch(Config(root=tmp_path, disk_min_gib=more_than_there_is), address, tmp_path)
    watch.look()
    watch._next_look_s = 0.0  # a minute later
    watch.look()
    ((path, (event,)),) = seen
    assert (path, event["event"]) == ("/events", DISK_LOW)
    assert f"{more_than_there_is} GiB are wanted" in event["payload"]["detail"]


def test_a_disk_with_room_is_no_news(tmp_path: Path, posted: tuple[str, list[Any]]) -> None:
    address, seen = posted
    Watch(Config(root=tmp_path, disk_min_gib=0), address, tmp_path).look()
    assert seen == []


def test_a_long_log_is_cut_under_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "worker.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        assert not shorten_log(path, max_bytes=100)
        writer.write(b"y")
        assert shorten_log(path, max_bytes=100)
        writer.write(b"after")
    assert path.read_bytes() == b"after"
    assert (tmp_path / "worker.log.1").stat().st_size == 101

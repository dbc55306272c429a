"""Serves a world on loopback: every site on its own 127.0.0.N, all on one port.

`serve` blocks; `running` runs the server in a child process, for tests. Each request is one JSON line in the log:
`{"at_s", "host", "path", "status", "user_agent", "conditional"}`, `at_s` on the machine's monotonic clock.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TextIO

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sampleweb.answers import Answers
from sampleweb.images import ImageStore
from sampleweb.world import DEFAULT_PORT, World

READY_WITHIN_S = 30.0


def make_app(answers: Answers, log: TextIO | None) -> Starlette:
    """Make the one application that answers for all sites, told apart by the Host header."""

    async def handle(request: Request) -> Response:
        host = request.headers.get("host", "").rsplit(":", 1)[0] or str((request.scope.get("server") or ("",))[0])
        # Scrapy and browsers ask for /robots.txt and images alike; rendering is short enough for the event loop.
        answer = answers.answer(
            host,
            request.url.path,
            request.url.query,
            request.headers.get("if-none-match", ""),
            request.headers.get("if-modified-since", ""),
        )
        if log is not None:
            _write_line(log, request, host, answer.status)
        if answer.wait_s:
            await asyncio.sleep(answer.wait_s)
        return Response(answer.body, answer.status, dict(answer.headers))

    return Starlette(routes=[Route("/{path:path}", handle, methods=["GET", "HEAD"])])


def _write_line(log: TextIO, request: Request, host: str, status: int) -> None:
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    line = {
        "at_s": round(time.monotonic(), 6),
        "host": host,
        "path": path,
        "status": status,
        "user_agent": request.headers.get("user-agent", ""),
        "conditional": "if-none-match" in request.headers or "if-modified-since" in request.headers,
    }
    log.write(json.dumps(line, ensure_ascii=False) + "\n")
    log.flush()


def bind(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Open a listening socket on every address.

    Raises:
        ValueError: an address outside 127.0.0.0/8: the sample web is never shown to a network.
        OSError: an address is taken; the message names it.
    """
    sockets = []
    for host in hosts:
        if not host.startswith("127."):
            raise ValueError(f"the sample web listens on loopback only, not on {host}")
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            for opened in (*sockets, listener):
                opened.close()
            raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
        listener.listen(256)
        sockets.append(listener)
    return sockets


def free_port(hosts: Sequence[str] = ("127.0.0.1",)) -> int:
    """Give a port that is free at this moment on all the addresses.

    Raises:
        OSError: twenty ports in a row were taken on some address.
    """
    for attempt in range(20):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((hosts[0], 0))
            port = int(probe.getsockname()[1])
        try:
            for listener in bind(hosts, port):
                listener.close()
            return port
        except OSError:
            if attempt == 19:
                raise
    raise AssertionError


def serve(
    world: World,
    port: int = DEFAULT_PORT,
    log_path: Path | None = None,
    hosts: Sequence[str] | None = None,
    cache_folder: Path | None = None,
) -> None:
    """Serve until interrupted.

    Args:
        world: what is served.
        port: the same on every address.
        log_path: request log, appended to; None writes none.
        hosts: addresses to listen on; all of the world's where None.
        cache_folder: keeps rendered images between processes.
    """
    _run(world, bind(tuple(hosts or world.hosts), port), port, log_path, cache_folder)


def _run(
    world: World, sockets: list[socket.socket], port: int, log_path: Path | None, cache_folder: Path | None
) -> None:
    answers = Answers(world, port, ImageStore(cache_folder))
    with ExitStack() as stack:
        log = None
        if log_path is not None:
            log_path.parent.mkdir(parents=True, exist_ok=True)
            log = stack.enter_context(log_path.open("a", encoding="utf-8"))
        app = make_app(answers, log)
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_keep_alive=30)
        uvicorn.Server(config).run(sockets=sockets)


def _serve_child(world: World, port: int, log_path: Path | None, cache_folder: Path | None, is_ready: Event) -> None:
    sockets = bind(world.hosts, port)
    is_ready.set()
    _run(world, sockets, port, log_path, cache_folder)


@contextmanager
def running(
    world: World,
    port: int | None = None,
    log_path: Path | None = None,
    cache_folder: Path | None = None,
) -> Iterator[int]:
    """Serve in a child process while the block runs.

    Args:
        world: what is served.
        port: None or 0 takes a free one.
        log_path: request log; None writes none.
        cache_folder: keeps rendered images between processes.

    Yields:
        The port.

    Raises:
        RuntimeError: the server died or did not answer within `READY_WITHIN_S`.
    """
    chosen = port or free_port(world.hosts)
    context = multiprocessing.get_context("spawn")
    is_ready = context.Event()
    child = context.Process(target=_serve_child, args=(world, chosen, log_path, cache_folder, is_ready), daemon=True)
    child.start()
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while not is_ready.wait(0.1):
            # Whether something answers on the port would not do: it may be another program's.
            if not child.is_alive():
                raise RuntimeError(
                    f"the sample web ended with exit code {child.exitcode} before it listened on {chosen}"
                )
            if time.monotonic() > deadline:
                raise RuntimeError(f"the sample web did not listen on port {chosen} within {READY_WITHIN_S} s")
        yield chosen
    finally:
        child.terminate()
        child.join(5)
        if child.is_alive():
            child.kill()
            child.join()

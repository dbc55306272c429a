"""Serves a world on loopback: each site at an address of its own, 127.0.0.N, all on one port.

Bodies of pictures are drawn when they are first asked for and kept in memory. Every request is written to a log of
JSON lines, so that a test can ask what was fetched, how often and how fast.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import multiprocessing
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sampleweb.cache import RenderCache
from sampleweb.world import Served, Site, World

DEFAULT_PORT = 8765
_MODIFIED = "Sun, 01 Feb 2026 08:00:00 GMT"
_SLOW_S = 1.0
_CHALLENGE = (
    b"<html><head><title>Captcha Interception</title></head><body><script>window._config_ = {action: 'captcha',"
    b" url: '/_____tmd_____/punish?x5secdata=xa'};</script><p>Slide to verify</p></body></html>"
)
ORIGIN = b"{{origin}}"
"""Stands in bodies for the site's own address, which has a port only once it is served."""


class Answers:
    """Answers requests for all sites of a world."""

    def __init__(self, world: World, log: IO[str] | None, cache: RenderCache) -> None:
        self._sites = {site.host: site for site in world.sites}
        self._log = log
        self._cache = cache
        self._seen: set[tuple[str, str]] = set()

    async def answer(self, request: Request) -> Response:
        """Answer one request, and write it to the log."""
        host = request.url.hostname or ""
        site = self._sites.get(host)
        response = Response("no such site", 404) if site is None else await self._answer_site(site, request)
        if self._log is not None:
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            line = {
                "at_s": time.monotonic(), "host": host, "path": path, "status": response.status_code,
                "user_agent": request.headers.get("user-agent", ""),
                "conditional": "if-none-match" in request.headers or "if-modified-since" in request.headers,
            }  # fmt: skip
            self._log.write(json.dumps(line) + "\n")
            self._log.flush()
        return response

    async def _answer_site(self, site: Site, request: Request) -> Response:
        path = request.url.path
        if path == "/robots.txt":
            return Response(site.robots, media_type="text/plain")
        if path.startswith("/calendar/") and path != "/calendar/":
            return _endless(path)
        key = _key(request)
        served = site.files.get(key)
        if served is None:
            return Response("<h1>404 Not Found</h1>", 404, media_type="text/html")
        first = (site.host, key) not in self._seen
        self._seen.add((site.host, key))
        if first and served.manner in ("once_429", "once_503"):
            return Response("come back later", int(served.manner[-3:]), headers={"Retry-After": "1"})
        if first and served.manner == "once_challenge":
            return Response(_CHALLENGE, media_type="text/html")
        if served.manner == "slow":
            await asyncio.sleep(_SLOW_S)
        return await asyncio.to_thread(self._body_of, served, request)

    def _body_of(self, served: Served, request: Request) -> Response:
        body, content_type = served.body, served.content_type
        if served.picture is not None:
            body, content_type = self._cache.get(served.picture)
        elif ORIGIN in body:
            body = body.replace(ORIGIN, f"http://{request.url.netloc}".encode())
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"ETag": etag, "Last-Modified": _MODIFIED, **served.headers}
        asked = request.headers
        # A date counts only where no tag is given (RFC 9110, 13.1.3): files change within the second.
        is_known = asked["if-none-match"] == etag if "if-none-match" in asked else _is_since(asked)
        if served.status == 200 and is_known:
            return Response(status_code=304, headers=headers)
        return Response(
            body, served.status, headers=headers | ({"Content-Type": content_type} if content_type else {})
        )


def _is_since(asked: Headers) -> bool:
    return asked.get("if-modified-since") == _MODIFIED


def _key(request: Request) -> str:
    """The part of an address that tells files apart: of queries only the page, and whose reviews."""
    path, query = request.url.path, request.query_params
    page = query.get("page", "1")
    if "productId" in query:
        return f"{path}?productId={query['productId']}&page={page}"
    return path if page == "1" else f"{path}?page={page}"


def _endless(path: str) -> Response:
    """A calendar that always has a next month."""
    digits = [part for part in path.split("/") if part.isdigit()]
    year, month = (int(digits[0]), int(digits[1])) if len(digits) > 1 else (2026, 1)
    year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return Response(f"<h1>Calendar</h1><a href='/calendar/{year}/{month}/'>next</a>", media_type="text/html")


def serve(
    world: World, port: int = DEFAULT_PORT, log_path: Path | None = None, cache_folder: Path | None = None
) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Args:
        world: what to serve.
        port: one for all addresses.
        log_path: the request log is appended there.
        cache_folder: drawn pictures are kept there.

    Raises:
        OSError: the port is taken on one of the addresses.
    """
    log = log_path.open("a", encoding="utf-8") if log_path is not None else None
    app = Starlette(routes=[Route("/{path:path}", Answers(world, log, RenderCache(cache_folder)).answer)])
    sockets = []
    for site in world.sites:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((site.host, port))
        sockets.append(listening)
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    uvicorn.Server(config).run(sockets=sockets)


def free_port() -> int:
    """Find a port that is free now on 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    world: World, port: int, log_path: Path | None = None, cache_folder: Path | None = None, patience_s: float = 30.0
) -> Iterator[int]:
    """Serve in a child process while the block runs; yields the port.

    Raises:
        TimeoutError: the server did not come up.
    """
    # Spawned, not forked: the caller may have threads.
    child = multiprocessing.get_context("spawn").Process(
        target=serve, args=(world, port, log_path, cache_folder), daemon=True
    )
    child.start()
    try:
        deadline_s = time.monotonic() + patience_s
        while not _listens(world.sites[-1].host, port):
            if time.monotonic() > deadline_s or not child.is_alive():
                raise TimeoutError(f"the sample web did not come up on port {port}")
            time.sleep(0.05)
        yield port
    finally:
        child.terminate()
        child.join(5)
        if child.is_alive():
            child.kill()
            child.join()


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def load_log(path: Path) -> list[dict[str, object]]:
    """Read a request log; an unfinished last line is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]

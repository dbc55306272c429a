"""The filter between the browser and the net: a proxy on loopback that applies the address rule to every connection.

All of the browser's traffic comes through here, loopback and web sockets included (Chromium tunnels them with
CONNECT), so that neither redirects nor scripts get round the rule. It connects to what it judged, not to a name.
Navigations over plain http are asked for in robots.txt first; inside a TLS tunnel nothing can be read, so there the
page's final address is judged by `spiders.fetch.browser` after it has loaded.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from catalog.errors import PolicyRefused
from spiders.policy import address

_HEAD_BYTES = 64 * 1024
_CHUNK_BYTES = 64 * 1024
_CONNECTION_BYTES = 64 * 1024 * 1024
"""More than this from one connection is cut off."""
_IDLE_S = 60.0

MayVisit = Callable[[str], Awaitable[bool]]
"""Asks robots.txt about a page's address."""


class FilterProxy:
    """A proxy for one browser pool.

    Args:
        allow_loopback: the source's address rule.
        may_visit: asked before a page is fetched over plain http.
    """

    def __init__(self, allow_loopback: bool, may_visit: MayVisit) -> None:
        self._allow_loopback = allow_loopback
        self._may_visit = may_visit
        self._server: asyncio.Server | None = None
        self.refused: list[str] = []
        """What was asked for and not given: hosts, or addresses of pages."""

    async def open(self) -> int:
        """Begin to listen on loopback; gives the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_HEAD_BYTES)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _IDLE_S)
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            if method == "CONNECT":
                await self._tunnel(target, reader, writer)
            else:
                await self._forward(method, target, head, reader, writer)
        except PolicyRefused as error:
            self.refused.append(str(error))
            writer.write(b"HTTP/1.1 403 Refused by policy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except (OSError, ValueError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            writer.write(b"HTTP/1.1 502 No answer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        finally:
            await _end(writer)

    async def _tunnel(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(f"//{target}")
        far = await self._connect(parts.hostname or "", parts.port or 443)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _pump_both((reader, writer), far)

    async def _forward(
        self, method: str, target: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        address.check_url(target, self._allow_loopback)
        lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")[1:]
        names = {line.partition(":")[0].strip().lower(): line.partition(":")[2].strip() for line in lines}
        if _is_navigation(names) and not await self._may_visit(target):
            raise PolicyRefused("policy_robots", target)
        parts = urlsplit(target)
        far = await self._connect(parts.hostname or "", parts.port or 80)
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        kept = [line for line in lines if not line.lower().startswith(("proxy-", "connection:"))]
        far[1].write("\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]).encode("latin-1"))
        await _pump_both((reader, writer), far)

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Resolve, judge, and connect to what was judged."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        allowed = [str(info[4][0]) for info in found if address.may_connect(str(info[4][0]), self._allow_loopback)]
        if not allowed:
            raise address.refused(host, self._allow_loopback)
        return await asyncio.wait_for(asyncio.open_connection(allowed[0], port), _IDLE_S)


def _is_navigation(headers: dict[str, str]) -> bool:
    """Tell a page or frame from what it loads: Chromium says so in one header or the other."""
    return headers.get("sec-fetch-dest") in ("document", "iframe", "frame") or "upgrade-insecure-requests" in headers


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _pump_both(near: Stream, far: Stream) -> None:
    """Pass bytes both ways until the far side ends or nothing comes any more."""
    upward = asyncio.ensure_future(_pump(near[0], far[1]))
    try:
        await _pump(far[0], near[1])
    finally:
        upward.cancel()
        await _end(far[1])


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    total = 0
    try:
        while total < _CONNECTION_BYTES:
            data = await asyncio.wait_for(reader.read(_CHUNK_BYTES), _IDLE_S)
            if not data:
                return
            total += len(data)
            writer.write(data)
            await writer.drain()
    except (OSError, TimeoutError):
        return


async def _end(writer: asyncio.StreamWriter) -> None:
    try:
        writer.close()
        await writer.wait_closed()
    except OSError:
        return

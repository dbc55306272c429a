"""A `requests` session under the same rules as the crawler: for commands that look at a page or two."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from protego import Protego
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from catalog.errors import PolicyRefused
from spiders.policy import address
from spiders.policy.agent import ROBOT_NAME

_TIMEOUT_S = 30
_MAX_REDIRECTS = 5


class GuardedSession:
    """Fetches single pages: address rule at the connection, robots.txt first, bounded size, no proxy, no cookies kept.

    Args:
        user_agent: see `policy.agent`.
        allow_loopback: only loopback may be contacted; else only public addresses.
        max_bytes: larger bodies are refused.
    """

    def __init__(self, user_agent: str, allow_loopback: bool, max_bytes: int) -> None:
        self._allow_loopback = allow_loopback
        self._max_bytes = max_bytes
        self._robots: dict[str, Protego] = {}
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no .netrc
        self._session.headers["User-Agent"] = user_agent
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _GuardedAdapter(allow_loopback))

    def get(self, url: str) -> tuple[requests.Response, bytes]:
        """Fetch a page, following redirects under the same rules.

        Returns:
            The last response and its body.

        Raises:
            PolicyRefused: an address, robots.txt or a size forbids it.
            requests.RequestException: the net failed.
        """
        for _ in range(_MAX_REDIRECTS + 1):
            address.check_url(url, self._allow_loopback)
            if not self._robots_of(url).can_fetch(url, ROBOT_NAME):
                raise PolicyRefused("policy_robots", f"robots.txt of {urlsplit(url).netloc} disallows {url}")
            response, body = self._fetch(url)
            if not response.is_redirect:
                return response, body
            url = urljoin(url, response.headers["location"])
        raise PolicyRefused("fetch_failed", f"more than {_MAX_REDIRECTS} redirects, the last to {url}")

    def _fetch(self, url: str) -> tuple[requests.Response, bytes]:
        with self._session.get(url, timeout=_TIMEOUT_S, stream=True, allow_redirects=False) as response:
            body = b""
            for chunk in response.iter_content(65536):
                body += chunk
                if len(body) > self._max_bytes:
                    raise PolicyRefused("fetch_too_large", f"{url}: more than {self._max_bytes} bytes")
            return response, body

    def _robots_of(self, url: str) -> Protego:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._robots:
            self._robots[origin] = Protego.parse(self._robots_text(f"{origin}/robots.txt"))
        return self._robots[origin]

    def _robots_text(self, url: str) -> str:
        """Read robots.txt; one that breaks disallows all, one that is not there nothing."""
        for _ in range(_MAX_REDIRECTS + 1):
            address.check_url(url, self._allow_loopback)
            try:
                response, body = self._fetch(url)
            except requests.RequestException as error:
                if refusal := refusal_in(error):
                    raise refusal from None
                return "User-agent: *\nDisallow: /"
            if not response.is_redirect:
                break
            url = urljoin(url, response.headers["location"])
        if response.status_code >= 500 or response.status_code == 429:
            return "User-agent: *\nDisallow: /"
        return body.decode("utf-8", "replace") if response.ok else ""


def refusal_in(error: BaseException | None) -> PolicyRefused | None:
    """Find the policy's refusal inside what the network library made of it."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, PolicyRefused):
            return error
        inner = getattr(error, "reason", None) or next((a for a in error.args if isinstance(a, BaseException)), None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
        seen += 1
    return None


def _connect_judged(connection: Any, allow_loopback: bool) -> None:
    """Resolve a connection's host and pin it to an address that may be connected to."""
    found = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    allowed = [str(info[4][0]) for info in found if address.may_connect(str(info[4][0]), allow_loopback)]
    if not allowed:
        raise address.refused(connection.host, allow_loopback)
    connection._dns_host = allowed[0]  # what urllib3 connects to; the name stays for Host and TLS


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, allow_loopback: bool) -> None:
        self._allow_loopback = allow_loopback
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        allow_loopback = self._allow_loopback

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                _connect_judged(self, allow_loopback)
                return super()._new_conn()

        class Tls(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                _connect_judged(self, allow_loopback)
                return super()._new_conn()

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = Tls

        self.poolmanager = PoolManager(*args[:1])
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}

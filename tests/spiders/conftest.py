"""A web of a few pages that a test writes down, served on loopback, with a log of what was asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from catalog.config import Config
from catalog.paths import DataRoot


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "text/html; charset=utf-8"
    wait_s: float = 0.0


@dataclass
class Asked:
    at: float
    path: str
    headers: dict[str, str]
    status: int = 0
    sent_bytes: int = 0


class Web:
    """Paths and answers; an ETag is given and honoured for every body that is not told otherwise."""

    def __init__(self, host: str) -> None:
        self.answers: dict[str, Answer | Callable[[Asked], Answer]] = {}
        self.log: list[Asked] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                web.serve(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads = True
        self.origin = f"http://{host}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def url(self, path: str) -> str:
        return self.origin + path

    def asked(self, *prefixes: str) -> list[str]:
        return [entry.path for entry in self.log if entry.path.startswith(prefixes or "/")]

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        asked = Asked(time.monotonic(), handler.path, {k.lower(): v for k, v in handler.headers.items()})
        self.log.append(asked)
        found = self.answers.get(handler.path, Answer(status=404, body=b"gone"))
        answer = found(asked) if callable(found) else found
        time.sleep(answer.wait_s)
        tag = f'"{hash(answer.body) & 0xFFFFFFFF:x}"'
        headers = {"Content-Type": answer.kind, "ETag": tag, **answer.headers}
        status, body = answer.status, answer.body
        if status == 200 and asked.headers.get("if-none-match") == headers["ETag"]:
            status, body = 304, b""
        asked.status, asked.sent_bytes = status, len(body)
        try:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            if status != 304:
                handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        except OSError:
            handler.close_connection = True

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def make_web() -> Iterator[Callable[[str], Web]]:
    webs: list[Web] = []

    def make(host: str = "127.0.0.31") -> Web:
        webs.append(Web(host))
        return webs[-1]

    yield make
    for web in webs:
        web.close()


@pytest.fixture
def web(make_web: Callable[[str], Web]) -> Web:
    return make_web("127.0.0.31")


@pytest.fixture
def root(tmp_path) -> DataRoot:
    return DataRoot(tmp_path / "store")


@pytest.fixture
def config() -> Config:
    return Config()


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


PEOPLE = ("Anna Weber", "Jonas Keller", "Mira Vogt", "Paul Brandt", "Lena Hofer", "Emil Krause")


def picture(number: int) -> bytes:
    """A PNG of its own, too small to look at: fetching never decodes."""
    return b"\x89PNG\r\n\x1a\n" + b"picture %d " % number * 40


def staff_page(people: dict[str, str], extra: str = "", head: str = "") -> bytes:
    """Cards of people; the value is the address of the portrait."""
    cards = "".join(
        f'<li class="card"><img src="{image}" alt="{name}" width="150" height="200"><h3>Dr. {name}</h3>'
        f"<p>Research associate</p></li>"
        for name, image in people.items()
    )
    page = (
        f"<html><head><title>Our staff</title>{head}</head><body><h1>Staff</h1><ul>{cards}</ul>{extra}</body></html>"
    )
    return page.encode()


@pytest.fixture
def staff_site(web: Web) -> Web:
    """Six people with a portrait each under /img/."""
    web.answers["/staff"] = Answer(staff_page({name: f"/img/{n}.png" for n, name in enumerate(PEOPLE)}))
    for number in range(len(PEOPLE)):
        web.answers[f"/img/{number}.png"] = Answer(picture(number), kind="image/png")
    return web


@pytest.fixture
def page_of() -> Callable[..., bytes]:
    return staff_page


@pytest.fixture
def picture_of() -> Callable[[int], bytes]:
    return picture


@pytest.fixture
def people() -> tuple[str, ...]:
    return PEOPLE

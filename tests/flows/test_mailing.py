from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from catalog.config import Config
from catalog.errors import UsageError
from flows.mailing import send_mail


@pytest.fixture
def mail_server() -> Iterator[tuple[int, list[bytes]]]:
    """A mail server that takes everything and keeps the letters."""
    letters: list[bytes] = []

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline().strip().upper():
                if line.startswith(b"DATA"):
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    letters.append(b"".join(lines))
                self.wfile.write(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 well\r\n")
                if line.startswith(b"QUIT"):
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], letters
        server.shutdown()


def test_an_alert_is_mailed(mail_server: tuple[int, list[bytes]]) -> None:
    port, letters = mail_server
    config = Config(alert_email="ops@example.org", smtp_url=f"smtp://127.0.0.1:{port}")
    send_mail(config, "Gleanery: source rejected", "uni-cs: rejected: found 2 people, expected at least 10")
    (letter,) = letters
    assert b"To: ops@example.org" in letter
    assert b"Subject: Gleanery: source rejected" in letter
    assert b"uni-cs: rejected: found 2 people" in letter


@pytest.mark.parametrize("wrong", [{"smtp_url": ""}, {"smtp_url": "http://x"}, {"alert_email": ""}])
def test_half_a_setting_is_a_usage_error(wrong: dict[str, Any]) -> None:
    settings = {"alert_email": "ops@example.org", "smtp_url": "smtp://127.0.0.1", **wrong}
    with pytest.raises(UsageError, match="smtp_url"):
        send_mail(Config(**settings), "s", "t")

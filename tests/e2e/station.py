"""Everything up beside a small web, with a webhook and a mail server that alerts go to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sampleweb.server import running
from sampleweb.sources import source_toml
from sampleweb.world import World, build_world
from tests.e2e.command_line import CommandLine, command_line
from tests.e2e.prefect_server import PrefectServer, until
from tests.e2e.receivers import mail_server, webhook

ALERTS = {
    "GLEANERY_ALERT_EMAIL": "ops@example.org",
    "GLEANERY_STUCK_AFTER_HOURS": "0.01",  # 36 seconds
    "GLEANERY_DISK_MIN_GIB": "1000000",  # no disk has that much: it is nearly full
}


@dataclass(frozen=True)
class Station:
    line: CommandLine
    server: PrefectServer
    world: World
    alerts: list[Any]
    letters: list[bytes]
    folder: Path
    """For screenshots."""

    def declare(self, name: str, site: str, **changed: str) -> None:
        """Declare a site of the sample web under a name, with some lines changed."""
        text = source_toml(self.world.site(site), int(self.line.environment["GLEANERY_SAMPLEWEB_PORT"]))
        text = text.replace(f'"{site}"', f'"{name}"', 1)
        for key, new in changed.items():
            lines = [f"{key} = {new}" if line.startswith(f"{key} =") else line for line in text.splitlines()]
            text = "\n".join(lines) + "\n"
        folder = self.line.root / "sources"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.toml").write_text(text)

    def crawls(self, source: str) -> list[Path]:
        return sorted((self.line.root / "landing" / source).glob("*/run.json"))

    def alerted(self, what: str, word: str) -> Any:
        """Wait for an alert of a kind whose text holds a word, and give it."""
        found = until(lambda: [a for a in self.alerts if a["alert"] == what and word in a["text"]], f"alert {what!r}")
        return found[0]

    def process_of(self, run: str) -> int | None:
        """The process of a flow run, while it has one."""
        for pid in self.line.processes("prefect.engine"):
            try:
                if f"PREFECT__FLOW_RUN_ID={run}".encode() in Path(f"/proc/{pid}/environ").read_bytes():
                    return pid
            except OSError:
                continue
        return None


@contextmanager
def station_up(root: Path, folder: Path) -> Iterator[Station]:
    with webhook() as (address, alerts), mail_server() as (mail_port, letters):
        plain = command_line(root)
        told = {"GLEANERY_ALERT_WEBHOOK": address, "GLEANERY_SMTP_URL": f"smtp://127.0.0.1:{mail_port}"}
        line = CommandLine(plain.root, {**plain.environment, **ALERTS, **told})
        world = build_world(7, 0.1)
        with running(world, int(line.environment["GLEANERY_SAMPLEWEB_PORT"]), None, folder):
            station = Station(line, PrefectServer.of(line), world, alerts, letters, folder)
            station.declare("sample-uni1-cs", "sample-uni1-cs")
            line.run("up", "--detach")
            try:
                yield station
            finally:
                line.run("down")

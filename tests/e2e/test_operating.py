"""What an operator does: starts and stops everything, drives the dashboard, cancels, tries again, is alerted."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By

from sampleweb.server import free_port, running
from sampleweb.sources import source_toml
from sampleweb.world import World, build_world
from tests.e2e.browser import open_browser, press, sees, shows, wait_for
from tests.e2e.command_line import CommandLine, command_line
from tests.e2e.prefect_server import PrefectServer, until

pytestmark = [pytest.mark.slow, pytest.mark.prefect, pytest.mark.browser, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Station:
    """Everything up, beside a small web."""

    line: CommandLine
    server: PrefectServer
    world: World
    alerts: list[Any]
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


@pytest.fixture(scope="module")
def alerts() -> Iterator[tuple[str, list[Any]]]:
    """A webhook that keeps what it is told."""
    told: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    hook = HTTPServer(("127.0.0.1", free_port()), Handler)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{hook.server_port}/hook", told
    hook.shutdown()
    hook.server_close()


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory, alerts: tuple[str, list[Any]]) -> Iterator[Station]:
    plain = command_line(tmp_path_factory.mktemp("root"))
    line = CommandLine(plain.root, {**plain.environment, "GLEANERY_ALERT_WEBHOOK": alerts[0]})
    world = build_world(7, 0.1)
    folder = tmp_path_factory.mktemp("web")
    with running(world, int(line.environment["GLEANERY_SAMPLEWEB_PORT"]), None, folder):
        station = Station(line, PrefectServer.of(line), world, alerts[1], folder)
        station.declare("sample-uni1-cs", "sample-uni1-cs")
        line.run("up", "--detach")
        yield station
        line.run("down")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    driver = open_browser()
    yield driver
    driver.quit()


def test_a_second_up_says_that_it_is_running(station: Station) -> None:
    assert station.line.run("up", code=2) is not None
    assert station.line.json("status")["is_up"]


def test_a_deployment_is_run_from_the_dashboard(station: Station, browser: Any) -> None:
    deployment = station.server.deployment("collect/collect")["id"]
    home = f"{station.server.dashboard}/v2"
    shows(browser, f"{home}/deployments/deployment/{deployment}/run", "sources", "jitter_s", "Submit")
    press(browser, "Add item")
    field = wait_for(
        browser, lambda b: b.find_elements(By.CSS_SELECTOR, "textarea, .cm-content, li input"), "no field"
    )
    field[-1].send_keys("sample-uni1-*")
    browser.save_screenshot(str(station.folder / "form.png"))
    press(browser, "Submit")
    run = until(lambda: station.server.runs("collect/collect"), "the run")[0]["id"]
    assert station.server.ended(run)["type"] == "COMPLETED"
    shows(browser, f"{home}/runs/flow-run/{run}", "collect sample-uni1-*", "Completed", "1 sources collected")
    browser.save_screenshot(str(station.folder / "run.png"))
    press_tab(browser, "Artifacts")
    sees(browser, "sources")
    table = station.server.artifacts(run)["sources"]
    shows(browser, f"{home}/artifacts/artifact/{table['id']}", "sample-uni1-cs", "failure class", "last ten runs")
    browser.save_screenshot(str(station.folder / "sources.png"))
    assert any("crawl ended source=sample-uni1-cs state=ok" in line for line in station.server.logs(run))


def press_tab(browser: Any, name: str) -> None:
    tab = wait_for(browser, lambda b: b.find_element(By.XPATH, f"//*[@role='tab'][normalize-space()='{name}']"), name)
    tab.click()


def test_what_was_collected_is_curated_and_its_pictures_are_seen(station: Station, browser: Any) -> None:
    run = until(lambda: station.server.runs("curate/curate"), "the curation that follows the crawl")[0]["id"]
    assert station.server.ended(run)["type"] == "COMPLETED"
    shown = station.server.artifacts(run)
    assert {"majors-funnel", "majors-reasons", "majors-progress", "majors-sheet-kept"} <= shown.keys()
    browser.get(f"{station.server.dashboard}/v2/artifacts/artifact/{shown['majors-sheet-kept']['id']}")

    def is_drawn(driver: Any) -> bool:
        picture = driver.find_element(By.CSS_SELECTOR, "img[src*='/sheets/majors/kept.jpg']")
        return bool(driver.execute_script("return arguments[0].naturalWidth > 500", picture))

    wait_for(browser, is_drawn, "the contact sheet is not drawn")
    browser.save_screenshot(str(station.folder / "sheet.png"))


def test_a_rejected_source_is_named_alerted_and_tried_again_alone(station: Station) -> None:
    station.declare("sample-uni2-cs", "sample-uni2-cs", min="50")
    server = station.server
    run = server.start("collect/collect", sources=["sample-uni1-cs", "sample-uni2-cs"])
    state = server.ended(run)
    assert state["type"] == "FAILED"
    assert "1 of 2 sources: sample-uni2-cs: rejected: found" in state["message"]
    alert = until(lambda: [a for a in station.alerts if a["alert"] == "source rejected"], "the alert")[0]
    assert alert["text"].startswith("sample-uni2-cs: rejected: found")
    assert alert["event"] == "gleanery.source.rejected"
    good = len(station.crawls("sample-uni1-cs"))

    station.declare("sample-uni2-cs", "sample-uni2-cs")
    server.ask("POST", f"flow_runs/{run}/set_state", {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}})
    assert server.ended(run)["type"] == "COMPLETED"
    assert len(station.crawls("sample-uni2-cs")) == 2
    assert len(station.crawls("sample-uni1-cs")) == good, "a retry crawled what had gone well"


def test_a_cancelled_crawl_stops_at_once_and_leaves_nothing_half_done(station: Station) -> None:
    station.declare("slow-site", "sample-uni3-cs", delay_s="2.0")
    server = station.server
    run = server.start("collect/collect", sources=["slow-site"])
    landing = station.line.root / "landing" / "slow-site"
    until(lambda: list(landing.glob("*/records.jsonl")), "the first record")
    server.ask("POST", f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}})
    until(lambda: not _crawlers(station.line.root), "the end of the crawler", patience_s=10)
    assert server.ended(run)["type"] == "CANCELLED"
    assert station.crawls("slow-site") == [], "a run that was cut off counts as one"
    station.declare("slow-site", "sample-uni3-cs")
    assert [row["state"] for row in station.line.json("crawl", "slow-site")] == ["ok"]
    assert len(list(landing.iterdir())) == 1, "the next crawl did not go on from there"


def _crawlers(root: Path) -> list[int]:
    """Processes that hold the lock of the slow site."""
    lock = root / "services" / "locks" / "source-slow-site.lock"
    found = []
    for handles in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(handle.resolve() == lock for handle in handles.iterdir()):
                found.append(int(handles.parent.name))
        except OSError:
            continue
    return found


def test_a_paused_schedule_stays_paused_through_a_restart(station: Station, browser: Any) -> None:
    poller = station.server.deployment("continue-waiting/poller")["id"]
    shows(browser, f"{station.server.dashboard}/v2/deployments/deployment/{poller}", "Every 2 minutes")

    def is_paused() -> bool:
        """Press again where the first press came before the page listened."""
        if _is_active(station, "continue-waiting/poller"):
            press(browser, "toggle Every 2 minutes")
            time.sleep(4)
        return not _is_active(station, "continue-waiting/poller")

    until(is_paused, "the pause")
    browser.save_screenshot(str(station.folder / "paused.png"))
    station.line.run("down")
    assert not station.line.json("status", code=1)["is_up"]
    station.line.run("up", "--detach")
    assert not _is_active(station, "continue-waiting/poller")
    assert station.server.runs("collect/collect"), "the history is gone"


def _is_active(station: Station, deployment: str) -> bool:
    (schedule,) = station.server.deployment(deployment)["schedules"]
    return bool(schedule["active"])

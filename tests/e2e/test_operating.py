"""What an operator does: starts and stops everything, drives the dashboard, cancels, tries again, is alerted."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import torch
from selenium.webdriver.common.by import By

from tests.e2e.browser import open_browser, press, press_until, sees, shows, wait_for
from tests.e2e.prefect_server import until
from tests.e2e.station import Station, station_up
from tests.training.conftest import write_release

pytestmark = [pytest.mark.slow, pytest.mark.prefect, pytest.mark.browser, pytest.mark.timeout(900)]
ENDLESS = ["phases.train.epochs=100000", "phases.train.patience=0", "augment.copies=40", "machine.threads=1"]


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with station_up(tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("web")) as station:
        yield station


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
    run = press_until(browser, "Submit", lambda: station.server.runs("collect/collect"))[0]["id"]
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
    alert = station.alerted("source rejected", "sample-uni2-cs: rejected: found")
    assert alert["event"] == "gleanery.source.rejected"
    good = len(station.crawls("sample-uni1-cs"))

    station.declare("sample-uni2-cs", "sample-uni2-cs")
    server.ask("POST", f"flow_runs/{run}/set_state", {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}})
    assert server.ended(run)["type"] == "COMPLETED"
    assert len(station.crawls("sample-uni2-cs")) == 2
    assert len(station.crawls("sample-uni1-cs")) == good, "a retry crawled what had gone well"


def test_a_name_typed_into_the_takedown_form_is_refused_and_not_stored(station: Station) -> None:
    with pytest.raises(requests.HTTPError, match=r"409|422"):
        station.server.start("takedown/takedown", request_id="Ada Planted")
    assert station.server.runs("takedown/takedown") == []


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


def _is_in_feed(station: Station, event: str) -> bool:
    found = station.server.ask("POST", "events/filter", {"filter": {"event": {"name": [event]}}})
    return bool(found["events"])


def _is_told_everywhere(station: Station, what: str, word: str) -> None:
    alert = station.alerted(what, word)
    until(lambda: _is_in_feed(station, alert["event"]), f"{alert['event']} in the feed")
    subject = f"Subject: Gleanery: {what}".encode()
    until(lambda: any(subject in letter and word.encode() in letter for letter in station.letters), f"mail: {what}")


def test_a_disk_that_is_nearly_full_is_told(station: Station) -> None:
    _is_told_everywhere(station, "disk nearly full", "GiB are free, 1000000 GiB are wanted")


def test_a_site_that_blocks_is_told(station: Station) -> None:
    station.declare("blocked-site", "blocked-uni")
    state = station.server.ended(station.server.start("collect/collect", sources=["blocked-site"]))
    assert state["type"] == "FAILED"
    assert "blocked-site: blocked" in state["message"]
    _is_told_everywhere(station, "source blocked", "blocked-site: blocked")
    _is_told_everywhere(station, "run failed", "blocked-site: blocked")


def test_a_run_that_no_worker_takes_is_told(station: Station) -> None:
    _pause(station, "gpu", True)
    run = station.server.start("train/train", release="nothing")
    name = station.server.ask("GET", f"flow_runs/{run}")["name"]
    try:
        _is_told_everywhere(station, "run late", name)
    finally:
        station.server.ask("POST", f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLED"}})
        _pause(station, "gpu", False)


def _pause(station: Station, pool: str, is_paused: Any) -> None:
    station.server.ask("PATCH", f"work_pools/{pool}", {"is_paused": is_paused})


def test_a_run_that_goes_on_for_too_long_and_then_crashes_is_told(station: Station) -> None:
    station.declare("endless-site", "sample-uni3-cs", delay_s="30.0")
    run = station.server.start("collect/collect", sources=["endless-site"])
    _is_told_everywhere(station, "run stuck", "collect endless-site")
    pid = station.process_of(run)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert station.server.ended(run)["type"] == "CRASHED"
    _is_told_everywhere(station, "run crashed", "collect endless-site")


def _epochs(station: Station, run: str) -> list[int]:
    """Epochs that a run's log tells of, in order."""
    found = [re.search(r"training phase=train epoch=(\d+)", line) for line in station.server.logs(run)]
    return [int(match[1]) for match in found if match]


def _begin(station: Station) -> str:
    return station.server.start(
        "train/train", release="majors", task="classification", experiment="small_cnn", overrides=ENDLESS
    )


def _cancel(station: Station, run: str) -> None:
    station.server.ask("POST", f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}})
    until(lambda: station.process_of(run) is None, "the end of the training", patience_s=10)
    assert station.server.ended(run)["type"] == "CANCELLED"


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_cancelled_training_ends_at_once_and_is_taken_up(station: Station) -> None:
    root = station.line.root
    write_release(root / "releases" / "majors" / "2026-01-01.1")
    run = _begin(station)
    until(lambda: len(_epochs(station, run)) >= 2, "the second epoch")
    _cancel(station, run)

    (folder,) = root.glob("runs/classification/*")
    left = {name for name in _files(folder) if not name.startswith("tensorboard/")}
    assert left == {"run.json", "checkpoints/train/last.ckpt", "checkpoints/train/best.safetensors"}
    done = torch.load(folder / "checkpoints" / "train" / "last.ckpt", weights_only=True)["epoch"] + 1
    assert not list(root.glob("models/*/*")), "a model of a training that was cut off"

    again = _begin(station)
    until(lambda: _epochs(station, again), "an epoch of the second run")
    _cancel(station, again)
    assert _epochs(station, again)[0] == done + 1, "it did not go on after its last whole epoch"


def test_a_paused_schedule_stays_paused_through_a_restart(station: Station, browser: Any) -> None:
    poller = station.server.deployment("continue-waiting/poller")["id"]
    shows(browser, f"{station.server.dashboard}/v2/deployments/deployment/{poller}", "Every 2 minutes")
    press_until(browser, "toggle Every 2 minutes", lambda: not _is_active(station, "continue-waiting/poller"))
    browser.save_screenshot(str(station.folder / "paused.png"))
    station.line.run("down")
    assert not station.line.json("status", code=1)["is_up"]
    station.line.run("up", "--detach")
    assert not _is_active(station, "continue-waiting/poller")
    assert station.server.runs("collect/collect"), "the history is gone"


def _is_active(station: Station, deployment: str) -> bool:
    (schedule,) = station.server.deployment(deployment)["schedules"]
    return bool(schedule["active"])

"""The whole road, as `make demo` runs it: real services, a real browser, judged by the planted truth."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from sampleweb.server import load_log
from tests.e2e.command_line import CommandLine

pytestmark = [pytest.mark.slow, pytest.mark.prefect, pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def first(gleanery: CommandLine) -> Any:
    return gleanery.json("demo")


def test_the_demo_is_green(first: Any) -> None:
    assert first["is_green"], first
    assert first["leaks_count"] == 0
    assert first["tested_count"] >= 30
    assert first["accuracy"] > first["chance"]
    assert set(first["releases"]) == {"majors", "street2shop"}
    assert first["waiting"] == []


def test_nothing_forbidden_was_fetched(first: Any, gleanery: CommandLine) -> None:
    rows = load_log(gleanery.root / "sampleweb" / "requests.jsonl")
    assert len(rows) > 300
    assert not [row for row in rows if str(row["path"]).startswith("/private/")]
    calendars = [row for row in rows if str(row["path"]).startswith("/calendar/")]
    assert len(calendars) <= 40, "the endless calendar was followed"
    agents = {str(row["user_agent"]) for row in rows}
    # The browser names us too, behind its own name.
    assert all("gleanery" in agent.lower() for agent in agents), agents


def test_a_second_demo_does_only_what_is_new_and_changes_nothing(first: Any, gleanery: CommandLine) -> None:
    log = gleanery.root / "sampleweb" / "requests.jsonl"
    before = len(load_log(log))
    second = gleanery.json("demo")
    assert second["manifests"] == first["manifests"]
    assert second["releases"] == first["releases"]
    assert second["accuracy"] == first["accuracy"]
    again = load_log(log)[before:]
    pictures = [row for row in again if re.search(r"\.(jpg|png|gif|webp)$", str(row["path"]))]
    fresh = [row for row in pictures if row["status"] == 200]
    assert pictures
    # What never was a picture (HTML under a picture's name) is looked at again; nothing else is.
    assert len(fresh) <= 0.05 * len(pictures), fresh[:5]


@pytest.fixture(scope="module")
def browser() -> Any:
    options = webdriver.ChromeOptions()
    flags = "headless=new no-sandbox disable-gpu disable-quic no-first-run disable-background-networking"
    for flag in f"{flags} disable-component-update disable-sync window-size=1400,1000".split():
        options.add_argument(f"--{flag}")
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


def _shows(browser: Any, address: str, *texts: str) -> None:
    browser.get(address)

    def has_all(driver: Any) -> bool:
        body = driver.find_element(By.TAG_NAME, "body").text
        return all(text in body for text in texts)

    WebDriverWait(browser, 30).until(has_all, f"{address} does not show {texts}")


def test_the_dashboard_shows_the_runs_and_their_artifacts(first: Any, browser: Any) -> None:
    dashboard = first["addresses"]["dashboard"]
    _shows(browser, f"{dashboard}/runs", "pipeline majors", "pipeline street2shop", "waiting_review")
    for key in ("majors-funnel", "majors-certificate", "street2shop-review"):
        _shows(browser, f"{dashboard}/artifacts/key/{key}", key)
    _shows(browser, f"{dashboard}/deployments", "collect", "curate")


def test_review_and_report_pages_are_there(first: Any, browser: Any) -> None:
    _shows(browser, first["addresses"]["review"], "Noise")
    _shows(browser, f"{first['addresses']['web']}/review/street2shop/noise", "Save", "noise")
    _shows(browser, first["addresses"]["report"], "Confusion", "accuracy")


def test_status_says_what_runs_and_down_stops_it(first: Any, gleanery: CommandLine) -> None:
    state = gleanery.json("status")
    assert state["is_up"]
    assert all(state["services"].values())
    gleanery.run("up", "--detach")  # a second one is content with what runs
    gleanery.run("down")
    started = time.monotonic()
    assert not gleanery.json("status", code=1)["is_up"]
    assert time.monotonic() - started < 20

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest
import requests

from sampleweb.server import load_log


def _get(url: str, **options: Any) -> requests.Response:
    return requests.get(url, timeout=10, **options)


def test_what_is_served_is_what_the_truth_says(web: Any) -> None:
    usable = [row for row in web.truth["photos"] if row["spoil"] not in ("missing", "once_429")][::9]
    assert usable
    for row in usable:
        assert hashlib.sha256(_get(row["url"]).content).hexdigest() == row["sha256"]


def test_an_unchanged_file_is_not_sent_again(web: Any) -> None:
    url = web.url("sample-uni1-cs", "/media/logo.png")
    first = _get(url)
    for headers in ({"If-None-Match": first.headers["ETag"]}, {"If-Modified-Since": first.headers["Last-Modified"]}):
        again = _get(url, headers=headers)
        assert (again.status_code, again.content) == (304, b"")


def test_manners(web: Any) -> None:
    sites = {site.name: site for site in web.world.sites}
    assert "Crawl-delay" in sites["sample-uni1-cs"].robots
    assert _get(web.url("sample-uni1-econ", "/staff")).url.endswith("/people/")
    healing = web.url("sample-uni1-german", "/people/")
    assert [_get(healing).status_code for _ in range(2)] == [503, 200]
    started = time.monotonic()
    assert _get(web.url("sample-uni1-mechanical", "/people/")).ok
    assert time.monotonic() - started >= 1.0
    calendar = _get(web.url("sample-uni2-cs", "/calendar/2026/12/")).text
    assert "/calendar/2027/1/" in calendar
    assert "captcha" in _get(web.url("blocked-uni", "/people/")).text
    assert _get(web.url("sample-uni1-cs", "/nothing")).status_code == 404


def test_opt_outs_and_429_are_on_the_planted_pictures(web: Any) -> None:
    photos = {row["spoil"]: row for row in web.truth["photos"]}
    assert "noai" in _get(photos["noai"]["url"]).headers["X-Robots-Tag"]
    first, second = (_get(photos["once_429"]["url"]) for _ in range(2))
    assert (first.status_code, first.headers["Retry-After"], second.status_code) == (429, "1", 200)
    assert _get(photos["missing"]["url"]).status_code == 404


def test_a_plain_fetch_of_a_script_page_shows_nobody(web: Any) -> None:
    site = next(site for site in web.world.sites if site.structure == "script")
    names = [row["name"] for row in web.world.truth["people"] if row["site"] == site.name]
    text = _get(web.url(site.name, site.start)).text
    assert names
    assert not any(name in text for name in names)
    assert all(name in _get(web.url(site.name, "/people.json")).text for name in names)


def test_every_request_is_logged(web: Any) -> None:
    url = web.url("sample-uni3-cs", "/private/?x=1")
    requests.get(url, headers={"User-Agent": "tester"}, timeout=10)
    (line,) = [row for row in load_log(web.log_path) if row["path"] == "/private/?x=1"]
    assert (line["status"], line["user_agent"], line["conditional"]) == (200, "tester", False)


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/media/%2e%2e/x"])
def test_no_path_leads_out(web: Any, path: str) -> None:
    assert _get(web.url("sample-uni1-cs", path)).status_code == 404

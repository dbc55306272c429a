"""Headless Chromium for pages that scripts fill: a small pool of drivers in threads, behind the filter.

What is landed is the serialised DOM after scripts have run and the page was scrolled to its end. Pictures are off; the
sandbox is on unless we are root; nothing is looked for on the net (Selenium Manager stays silent).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError
from scrapy.http import HtmlResponse, Response
from selenium import webdriver
from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from catalog.errors import UsageError
from spiders.fetch.filter_proxy import FilterProxy
from spiders.fetch.refused import Refused
from spiders.fetch.resolver import ALLOW_LOOPBACK
from spiders.order import profile_prefix
from spiders.policy.agent import ROBOT_NAME

_DRIVERS = 2
_PAGES_EACH = 40
"""Memory of a browser only grows: after so many pages a new one takes its place."""
_LOAD_S = 30
_SETTLE_S = 10.0
_POLL_S = 0.15
_QUIET_POLLS = 3
"""The page counts as done when its size and height did not change for so many polls."""

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
    "--disable-dev-shm-usage", "--mute-audio", "--blink-settings=imagesEnabled=false", "--window-size=1280,2000",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--proxy-bypass-list=<-loopback>",  # Chromium would go to loopback directly
    "--disable-features=OptimizationHints,MediaRouter,Translate,InterestFeedContentSuggestions,DialMediaRouteProvider",
)  # fmt: skip

_SIZE = "return [document.documentElement.outerHTML.length, document.documentElement.scrollHeight]"
_SCROLL = "window.scrollTo(0, document.documentElement.scrollHeight)"
_DOM = "return document.documentElement.outerHTML"


def find_browser(chromium: str, chromedriver: str) -> tuple[str, str]:
    """Find browser and driver.

    Args:
        chromium: from the settings, or empty.
        chromedriver: from the settings, or empty.

    Raises:
        UsageError: one is missing; says how to get it.
    """
    browser = chromium or next((path for name in _BROWSERS if (path := shutil.which(name))), "")
    driver = chromedriver or shutil.which("chromedriver") or ""
    for what, path in (("chromium", browser), ("chromedriver", driver)):
        if not path or not Path(path).exists():
            raise UsageError(
                f"no {what}{f' at {path}' if path else ''}: pages that scripts fill need it; install Debian's "
                f"chromium and chromium-driver, or set `chromium` and `chromedriver` in gleanery.toml"
            )
    return browser, driver


class BrowserPool:
    """Renders pages for one crawl."""

    def __init__(self, crawler: Any, browser: str, driver: str) -> None:
        self._crawler = crawler
        self._places = browser, driver
        self._threads = ThreadPoolExecutor(max_workers=_DRIVERS, thread_name_prefix="browser")
        self._idle: list[_Driver] = []
        self._turns = asyncio.Semaphore(_DRIVERS)
        self._proxy = FilterProxy(crawler.settings.getbool(ALLOW_LOOPBACK), self._may_visit)
        self._port = 0

    @classmethod
    async def open(cls, crawler: Any) -> BrowserPool:
        """Start the filter; browsers start when they are needed.

        Raises:
            UsageError: no browser or driver.
        """
        settings = crawler.settings
        pool = cls(crawler, *find_browser(settings["GLEANERY_CHROMIUM"], settings["GLEANERY_CHROMEDRIVER"]))
        pool._port = await pool._proxy.open()
        return pool

    async def fetch(self, request: Request) -> Response:
        """Render a page.

        Raises:
            Refused: it led to an address that robots.txt disallows.
            DownloadFailedError: the browser could not load it.
            DownloadTimeoutError: it did not load in time.
        """
        async with self._turns:
            driver = self._idle.pop() if self._idle else None
            loop = asyncio.get_running_loop()
            try:
                used, page = await loop.run_in_executor(self._threads, self._render, driver, request.url)
            except TimeoutException as error:
                raise DownloadTimeoutError(f"{request.url}: {error.msg}") from error
            except WebDriverException as error:
                raise DownloadFailedError(f"{request.url}: {error.msg}") from error
            self._idle.append(used)
        url, status, headers, body = page
        if not await self._may_visit(url):
            raise Refused("policy_robots", f"it led to {url}, which robots.txt disallows")
        return HtmlResponse(url, status=status, headers=headers, body=body, encoding="utf-8", request=request)

    async def close(self) -> None:
        """End all browsers."""
        loop = asyncio.get_running_loop()
        for driver in self._idle:
            await loop.run_in_executor(self._threads, driver.close)
        self._threads.shutdown(wait=False)
        await self._proxy.close()

    async def _may_visit(self, url: str) -> bool:
        from spiders.fetch.robots import PoliteRobots

        robots = self._crawler.get_downloader_middleware(PoliteRobots)
        parser = await robots.robot_parser(Request(url))
        return parser is None or bool(parser.allowed(url, ROBOT_NAME))

    def _render(self, driver: _Driver | None, url: str) -> tuple[_Driver, tuple[str, int, dict[str, str], bytes]]:
        """Run in a thread: a driver is used by one at a time."""
        if driver is not None and driver.pages_count >= _PAGES_EACH:
            driver.close()
            driver = None
        driver = driver or _Driver(*self._places, self._port, str(self._crawler.settings["USER_AGENT"]))
        try:
            return driver, driver.render(url)
        except WebDriverException:
            driver.close()  # whatever state it is in, the next page gets a fresh one
            raise


class _Driver:
    """One browser."""

    def __init__(self, browser: str, driver: str, proxy_port: int, user_agent: str) -> None:
        os.environ["SE_OFFLINE"] = "true"
        self.pages_count = 0
        self._profile = tempfile.TemporaryDirectory(prefix=profile_prefix(os.getpid()), ignore_cleanup_errors=True)
        options = Options()
        options.binary_location = browser
        for flag in (*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])):
            options.add_argument(flag)
        options.add_argument(f"--proxy-server=http://127.0.0.1:{proxy_port}")
        options.add_argument(f"--user-agent={user_agent}")
        options.add_argument(f"--user-data-dir={self._profile.name}")
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        # Chromium's own temporary files, too, shall be removed with the profile if it is killed.
        service = Service(executable_path=driver, env={**os.environ, "TMPDIR": self._profile.name})
        self._web = webdriver.Chrome(options=options, service=service)
        self._web.set_page_load_timeout(_LOAD_S)

    def render(self, url: str) -> tuple[str, int, dict[str, str], bytes]:
        """Load a page and let it finish; gives final address, status, headers and DOM."""
        self.pages_count += 1
        self._log()
        self._web.get(url)
        self._settle()
        final = str(self._web.current_url)
        status, headers = self._answer(final)
        return final, status, headers, str(self._web.execute_script(_DOM)).encode("utf-8", "replace")

    def close(self) -> None:
        """End the browser and remove its profile."""
        try:
            self._web.quit()
        except (WebDriverException, OSError):
            self._web.service.process.kill()
        finally:
            self._profile.cleanup()

    def _settle(self) -> None:
        """Scroll to the end until nothing is added any more: lists that load as one scrolls are then whole."""
        deadline = time.monotonic() + _SETTLE_S
        last: Any = None
        quiet = 0
        while quiet < _QUIET_POLLS and time.monotonic() < deadline:
            self._web.execute_script(_SCROLL)
            time.sleep(_POLL_S)
            size = self._web.execute_script(_SIZE)
            quiet = quiet + 1 if size == last else 0
            last = size

    def _log(self) -> list[dict[str, Any]]:
        """Take what the browser logged about its traffic since the last time."""
        return list(self._web.get_log("performance"))  # type: ignore[no-untyped-call]

    def _answer(self, final_url: str) -> tuple[int, dict[str, str]]:
        """Find the main document's status and headers in the browser's own log: permission may stand there."""
        found: tuple[int, dict[str, str]] = (0, {})
        for entry in self._log():
            message = json.loads(entry["message"])["message"]
            if message["method"] != "Network.responseReceived" or message["params"].get("type") != "Document":
                continue
            response = message["params"]["response"]
            if response["url"].partition("#")[0] == final_url.partition("#")[0]:
                headers = {name.lower(): str(value) for name, value in response["headers"].items()}
                headers.pop("content-encoding", None)  # the DOM is plain text
                found = (int(response["status"]), headers)
        return found

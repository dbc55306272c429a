"""Trying again: when a host says so, or after a growing pause in which the whole host is left alone."""

from __future__ import annotations

from datetime import UTC, datetime
from time import monotonic
from typing import Any

from scrapy import Request
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from spiders.fetch.refused import Refused
from spiders.policy import pace


class PatientRetry(RetryMiddleware):
    """Scrapy's retry middleware with Retry-After and a pause for the host."""

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self._resting: dict[str, str] = {}

    def check_rest(self, request: Request) -> None:
        """Leave alone a host that asked for a longer rest than a crawl can give; asked when a request's turn comes.

        Raises:
            Refused: the host rests.
        """
        host = urlparse_cached(request).hostname or ""
        if host in self._resting:
            raise Refused("fetch_failed", self._resting[host])

    def process_response(self, request: Request, response: Response, spider: Any = None) -> Request | Response:
        """Hold the host back and try again where the status says that this may help."""
        if response.status not in self.retry_http_codes or request.meta.get("dont_retry"):
            return response
        header = response.headers.get("Retry-After") if response.status in (429, 503) else None
        wait_s = pace.retry_after_s(header.decode("latin-1") if header else None, datetime.now(UTC))
        if wait_s is not None and wait_s > pace.MAX_WAIT_S:
            host = urlparse_cached(request).hostname or ""
            self._resting[host] = f"{host} asks to be left alone for {wait_s:.0f} s"
            return response
        again = self._retry(request, f"status {response.status}")
        if again is not None:
            self._hold(request, wait_s)
        return again or response

    def process_exception(self, request: Request, exception: Exception, spider: Any = None) -> Any:
        """The same where no answer came."""
        again = super().process_exception(request, exception)
        if again is not None:
            self._hold(request, None)
        return again

    def _hold(self, request: Request, wait_s: float | None) -> None:
        downloader = self.crawler.engine.downloader
        slot = downloader.slots.get(downloader.get_slot_key(request))
        if slot is None:
            return
        if wait_s is None:
            wait_s = pace.back_off_s(request.meta.get("retry_times", 0) + 1, slot.delay)
        # The slot sends its next request one delay after `lastseen`.
        slot.lastseen = max(slot.lastseen, monotonic() + wait_s - slot.delay)

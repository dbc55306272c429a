"""Trying again: when a host says so, or after a growing pause in which the whole host is left alone."""

from __future__ import annotations

from collections import Counter
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
        self._rest_s: dict[str, float] = {}
        self._broken: Counter[str] = Counter()

    def check_rest(self, request: Request) -> None:
        """Leave alone a host that asked for a longer rest than a crawl can give; asked when a request's turn comes.

        Raises:
            Refused: the host rests.
        """
        host = urlparse_cached(request).hostname or ""
        if host in self._resting:
            raise Refused("fetch_failed", self._resting[host])

    def asked_rest_s(self, host: str) -> float | None:
        """How long a host asked to be left alone, where that is longer than a crawl waits; None if it did not."""
        return self._rest_s.get(host)

    def process_response(self, request: Request, response: Response, spider: Any = None) -> Request | Response:
        """Try again where the status says that this may help and the host is not at rest."""
        host = urlparse_cached(request).hostname or ""
        if host in self._resting:
            return response
        return super().process_response(request, response)

    def hold_after(self, request: Request, response: Response) -> None:
        """Hold a host back whose answer asks for it.

        The handler calls this before the host's next request is sent; middlewares come too late for that.
        """
        host = urlparse_cached(request).hostname or ""
        if response.status not in self.retry_http_codes:
            self._broken[host] = 0
            return
        self._note_broken(host, f"status {response.status}")
        header = response.headers.get("Retry-After") if response.status in (429, 503) else None
        wait_s = pace.retry_after_s(header.decode("latin-1") if header else None, datetime.now(UTC))
        if wait_s is not None and wait_s > pace.MAX_WAIT_S:
            self._resting[host] = f"{host} asks to be left alone for {wait_s:.0f} s"
            self._rest_s[host] = wait_s
        elif wait_s is not None or self._will_retry(request):
            self._hold(request, wait_s)

    def hold_after_failure(self, request: Request, error: Exception) -> None:
        """The same where no answer came."""
        if isinstance(error, self.exceptions_to_retry):
            self._note_broken(urlparse_cached(request).hostname or "", type(error).__name__)
            if self._will_retry(request):
                self._hold(request, None)

    def _note_broken(self, host: str, what: str) -> None:
        self._broken[host] += 1
        if self._broken[host] >= pace.MAX_BROKEN:
            self._resting[host] = f"{host} failed {self._broken[host]} times in a row, the last time with {what}"

    def _will_retry(self, request: Request) -> bool:
        return not request.meta.get("dont_retry") and request.meta.get("retry_times", 0) < self.max_retry_times

    def _hold(self, request: Request, wait_s: float | None) -> None:
        downloader = self.crawler.engine.downloader
        slot = downloader.slots.get(downloader.get_slot_key(request))
        if slot is None:
            return
        if wait_s is None:
            wait_s = pace.back_off_s(request.meta.get("retry_times", 0) + 1, slot.delay)
        # The slot sends its next request one delay after `lastseen`.
        slot.lastseen = max(slot.lastseen, monotonic() + wait_s - slot.delay)

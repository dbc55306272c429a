"""The download handler: Scrapy's own for plain requests, the browser pool for rendered ones, both under the rules."""

from __future__ import annotations

from typing import Any

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from catalog.errors import PolicyRefused
from spiders.fetch.refused import Refused
from spiders.fetch.resolver import ALLOW_LOOPBACK
from spiders.fetch.retry import PatientRetry
from spiders.policy import address

VIA = "via"
"""Request meta: `browser` renders the page; else it is fetched plainly."""


class GuardedHandler(HTTP11DownloadHandler):
    """Refuses addresses before and at the connection."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._allow_loopback = crawler.settings.getbool(ALLOW_LOOPBACK)
        self._browsers: Any = None

    async def download_request(self, request: Request) -> Response:
        """Fetch a page or picture.

        Raises:
            Refused: the address may not be contacted, or its host asked to be left alone.
        """
        try:
            address.check_url(request.url, self._allow_loopback)
        except PolicyRefused as error:
            raise Refused.of(error) from None
        retry: Any = self._crawler.get_downloader_middleware(PatientRetry)
        retry.check_rest(request)
        try:
            response = await self._download(request)
        except Exception as error:
            retry.hold_after_failure(request, error)
            raise
        retry.hold_after(request, response)
        return response

    async def _download(self, request: Request) -> Response:
        if request.meta.get(VIA) == "browser":
            return await self._render(request)
        try:
            return await super().download_request(request)
        except CannotResolveHostError:
            host = urlparse_cached(request).hostname or ""
            from twisted.internet import reactor

            if host in reactor.nameResolver.refused:
                raise Refused.of(address.refused(host, self._allow_loopback)) from None
            raise

    async def _render(self, request: Request) -> Response:
        if self._browsers is None:
            from spiders.fetch.browser import BrowserPool

            self._browsers = await BrowserPool.open(self._crawler)
        response: Response = await self._browsers.fetch(request)
        return response

    async def close(self) -> None:
        """Close connections and browsers."""
        if self._browsers is not None:
            await self._browsers.close()
        await super().close()

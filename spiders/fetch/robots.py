"""robots.txt and /.well-known/tdmrep.json, asked once per origin before anything else of it.

Scrapy's middleware parses and obeys; added are: a file that cannot be had refuses everything (RFC 9309: 5xx and no
answer mean "disallow all", 4xx means "no rules"), Crawl-delay is acted on, and opt-outs are kept for the fetcher.
"""

from __future__ import annotations

from typing import Any

from scrapy import Request
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import ProtegoRobotParser
from scrapy.utils.httpobj import urlparse_cached

from spiders.fetch.refused import Refused
from spiders.policy import pace
from spiders.policy.agent import ROBOT_NAME
from spiders.policy.permission import OriginRules, origin_rules

_DISALLOW_ALL = b"User-agent: *\nDisallow: /\n"
_MAX_ROBOTS_BYTES = 512 * 1024  # RFC 9309 asks for at least 500 KiB


class PoliteRobots(RobotsTxtMiddleware):
    """Scrapy's robots middleware, strict and with opt-outs."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self._rules: dict[str, OriginRules] = {}

    def rules_for(self, url: str) -> OriginRules:
        """Give what an address's origin said; nothing where it was never asked."""
        return self._rules.get(urlparse_cached(Request(url)).netloc, OriginRules())

    def process_request_2(self, rp: Any, request: Request) -> None:
        """Refuse what robots.txt disallows."""
        if rp is not None and not rp.allowed(request.url, ROBOT_NAME):
            raise Refused("policy_robots", f"robots.txt of {urlparse_cached(request).netloc} disallows it")

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500 or response.status == 429:
            return self._settle(netloc, _DISALLOW_ALL)
        body = response.body[:_MAX_ROBOTS_BYTES] if 200 <= response.status < 300 else b""
        parser = ProtegoRobotParser(body, self.crawler.spider)
        delay_s = parser.rp.crawl_delay(ROBOT_NAME) or 0.0
        if delay_s > pace.MAX_WAIT_S:
            return self._settle(netloc, _DISALLOW_ALL)
        self._slow_down(request, float(delay_s))
        self._rules[netloc] = origin_rules(body, await self._tdmrep(request))
        self._settle(netloc, body)
        return None

    async def _tdmrep(self, request: Request) -> bytes:
        parts = urlparse_cached(request)
        asked = Request(
            f"{parts.scheme}://{parts.netloc}/.well-known/tdmrep.json",
            meta={"dont_obey_robotstxt": True, "dont_retry": True, "download_maxsize": _MAX_ROBOTS_BYTES},
            callback=NO_CALLBACK,
        )
        try:
            answer = await self.crawler.engine.download_async(asked)
        except Exception:  # whatever went wrong, nothing was said
            return b""
        return answer.body if answer.status == 200 else b""

    def _slow_down(self, request: Request, delay_s: float) -> None:
        """Set the pace of the host, now and for slots that Scrapy drops and makes again."""
        downloader = self.crawler.engine.downloader
        key = downloader.get_slot_key(request)
        delay_s = max(delay_s, self.crawler.settings.getfloat("DOWNLOAD_DELAY"))
        known = downloader.per_slot_settings.setdefault(key, {})
        known["delay"] = max(delay_s, known.get("delay", 0.0))
        if key in downloader.slots:
            downloader.slots[key].delay = known["delay"]

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        if isinstance(exc, IgnoreRequest):  # the address itself is refused; the request will hear the same
            super()._robots_error(exc, netloc)
        else:
            self._settle(netloc, _DISALLOW_ALL)

    def _settle(self, netloc: str, body: bytes) -> None:
        waiting: Any = self._parsers[netloc]
        self._parsers[netloc] = parser = ProtegoRobotParser(body, self.crawler.spider)
        waiting.callback(parser)

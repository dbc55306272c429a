"""Fetch pages and pictures for a spider: replay what landed, ask conditionally for what is known, judge permission.

All requests go through Scrapy's downloader and its middlewares (robots, pace, retries, redirects, address rule); the
scheduler is not needed, because the spiders decide what comes when.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.exceptions import StopDownload
from scrapy.http import Headers, Response
from scrapy.http.request import NO_CALLBACK

from catalog.errors import UsageError
from catalog.ids import image_id, page_id
from catalog.schema import ImageRecord, PageRecord, Permission
from spiders.fetch import media
from spiders.fetch.outcome import Fetched, failure_reason, status_reason
from spiders.fetch.retry import PatientRetry
from spiders.fetch.robots import PoliteRobots
from spiders.pages.challenge import is_challenge
from spiders.pages.contract import PageInput
from spiders.policy import permission
from spiders.policy.permission import Target
from spiders.settings import PAGE_BYTES
from spiders.work import Work

_TARGET = "gleanery_target"
_PAGE_TYPES = ("text/", "application/xhtml", "application/xml", "application/json", "application/javascript")
_ACCEPT_IMAGE = "image/jpeg,image/png,image/webp,image/*;q=0.8,*/*;q=0.5"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImageOutcome:
    """What became of one picture."""

    url: str
    """As it is recorded (see `media.landed_url`)."""
    image_id: str | None = None
    record: ImageRecord | None = None
    """To be landed; None where there are no bytes."""
    reason: str | None = None
    detail: str = ""


class Fetcher:
    """Fetches for one crawl.

    Args:
        crawler: Scrapy's, with a running engine by the time of the first fetch.
        work: run, blobs, ledger and takedowns.
    """

    def __init__(self, crawler: Any, work: Work) -> None:
        self._crawler = crawler
        self._work = work
        self.counts: Counter[str] = Counter()
        """pages, images_new, not_modified, refused, failed, replayed."""
        self.failures_in_a_row = 0
        crawler.signals.connect(self._stop_early, signal=signals.headers_received)

    def asked_rest_s(self, url: str) -> float | None:
        """How long the host of an address asked to be left alone; None if it did not."""
        retry = self._crawler.get_downloader_middleware(PatientRetry)
        return retry.asked_rest_s(urlsplit(url).hostname or "") if retry is not None else None

    async def page(self, url: str, via: str = "http") -> Fetched:
        """Fetch a page, or replay it; what cannot be had carries a reason."""
        if self._work.suppressions.blocks_url(url):
            return self._refusal(url, "policy_suppressed", via)
        landed = self._work.ledger.current.pages.get((url, via))
        if landed is not None and not (landed.body_sha256 is None and landed.permission.get("is_allowed", True)):
            self.counts["replayed"] += 1
            return self._replay(landed, landed.fetched_at)
        known = self._work.ledger.earlier.pages.get((url, via)) if via == "http" else None
        if known is not None and (known.body_sha256 is None or known.body_sha256 not in self._work.blobs):
            known = None
        fetched = await self._fetch(url, "page", known, via)
        if fetched.final_url != url and self._work.suppressions.blocks_url(fetched.final_url):
            return self._refusal(url, "policy_suppressed", via)
        if fetched.status == 304 and known is not None:
            self.counts["not_modified"] += 1
            return self._replay(known, fetched.fetched_at, fetched.permission)
        return fetched

    def page_record(self, fetched: Fetched) -> PageRecord:
        """Store a page's body and make its record; a page that names somebody who was taken down is not stored."""
        has_body = fetched.reason is None
        self.counts["pages"] += has_body
        is_kept = has_body and not self._work.suppressions.names_in_page(fetched.body)
        return PageRecord(
            page_id=page_id(self._work.source.name, fetched.url),
            source=self._work.source.name,
            url=fetched.url,
            final_url=fetched.final_url,
            status=fetched.status,
            via=fetched.via,
            body_sha256=self._work.blobs.put(fetched.body) if is_kept else None,
            content_type=fetched.headers.get("content-type", ""),
            etag=fetched.headers.get("etag"),
            last_modified=fetched.headers.get("last-modified"),
            fetched_at=fetched.fetched_at,
            permission=dataclasses.asdict(fetched.permission),
        )

    async def image(self, url: str, page_permission: Permission | None = None) -> ImageOutcome:
        """Fetch a picture unless it landed; store its bytes.

        Args:
            url: http(s) or `data:`.
            page_permission: of the page that shows it; `noai` or `noimageai` there forbid its pictures.
        """
        name = media.landed_url(url)
        reason = self._reason_before(name, page_permission)
        if reason is not None:
            self.counts["refused"] += 1
            return ImageOutcome(url=name, reason=reason)
        landed = self._work.ledger.current.images.get(name)
        if landed is not None:
            self.counts["replayed"] += 1
            return ImageOutcome(url=name, image_id=landed.image_id, record=landed)
        if name != url:
            return self._keep(self._from_data_uri(url, name), None)
        known = self._work.ledger.earlier.images.get(url)
        if known is not None and known.image_id not in self._work.blobs:
            known = None
        fetched = await self._fetch(url, "image", known)
        return self._keep(fetched, known)

    def _reason_before(self, url: str, page_permission: Permission | None) -> str | None:
        if self._work.suppressions.blocks_url(url):
            return "policy_suppressed"
        if page_permission is not None:
            return permission.decide(page_permission.signals, "image").reason
        return None

    def _from_data_uri(self, uri: str, name: str) -> Fetched:
        body = media.data_uri_body(uri)
        at = self._work.now()
        if body is None:
            return Fetched(
                url=name, final_url=name, fetched_at=at, reason="fetch_not_an_image", detail="broken data URI"
            )
        return Fetched(url=name, final_url=name, status=200, body=body, fetched_at=at)

    def _keep(self, fetched: Fetched, known: ImageRecord | None) -> ImageOutcome:
        """Store the bytes of a picture and make its record."""
        if fetched.status == 304 and known is not None and fetched.permission.is_allowed:
            self.counts["not_modified"] += 1
            record = dataclasses.replace(
                known, fetched_at=fetched.fetched_at, permission=dataclasses.asdict(fetched.permission)
            )
            return ImageOutcome(url=fetched.url, image_id=known.image_id, record=record)
        if fetched.reason is not None:
            return ImageOutcome(url=fetched.url, reason=fetched.reason, detail=fetched.detail)
        kind = media.picture_type(fetched.body)
        if kind is None:
            self.counts["failed"] += 1
            if is_challenge(PageInput(url=fetched.final_url, body=fetched.body, status=fetched.status)):
                detail = f"{fetched.final_url}: a challenge instead of a picture"
                return ImageOutcome(url=fetched.url, reason="page_blocked", detail=detail)
            said = fetched.headers.get("content-type", "nothing")
            detail = f"{len(fetched.body)} bytes that begin like no picture; the server said {said}"
            return ImageOutcome(url=fetched.url, reason="fetch_not_an_image", detail=detail)
        return self._land(fetched)

    def _land(self, fetched: Fetched) -> ImageOutcome:
        sha256 = image_id(fetched.body)
        held = self._work.suppressions
        if held.blocks_image(sha256) or held.blocks_url(fetched.final_url) or held.blocks_body(fetched.body):
            self.counts["refused"] += 1
            return ImageOutcome(url=fetched.url, reason="policy_suppressed")
        self.counts["images_new"] += sha256 not in self._work.blobs
        record = ImageRecord(
            image_id=self._work.blobs.put(fetched.body),
            source=self._work.source.name,
            url=fetched.url,
            content_type=fetched.headers.get("content-type", ""),
            size_bytes=len(fetched.body),
            etag=fetched.headers.get("etag"),
            last_modified=fetched.headers.get("last-modified"),
            fetched_at=fetched.fetched_at,
            permission=dataclasses.asdict(fetched.permission),
        )
        return ImageOutcome(url=fetched.url, image_id=sha256, record=record)

    async def _fetch(
        self, url: str, target: Target, known: PageRecord | ImageRecord | None, via: str = "http"
    ) -> Fetched:
        try:
            request = self._request(url, target, known, via)
            response = await self._crawler.engine.download_async(request)
        except UsageError:  # no browser: for the user to mend
            raise
        except Exception as error:  # each becomes a reason
            reason, detail = failure_reason(error)
            self._count(reason)
            return Fetched(url=url, final_url=url, via=via, fetched_at=self._work.now(), reason=reason, detail=detail)
        return self._judge(url, response, target, via)

    def _request(self, url: str, target: Target, known: PageRecord | ImageRecord | None, via: str) -> Request:
        headers: dict[str, str] = {"Accept": _ACCEPT_IMAGE} if target == "image" else {}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        if known is not None and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        meta: dict[str, Any] = {_TARGET: target, "via": via}
        if target == "page":
            meta["download_maxsize"] = PAGE_BYTES
        return Request(url, headers=headers, meta=meta, callback=NO_CALLBACK)

    def _judge(self, url: str, response: Response, target: Target, via: str) -> Fetched:
        headers = {
            name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
            for name, values in response.headers.items()
        }
        signals_seen = self._signals_before(response.url) | permission.header_signals(headers)
        if target == "page" and response.status != 304:
            signals_seen |= permission.meta_signals(response.body)
        verdict = permission.decide(signals_seen, target)
        reason, detail = status_reason(response.status), f"status {response.status}"
        if response.status == 304:
            reason = None
        if not verdict.is_allowed:
            reason, detail = verdict.reason, ""
        elif "download_stopped" in response.flags:
            reason, detail = "page_foreign", f"no page: Content-Type {headers.get('content-type')}"
        self._count(reason)
        return Fetched(
            url=url, final_url=response.url, status=response.status, headers=headers,
            body=response.body if reason is None or verdict.is_allowed else b"", via=via,
            fetched_at=self._work.now(), permission=verdict, reason=reason, detail=detail if reason else "",
        )  # fmt: skip

    def _count(self, reason: str | None) -> None:
        """Keep the tallies; a picture or page that is merely missing or refused does not speak of a broken site."""
        if reason is None:
            self.failures_in_a_row = 0
        elif reason.startswith("policy_"):
            self.counts["refused"] += 1
        else:
            self.counts["failed"] += 1
            broken = reason in ("fetch_failed", "fetch_timeout", "fetch_dns", "fetch_tls")
            self.failures_in_a_row = self.failures_in_a_row + 1 if broken else 0

    def _signals_before(self, url: str) -> dict[str, str]:
        robots = self._crawler.get_downloader_middleware(PoliteRobots)
        parts = urlsplit(url)
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        return robots.rules_for(url).signals(path) if robots is not None else {}

    def _stop_early(self, headers: Headers, body_length: int, request: Request) -> None:
        """Leave the body on the server where the headers already refuse it, or are of no page."""
        target: Target | None = request.meta.get(_TARGET)
        if target is None:
            return
        seen = {name: value.decode("latin-1") for name in _SIGNAL_HEADERS if (value := headers.get(name))}
        if seen and not permission.decide(permission.header_signals(seen), target).is_allowed:
            raise StopDownload(fail=False)
        kind = (headers.get("Content-Type") or b"").decode("latin-1").lower()
        if target == "page" and kind and not kind.startswith(_PAGE_TYPES):
            raise StopDownload(fail=False)

    def _replay(self, record: PageRecord, fetched_at: str, fresh: Permission | None = None) -> Fetched:
        """Give a page as it landed; a permission that was given anew replaces the old signals."""
        signals_seen = {**record.permission.get("signals", {}), **(fresh.signals if fresh else {})}
        verdict = permission.decide(signals_seen, "page")
        headers = {"content-type": record.content_type, "etag": record.etag, "last-modified": record.last_modified}
        has_body = record.body_sha256 is not None and verdict.is_allowed
        return Fetched(
            url=record.url, final_url=record.final_url, status=record.status, via=record.via, fetched_at=fetched_at,
            headers={name: value for name, value in headers.items() if value},
            body=self._work.blobs.get(record.body_sha256) if has_body and record.body_sha256 else b"",
            permission=verdict, reason=None if has_body else verdict.reason or "fetch_failed",
        )  # fmt: skip

    def _refusal(self, url: str, reason: str, via: str) -> Fetched:
        self.counts["refused"] += 1
        return Fetched(url=url, final_url=url, via=via, fetched_at=self._work.now(), reason=reason)


_SIGNAL_HEADERS = ("x-robots-tag", "tdm-reservation", "content-signal", "content-usage")

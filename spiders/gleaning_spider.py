"""What both spiders share: pages level by level, then pictures, then subjects and sightings.

Pages and pictures land as they come; subjects, sightings and issues are made from all of them at the end, in an order
that does not depend on which answer came first. So a crawl that was killed and goes on ends with the same records.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import scrapy

from catalog.clock import utc_text
from catalog.errors import GleaneryError, PageBlocked, PageForeign, SourceChanged
from catalog.ids import page_id
from catalog.schema import FAILURE_CLASSES, IssueRecord, Permission, Record
from catalog.suppressions import SUPPRESSED
from spiders.assembly import drafts as assembly
from spiders.assembly.drafts import Draft
from spiders.fetch.fetcher import Fetcher, ImageOutcome
from spiders.fetch.outcome import Fetched
from spiders.pages.challenge import is_challenge
from spiders.pages.contract import PageInput, PageIssue, PageResult
from spiders.policy import pace
from spiders.site import bare, is_same_site
from spiders.sources import Source
from spiders.work import Work

_AT_ONCE = 32
"""Fetches that wait for their turn at a time; the pace of each host is the downloader's business."""

T = TypeVar("T")
R = TypeVar("R")


class ShutOut(PageBlocked):
    """The source does not want us now.

    Args:
        message: what it did.
        pause_s: how long it asks us to stay away; None where it names no time.
    """

    def __init__(self, message: str, pause_s: float | None = None) -> None:
        super().__init__(message)
        self.pause_s = pause_s


class TooManyFailures(GleaneryError):
    """So many fetches failed in a row that going on would only trouble the site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A page to read."""

    url: str
    role: str
    """What it is read as: list, profile, listing, item, reviews."""
    depth: int = 0
    of: str = ""
    """The item that reviews belong to."""
    instead: str = ""
    """Address that may hold the same where this one is not found."""
    turn: int = 1
    """Which page of its list or of its reviews."""
    is_elsewhere: bool = False
    """A part of a page that may stand on another site, as pictures may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRead:
    """A page that could be read."""

    step: Step
    page_id: str
    final_url: str
    permission: Permission
    result: PageResult


class GleaningSpider(scrapy.Spider):
    """Crawls one source.

    Args:
        work: what it works with.
    """

    def __init__(self, work: Work, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.work = work
        self.state = "ok"
        self.detail = ""
        self.counts: dict[str, int] = {}
        self.error: BaseException | None = None
        """A mistake of ours: the run stays unfinished."""
        self.is_complete = False
        """Every record was yielded."""
        self._read: list[PageRead] = []
        self._issues: list[IssueRecord] = []
        self._seen: set[str] = set()
        self._challenges_in_a_row = 0
        self._images: dict[str, ImageOutcome] = {}
        self._found: Counter[str] = Counter()

    @classmethod
    @abstractmethod
    def check(cls, source: Source) -> None:
        """Raise UsageError where the source's hints are not for this spider."""

    @abstractmethod
    def read(self, step: Step, page: PageInput) -> PageResult:
        """Read one page; raises what the readers raise."""

    @abstractmethod
    def follow(self, read: PageRead) -> Iterable[Step]:
        """Say where a page leads, in its order."""

    @abstractmethod
    def drafts(self, pages: Sequence[PageRead]) -> list[Draft]:
        """Make subjects of all pages, in the order in which they were reached."""

    counted_name: str
    """What a source's expectations count: people, items."""

    @abstractmethod
    def counted(self, draft: Draft) -> object:
        """Tell which of them a subject is."""

    @property
    @abstractmethod
    def first_role(self) -> str:
        """What the beginnings are read as."""

    plain_roles: frozenset[str] = frozenset()
    """What is data, not a document: never opened in the browser."""

    max_challenges = 5
    """Challenges in a row after which a crawl stops; a single one may guard a single page."""

    needs_every_picture = False
    """A run without the pictures of a host that asks for a long rest is worth nothing: it ends blocked."""

    def role_of_start(self, url: str) -> str:
        """Say what one beginning is read as."""
        return self.first_role

    def kept(self, step: Step, fetched: Fetched) -> Fetched:
        """Give a page as it is read and stored: a spider may take out what must not land."""
        return fetched

    async def start(self) -> AsyncIterator[Any]:
        """Yield the records of the run."""
        self.fetcher = Fetcher(self.crawler, self.work)
        try:
            async for record in self._pages():
                yield record
            found = self.drafts(self._read)
            if self.work.max_images is not None:
                found = assembly.sampled(found, self.work.max_images)
            self._expect_pages()
            allowed = [draft for draft in found if not self._is_suppressed(draft)]
            async for record in self._pictures(allowed):
                yield record
            for record in self._finish(found):
                yield record
        except ShutOut as error:
            self.state, self.detail = "blocked", self._advice(error)
        except (SourceChanged, PageForeign, TooManyFailures) as error:
            self.state, self.detail = "failed", str(error)
        except Exception as error:  # the engine would only log it
            self.error = error
        if self.state != "ok":
            for issue in self._issues:
                yield issue
        self._count()
        self.is_complete = True

    async def _pages(self) -> AsyncIterator[Record]:
        """Fetch and read level by level; a level is complete before the next one is planned."""
        source = self.work.source
        level = self._new(Step(url=url, role=self.role_of_start(url)) for url in source.start_urls)
        while level:
            self._found["pages_found"] += len(level)
            self._found.update(f"{step.role}_found" for step in level)
            reads: dict[str, PageRead] = {}
            async for record in self._read_level(level, reads):
                yield record
            waiting = [step for step in level if step.url in reads and reads[step.url].result.needs_script]
            if waiting and source.render == "auto":
                async for record in self._read_level(waiting, reads, is_rendered=True):
                    yield record
            level = self._next_level(level, reads)

    async def _read_level(
        self, level: Sequence[Step], reads: dict[str, PageRead], is_rendered: bool = False
    ) -> AsyncIterator[Record]:
        is_always = self.work.source.render == "always"

        def fetch(step: Step) -> Awaitable[Fetched]:
            is_in_browser = is_rendered or (is_always and step.role not in self.plain_roles)
            return self.fetcher.page(step.url, "browser" if is_in_browser else "http")

        async for step, fetched in _each(level, fetch):
            if self.fetcher.failures_in_a_row >= pace.MAX_FAILURES:
                raise TooManyFailures(f"{self.fetcher.failures_in_a_row} fetches in a row failed: {fetched.detail}")
            challenges = self._challenges_in_a_row
            fetched = self.kept(step, fetched)
            lost: SourceChanged | PageForeign | None = None
            try:
                read = self._try(step, fetched)
            except (SourceChanged, PageForeign) as error:  # the page lands all the same, to be looked at
                read, lost = None, error
            is_blocked = self._challenges_in_a_row > challenges  # what lands would stand for the page from then on
            is_refused = not fetched.permission.is_allowed and fetched.reason != "policy_suppressed"
            if (fetched.reason is None and not is_blocked) or is_refused:
                yield self.fetcher.page_record(fetched)
            if read is not None:
                reads[step.url] = read
            self._found.update(["pages", f"{step.role}_read"] if not is_rendered else ["rendered"])
            self._tell()
            if lost is not None:
                raise lost

    def _next_level(self, level: Sequence[Step], reads: Mapping[str, PageRead]) -> list[Step]:
        source = self.work.source
        following: list[Step] = []
        finals = {bare(read.final_url) for read in self._read}
        for step in level:
            read = reads.get(step.url)
            if read is None:
                following += [replace(step, url=step.instead, instead="")] if step.instead else []
                continue
            if bare(read.final_url) in finals:
                continue
            finals.add(bare(read.final_url))
            self._seen.add(bare(read.final_url))
            self._read.append(read)
            self._issues += [self._issue_of(issue) for issue in read.result.issues]
            if step.depth < source.max_depth:
                following += self.follow(read)
        following = self._new(following)
        room = source.max_pages - self._found["pages_found"]
        if len(following) > room:
            self.detail = f"stopped at max_pages = {source.max_pages}: {len(following) - room} known pages left unread"
        return following[: max(0, room)]

    def _new(self, steps: Iterable[Step]) -> list[Step]:
        fresh: list[Step] = []
        for step in steps:
            url = bare(step.url)
            if url in self._seen or not (step.is_elsewhere or is_same_site(url, self.work.source.start_urls)):
                continue
            self._seen.add(url)
            fresh.append(replace(step, url=url))
        return fresh

    def _try(self, step: Step, fetched: Fetched) -> PageRead | None:
        """Read a page, or say why not; a beginning that cannot be read ends the crawl."""
        page = PageInput(
            url=fetched.final_url, body=fetched.body, status=fetched.status or 200, headers=fetched.headers,
            fetched_at=fetched.fetched_at, via=fetched.via,
        )  # fmt: skip
        if fetched.reason is not None:
            if fetched.body and is_challenge(page):
                self._blocked(step, f"{fetched.final_url}: status {fetched.status} with a challenge")
                return None
            if step.instead and fetched.reason == "fetch_not_found":
                return None
            rest_s = self.fetcher.asked_rest_s(step.url) if fetched.reason == "fetch_failed" else None
            if rest_s is not None:
                raise ShutOut(
                    f"{step.url}: {fetched.detail}, the host asks to be left alone for {rest_s:.0f} s", rest_s
                )
            where = SUPPRESSED if fetched.reason == "policy_suppressed" else step.url
            self._issue(fetched.reason, where, fetched.detail)
            return self._lost(step, f"{where}: {fetched.reason} {fetched.detail}".rstrip())
        if not (step.is_elsewhere or is_same_site(fetched.final_url, self.work.source.start_urls)):
            self._issue("page_foreign", step.url, f"moved to {fetched.final_url}")
            return self._lost(step, f"{step.url}: moved to another site, {fetched.final_url}")
        try:
            result = self.read(step, page)
        except PageBlocked as error:
            self._blocked(step, str(error))
            return None
        except (SourceChanged, PageForeign) as error:
            self._issue("page_changed" if isinstance(error, SourceChanged) else "page_foreign", step.url, str(error))
            return self._lost(step, str(error))
        if result.needs_script and not result.records and (fetched.via == "browser" or not self._may_render):
            message = f"{step.url}: expected people or items, found a page that scripts fill (render = auto opens it)"
            self._issue("page_changed", step.url, message)
            return self._lost(step, message)
        self._challenges_in_a_row = 0
        return PageRead(
            step=step, page_id=page_id(self.work.source.name, step.url), final_url=fetched.final_url,
            permission=fetched.permission, result=result,
        )  # fmt: skip

    @property
    def _may_render(self) -> bool:
        return self.work.source.render != "never"

    def _blocked(self, step: Step, message: str) -> None:
        """A challenge at the beginning, or one after the other, means that the source does not want us now."""
        self._issue("page_blocked", step.url, message)
        self._challenges_in_a_row += 1
        if step.depth == 0 or self._challenges_in_a_row >= self.max_challenges:
            raise ShutOut(message)

    def _advice(self, error: ShutOut) -> str:
        """Say what happened, what is kept, and when to try again."""
        pause_s = error.pause_s or pace.block_pause_s(self.work.ledger.blocked_before)
        then = datetime.fromisoformat(self.work.now()) + timedelta(seconds=pause_s)
        kept = f"{self._found['pages']} pages are kept and need not be fetched again"
        return f"blocked: {error}; {kept}; try again after {utc_text(then)}"

    def _lost(self, step: Step, message: str) -> PageRead | None:
        if step.depth == 0:
            raise SourceChanged(message)
        return None

    async def _pictures(self, found: Sequence[Draft]) -> AsyncIterator[Record]:
        """Fetch the best address of each picture, then the second one where the first gave none."""
        permissions = {read.page_id: read.permission for read in self._read}
        first = {shown.urls[0]: permissions[shown.page_id] for shown in assembly.wanted(found)}
        async for record in self._fetch_images(first):
            yield record
        second = {
            shown.urls[1]: permissions[shown.page_id]
            for shown in assembly.wanted(found, is_fallback=True)
            if self._images[shown.urls[0]].image_id is None
        }
        async for record in self._fetch_images({url: p for url, p in second.items() if url not in self._images}):
            yield record

    async def _fetch_images(self, wanted: Mapping[str, Permission]) -> AsyncIterator[Record]:
        self._found["images_found"] += len(wanted)
        async for url, outcome in _each(list(wanted), lambda url: self.fetcher.image(url, wanted[url])):
            if self.fetcher.failures_in_a_row >= pace.MAX_FAILURES:
                raise TooManyFailures(f"{self.fetcher.failures_in_a_row} fetches in a row failed: {outcome.detail}")
            self._expect_picture(url, outcome)
            self._images[url] = outcome
            if outcome.record is not None:
                yield outcome.record
            self._found["images"] += 1
            self._tell()

    def _expect_picture(self, url: str, outcome: ImageOutcome) -> None:
        """Stop where the host of the pictures does not want us now."""
        if outcome.reason == "page_blocked":
            self._challenges_in_a_row += 1
            if self._challenges_in_a_row >= self.max_challenges:
                raise ShutOut(outcome.detail)
        elif outcome.image_id is not None:
            self._challenges_in_a_row = 0
        elif outcome.reason == "fetch_failed" and self.needs_every_picture:
            rest_s = self.fetcher.asked_rest_s(url)
            if rest_s is not None:
                raise ShutOut(f"{url}: {outcome.detail}", rest_s)

    def _is_suppressed(self, draft: Draft) -> bool:
        return assembly.is_suppressed(self.work.source.name, draft, self.work.suppressions)

    def _finish(self, found: Sequence[Draft]) -> list[Record]:
        source = self.work.source
        made = list(assembly.records(source.name, found, self._images, self.work.suppressions))
        self.counts["subjects"] = sum(record.TYPE == "subject" for record in made)
        self.counts["sightings"] = sum(record.TYPE == "sighting" for record in made)
        self.counts["images"] = len({o.image_id for o in self._images.values() if o.image_id is not None})
        count = len({self.counted(draft) for draft in found})
        self.counts["found"] = count
        if count < source.expected_min:
            self.state = "rejected"
            self.detail = f"found {count} {self.counted_name}, expected at least {source.expected_min}"
        elif source.expected_max is not None and count > source.expected_max:
            self.detail = f"found {count} {self.counted_name}, expected at most {source.expected_max}"
            self._issue("record_drift", source.url, self.detail)
        return [*made, *self._issues] if self.state == "ok" else made

    def _expect_pages(self) -> None:
        if not self._read:
            raise SourceChanged(f"{self.work.source.url}: no page could be read")

    def _count(self) -> None:
        names = ("pages", "images_new", "not_modified", "refused", "failed", "replayed")
        self.counts |= {name: self.fetcher.counts[name] for name in names}
        reasons = [issue.reason for issue in self._issues] + [o.reason for o in self._images.values() if o.reason]
        classes = Counter(FAILURE_CLASSES[reason] for reason in reasons if reason in FAILURE_CLASSES)
        self.counts |= {f"failed_{name}": count for name, count in sorted(classes.items())}

    def _issue(self, reason: str, where: str, detail: str = "") -> None:
        self._issues.append(IssueRecord(source=self.work.source.name, reason=reason, where=where, detail=detail))

    def _issue_of(self, issue: PageIssue) -> IssueRecord:
        return IssueRecord(source=self.work.source.name, reason=issue.reason, where=issue.where, detail=issue.detail)

    def _tell(self) -> None:
        self.work.on_progress(dict(self._found))


async def _each(inputs: Sequence[T], act: Callable[[T], Awaitable[R]]) -> AsyncIterator[tuple[T, R]]:
    """Do something for each input, a bounded number at once, and yield results as they come."""
    waiting = list(reversed(inputs))
    running: dict[asyncio.Task[R], T] = {}
    try:
        while waiting or running:
            while waiting and len(running) < _AT_ONCE:
                item = waiting.pop()
                running[asyncio.ensure_future(_call(act, item))] = item
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield running.pop(task), task.result()
    finally:
        for task in running:
            task.cancel()


async def _call(act: Callable[[T], Awaitable[R]], item: T) -> R:
    return await act(item)

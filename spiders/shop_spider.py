"""Items of a shop: listings, item pages, their descriptions and reviews."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from catalog.errors import UsageError
from spiders.assembly.drafts import Draft
from spiders.assembly.items import DescriptionReading, ItemReading, ReviewReading, items
from spiders.fetch.outcome import Fetched
from spiders.gleaning_spider import GleaningSpider, PageRead, Step
from spiders.pages.aliexpress import (
    item_id_in,
    larger_rendition,
    read_description,
    read_item,
    read_listing,
    read_reviews,
    renditions_in,
    without_buyers,
)
from spiders.pages.aliexpress.modules import evaluation_url
from spiders.pages.contract import PageInput, PageResult
from spiders.sources import Source
from spiders.work import Work

_READERS = {
    "listing": read_listing, "item": read_item, "reviews": read_reviews, "description": read_description
}  # fmt: skip


class ShopSpider(GleaningSpider):
    """Collects seller photos by item and colour, and buyers' photos of the same."""

    name = "shop"
    first_role = "listing"
    counted_name = "items"
    plain_roles = frozenset({"reviews", "description"})
    max_challenges = 1
    """A challenge is the shop's answer to a pace, not to a page: each further request would only prolong it."""

    needs_every_picture = True

    def __init__(self, work: Work, **kwargs: Any) -> None:
        super().__init__(work, **kwargs)
        self._taken: set[str] = set()
        """Ids of the items that are read, up to `max_items`."""
        self._renditions: dict[str, Mapping[str, str]] = {}
        """By final address of a page, what it shows in place of originals."""

    def counted(self, draft: Draft) -> object:
        """An item is one in all its colours."""
        return draft.facts["attributes"]["item_id"]

    @classmethod
    def check(cls, source: Source) -> None:
        """There are no hints."""
        if source.hints:
            raise UsageError(f"source {source.name!r}: a shop takes no hints, found {sorted(source.hints)}")

    def role_of_start(self, url: str) -> str:
        """Tell an item's own address from that of a list."""
        return "item" if item_id_in(url) else "listing"

    def kept(self, step: Step, fetched: Fetched) -> Fetched:
        """Take buyers out of pages that show what they wrote."""
        if fetched.reason is not None or step.role == "listing":
            return fetched
        return replace(fetched, body=without_buyers(fetched.body, self.work.source.buyer_facts))

    def read(self, step: Step, page: PageInput) -> PageResult:
        """Read a page as what it was reached as."""
        if step.role == "reviews":
            result = read_reviews(page, with_measures="measures" in self.work.source.buyer_facts)
        else:
            result = _READERS[step.role](page)
        self._renditions[page.url] = renditions_in(page)
        return result

    def follow(self, read: PageRead) -> Iterable[Step]:
        """From a listing to its items and its next page; from an item to its reviews; from reviews to more of them."""
        match read.step.role:
            case "listing":
                yield from self._from_listing(read)
            case "item":
                yield from self._from_item(read)
            case "reviews":
                most = self.work.source.max_review_pages
                if most is None or read.step.turn < most:
                    yield from (replace(read.step, url=url, turn=read.step.turn + 1) for url in read.result.pages)

    def _from_listing(self, read: PageRead) -> Iterable[Step]:
        source, turn = self.work.source, read.step.turn
        for record in read.result.records:
            item_id = str(record["item_id"])
            if item_id in self._taken or not record.get("url"):
                continue
            if source.max_items is not None and len(self._taken) >= source.max_items:
                return
            self._taken.add(item_id)
            yield Step(url=str(record["url"]), role="item", depth=1)
        is_last = source.max_listing_pages is not None and turn >= source.max_listing_pages
        is_full = source.max_items is not None and len(self._taken) >= source.max_items
        if not (is_last or is_full):
            yield from (Step(url=url, role="listing", depth=1, turn=turn + 1) for url in read.result.pages)

    def _from_item(self, read: PageRead) -> Iterable[Step]:
        for record in read.result.records:
            item_id = str(record["item_id"])
            wanted = str(record.get("reviews_url") or "").partition("?")[0]
            for url in read.result.pages:
                if wanted and url.partition("?")[0] == wanted:
                    instead = evaluation_url(item_id, read.final_url)  # where the shop keeps them since 2022
                    yield Step(url=url, role="reviews", depth=2, of=item_id, instead=instead)
                elif self.work.source.with_descriptions:
                    yield Step(url=url, role="description", depth=2, of=item_id, is_elsewhere=True)

    def drafts(self, pages: Sequence[PageRead]) -> list[Draft]:
        """Split items by colour and hand out the buyers' photos."""
        found = [
            ItemReading(page_id=read.page_id, page_url=read.final_url, record=record)
            for read in pages
            if read.step.role == "item"
            for record in read.result.records
        ]
        reviews = [
            ReviewReading(page_id=read.page_id, item_id=read.step.of, records=read.result.records)
            for read in pages
            if read.step.role == "reviews"
        ]
        descriptions = [
            DescriptionReading(page_id=read.page_id, item_id=read.step.of, image_urls=tuple(record["image_urls"]))
            for read in pages
            if read.step.role == "description"
            for record in read.result.records
        ]
        renditions: dict[str, str] = {}
        for read in pages:
            for original, url in self._renditions.get(read.final_url, {}).items():
                renditions[original] = larger_rendition(renditions.get(original, url), url)
        return items(self.work.source, found, reviews, descriptions, renditions)

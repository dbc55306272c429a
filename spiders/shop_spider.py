"""Items of a shop: listings, item pages and reviews."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catalog.errors import UsageError
from spiders.assembly.drafts import Draft
from spiders.assembly.items import ItemReading, ReviewReading, items
from spiders.gleaning_spider import GleaningSpider, PageRead, Step
from spiders.pages.aliexpress import read_item, read_listing, read_reviews
from spiders.pages.aliexpress.modules import evaluation_url
from spiders.pages.contract import PageInput, PageResult
from spiders.sources import Source

_READERS = {"listing": read_listing, "item": read_item, "reviews": read_reviews}


class ShopSpider(GleaningSpider):
    """Collects seller photos by item and colour, and buyers' photos of the same."""

    name = "shop"
    first_role = "listing"
    counted_name = "items"

    def counted(self, draft: Draft) -> object:
        """An item is one in all its colours."""
        return draft.facts["attributes"]["item_id"]

    @classmethod
    def check(cls, source: Source) -> None:
        """There are no hints."""
        if source.hints:
            raise UsageError(f"source {source.name!r}: a shop takes no hints, found {sorted(source.hints)}")

    def read(self, step: Step, page: PageInput) -> PageResult:
        """Read a page as what it was reached as."""
        return _READERS[step.role](page)

    def follow(self, read: PageRead) -> Iterable[Step]:
        """From a listing to its items and its next page; from an item to its reviews; from reviews to more of them."""
        depth = read.step.depth + 1
        if read.step.role == "listing":
            yield from (Step(url=str(r["url"]), role="item", depth=depth) for r in read.result.records if r.get("url"))
            yield from (Step(url=url, role="listing", depth=depth) for url in read.result.pages)
        elif read.step.role == "item":
            for record in read.result.records:
                wanted = str(record.get("reviews_url") or "").partition("?")[0]
                for url in read.result.pages:
                    if wanted and url.partition("?")[0] == wanted:
                        item_id = str(record["item_id"])
                        instead = evaluation_url(item_id, read.final_url)  # where the shop keeps them since 2022
                        yield Step(url=url, role="reviews", depth=depth, of=item_id, instead=instead)
        else:
            yield from (Step(url=url, role="reviews", depth=depth, of=read.step.of) for url in read.result.pages)

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
        return items(self.work.source, found, reviews)

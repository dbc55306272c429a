"""Split items into one subject per colour, and give buyers' photos to the colour that the order line names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spiders.assembly.drafts import Draft, Shown
from spiders.pages.aliexpress import match_color, subjects_of_item
from spiders.sources import Source

_NOT_WORD = re.compile(r"\W+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReading:
    """What one item's page said."""

    page_id: str
    page_url: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewReading:
    """What one page of an item's reviews said."""

    page_id: str
    item_id: str
    records: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptionReading:
    """What an item's description page shows."""

    page_id: str
    item_id: str
    image_urls: tuple[str, ...]


def items(
    source: Source,
    pages: Sequence[ItemReading],
    reviews: Sequence[ReviewReading],
    descriptions: Sequence[DescriptionReading] = (),
    renditions: Mapping[str, str] | None = None,
) -> list[Draft]:
    """Give one draft per item and colour.

    A buyer's photo whose colour is not told, and a gallery photo, which may show any colour, go to the item's subject
    of no colour: its label is None wherever the item has colours, so that it is never taken for a positive.

    Args:
        source: the crawl's.
        pages: items; of two pages of one item the first counts.
        reviews: in the order of their pages.
        descriptions: pages with further pictures.
        renditions: the smaller picture that a page shows, by its original; taken where the original is gone.
    """
    shop = _Shop(source, renditions or {})
    for page in pages:
        shop.add_item(page)
    for description in descriptions:
        shop.add_gallery(description.item_id, description.page_id, description.image_urls)
    for review in reviews:
        for record in review.records:
            shop.add_review(review, record)
    return list(shop.drafts.values())


@dataclass(slots=True)
class _Shop:
    """Items in the making."""

    source: Source
    renditions: Mapping[str, str]
    drafts: dict[tuple[str, str | None], Draft] = field(default_factory=dict)
    pages: dict[str, ItemReading] = field(default_factory=dict)
    labels: dict[str, dict[str | None, str | None]] = field(default_factory=dict)
    """Of each item, the class of each colour."""

    def add_item(self, page: ItemReading) -> None:
        """Add an item's subjects with their seller photos, unless the item is there by another address."""
        item_id = str(page.record["item_id"])
        if item_id in self.pages:
            return
        self.pages[item_id] = page
        self.labels[item_id] = item_labels(page.record)
        gallery: tuple[str, ...] = ()
        for subject in subjects_of_item(page.record):
            draft = self._draft(item_id, subject.color)
            if subject.image_url:
                draft.shown.append(self._shown(page.page_id, "seller", subject.image_url))
            gallery = subject.gallery_urls
        self.add_gallery(item_id, page.page_id, (*gallery, *(page.record.get("description_image_urls") or ())))

    def add_gallery(self, item_id: str, page_id: str, urls: Sequence[str]) -> None:
        """Add pictures that may show any colour."""
        if urls and item_id in self.pages:
            self._draft(item_id, None).shown += [self._shown(page_id, "gallery", url) for url in urls]

    def add_review(self, review: ReviewReading, record: Mapping[str, Any]) -> None:
        """Give a review's photos to the colour that it names; nothing else of a review is kept unless asked for."""
        if review.item_id not in self.pages or not record["image_urls"]:
            return
        colors = [color for color in self.labels[review.item_id] if color is not None]
        draft = self._draft(review.item_id, match_color(record.get("color"), colors))
        draft.shown += [self._shown(review.page_id, "buyer", url) for url in record["image_urls"]]
        said = {name: record[name] for name in self.source.buyer_facts if record.get(name)}
        if said:
            draft.facts["attributes"].setdefault("buyers", []).append({**said, "image_urls": record["image_urls"]})

    def _shown(self, page_id: str, slot: str, url: str) -> Shown:
        urls = (url, self.renditions[url]) if url in self.renditions else (url,)
        return Shown(page_id=page_id, slot=slot, urls=urls)

    def _draft(self, item_id: str, color: str | None) -> Draft:
        if (item_id, color) not in self.drafts:
            page = self.pages[item_id]
            facts = {
                "kind": "item",
                "label": self.labels[item_id][color],
                "name": page.record.get("title"),
                "profile_url": page.page_url,
                "organisation": self.source.organisation,
                "attributes": _attributes(page.record, color),
            }
            self.drafts[item_id, color] = Draft(key=("item", item_id, color or ""), facts=facts)
        return self.drafts[item_id, color]


def item_labels(record: Mapping[str, Any]) -> dict[str | None, str | None]:
    """Name the classes of an item: one for each colour, and under None that of what shows no told colour.

    The latter is the item itself only where the page says that it has no colours; a page whose scripts have not run
    does not say so.
    """
    item_id = str(record["item_id"])
    colors = list(dict.fromkeys(color["name"] for color in record.get("colors") or []))
    is_plain = not colors and record.get("price") is not None
    labels: dict[str | None, str | None] = {None: item_id if is_plain else None}
    taken: Counter[str] = Counter()
    for color in colors:
        slug = _NOT_WORD.sub("_", color.casefold()).strip("_") or "color"
        taken[slug] += 1  # "Red" and "Red+" are two colours
        labels[color] = f"{item_id}-{slug}" + (f"-{taken[slug]}" if taken[slug] > 1 else "")
    return labels


def _attributes(record: Mapping[str, Any], color: str | None) -> dict[str, Any]:
    """What is kept of an item; nothing about buyers."""
    store = record.get("store") or {}
    kept = ("category", "price", "price_discounted", "currency", "rating", "review_count", "order_count")
    return {
        "item_id": str(record["item_id"]),
        "color": color,
        "store_id": store.get("id"),
        **{name: record.get(name) for name in kept},
    }

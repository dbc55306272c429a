"""Split items into one subject per colour, and give buyers' photos to the colour that the order line names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


def items(source: Source, pages: Sequence[ItemReading], reviews: Sequence[ReviewReading]) -> list[Draft]:
    """Give one draft per item and colour.

    A buyer's photo whose colour is not told, and a gallery photo, which may show any colour, go to the item's subject
    of no colour: its label is None wherever the item has colours, so that it is never taken for a positive.
    """
    drafts: dict[tuple[str, str | None], Draft] = {}
    colors: dict[str, list[str]] = {}
    records: dict[str, ItemReading] = {}
    for page in pages:
        item_id = str(page.record["item_id"])
        if item_id in records:  # two addresses of one item
            continue
        records[item_id] = page
        colors[item_id] = _seller_drafts(source, page, drafts)
    for review in reviews:
        item_page = records.get(review.item_id)
        if item_page is None:
            continue
        for record in review.records:
            color = match_color(record.get("color"), colors[review.item_id])
            draft = _draft_of(source, item_page, color, drafts)
            draft.shown += [Shown(page_id=review.page_id, slot="buyer", urls=(url,)) for url in record["image_urls"]]
    return [draft for draft in drafts.values() if draft.shown or draft.key[1]]


def _seller_drafts(source: Source, page: ItemReading, drafts: dict[tuple[str, str | None], Draft]) -> list[str]:
    """Add the subjects of one item; returns its colours."""
    found: list[str] = []
    gallery: tuple[str, ...] = ()
    for subject in subjects_of_item(page.record):
        draft = _draft_of(source, page, subject.color, drafts)
        if subject.image_url:
            draft.shown.append(Shown(page_id=page.page_id, slot="seller", urls=(subject.image_url,)))
        gallery = subject.gallery_urls
        found += [subject.color] if subject.color else []
    if gallery:
        draft = _draft_of(source, page, None, drafts)
        draft.shown += [Shown(page_id=page.page_id, slot="gallery", urls=(url,)) for url in gallery]
    return found


def _draft_of(
    source: Source, page: ItemReading, color: str | None, drafts: dict[tuple[str, str | None], Draft]
) -> Draft:
    item_id = str(page.record["item_id"])
    if (item_id, color) not in drafts:
        facts = {
            "kind": "item",
            "label": item_label(item_id, color, bool(page.record.get("colors"))),
            "name": page.record.get("title"),
            "profile_url": page.page_url,
            "organisation": source.organisation,
            "attributes": _attributes(page.record, color),
        }
        drafts[item_id, color] = Draft(key=("item", item_id, color or ""), facts=facts)
    return drafts[item_id, color]


def item_label(item_id: str, color: str | None, has_colors: bool) -> str | None:
    """Name the class item-colour; None where the item has colours but this one is not told."""
    if color is None:
        return None if has_colors else item_id
    return f"{item_id}-{_NOT_WORD.sub('_', color.casefold()).strip('_') or 'color'}"


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

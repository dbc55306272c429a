"""Item pages of 2023 on, as served: a shell with pictures, whose scripts fetch the rest."""

from __future__ import annotations

import re
from typing import Any

from catalog.errors import SourceChanged
from spiders.pages.aliexpress.document import BrokenJson, assigned_json, page_base, select
from spiders.pages.aliexpress.images import image_urls
from spiders.pages.aliexpress.modules import evaluation_url
from spiders.pages.contract import PageInput

_ITEM_ID = re.compile(r"/(?:item|i|store/product)/(?:[^/?#]{1,300}/)?(?:\d{1,12}_)?(\d{6,20})(?:\.html?|[?#]|$)")
_SITE_SUFFIX = re.compile(r"\s*[-|]\s*AliExpress(?:\s*\d+)?\s*$", re.IGNORECASE)


def item_id_in(url: str | None) -> str | None:
    """Find the item id in the address of its page (`/item/1005001234567890.html`, `/item/Name/32901234567.html`).

    Until 2018 stores linked their items as `/store/product/Name/<store>_<item>.html`.
    """
    found = _ITEM_ID.search(url or "")
    return found.group(1) if found else None


def item_from_shell(text: str, root: Any, page: PageInput) -> dict[str, Any] | None:
    """Read what a shell says without its scripts: id, title and pictures.

    Returns:
        An item record whose other fields are null or empty; None where the page has no `_d_c_.DCData`.

    Raises:
        SourceChanged: the data or the page's head lacks id, title or pictures, or the data is cut.
    """
    if "_d_c_.DCData" not in text:
        return None
    try:
        data = next(assigned_json(text, "_d_c_.DCData"), None)
    except BrokenJson as error:
        raise SourceChanged(f"item page {page.url}: expected JSON at _d_c_.DCData, found {error}") from error
    if data is None:
        return None
    base = page_base(root, page)
    title = _meta(root, "og:title")
    links = [_meta(root, "og:url"), page.url, *(link.get("href") for link in select(root, "link[rel=canonical]"))]
    pictures = data.get("imagePathList") or data.get("summImagePathList")
    record: dict[str, Any] = {
        "item_id": next((found for found in map(item_id_in, links) if found), None),
        "title": _SITE_SUFFIX.sub("", title) if title else None,
        "price": None,
        "price_discounted": None,
        "currency": None,
        "rating": None,
        "review_count": None,
        "order_count": None,
        "store": None,
        "category": None,
        "properties": {},
        "sizes": [],
        "colors": [],
        "image_urls": image_urls(pictures, base),
        "description_image_urls": [],
        "reviews_url": None,
    }
    expected = {"item_id": "meta[property='og:url']", "title": "meta[property='og:title']"}
    for field in ("item_id", "title", "image_urls"):
        if not record[field]:
            place = expected.get(field, "$.imagePathList of _d_c_.DCData")
            raise SourceChanged(f"item page {page.url}: expected {field} at {place}, found nothing")
    record["reviews_url"] = evaluation_url(record["item_id"], page.url)
    return record


def shell_pictures(text: str, base: str) -> list[str]:
    """Give the pictures that a shell names; none where it has no data or broken data."""
    try:
        data = next(assigned_json(text, "_d_c_.DCData"), {})
    except BrokenJson:
        return []
    return image_urls(data.get("imagePathList") or data.get("summImagePathList"), base)


def _meta(root: Any, name: str) -> str | None:
    for element in select(root, f'meta[property="{name}"]'):
        content = " ".join((element.get("content") or "").split())
        if content:
            return content
    return None

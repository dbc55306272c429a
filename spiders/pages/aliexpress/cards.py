"""Items of a rendered list: the boxes around links to item pages, whatever their classes are called."""

from __future__ import annotations

import re
from typing import Any

from spiders.pages.aliexpress.dcdata import item_id_in
from spiders.pages.aliexpress.document import absolute_url, first_text, select, text_in
from spiders.pages.aliexpress.images import image_url, is_icon_url
from spiders.pages.aliexpress.money import read_currency, read_price

_EMPTY = "[class*=no-result], [class*=noResult], #list-items, #card-list, #hs-below-list-items, ul.items-list"
"""What a list without items still has."""

_SITE = re.compile(r"alicdn\.com|aliexpress-media\.com|\baliexpress\.")
_PICTURE_ATTRIBUTES = ("image-src", "data-src", "src", "data-lazy-src")
_MAX_PRICE_CHARS = 80
_NUMBER = r"[^\d%]{0,8}\d[\d.,\s]{0,16}[^\d%]{0,8}"
_AMOUNT = re.compile(rf"{_NUMBER}(?:[-–—~]{_NUMBER})?")


def cards_of(root: Any, base: str) -> list[dict[str, Any]] | None:
    """Read the cards of a page.

    Returns:
        Records `{"item_id", "url", "title", "image_url", "price"}` in page order, each item once; an empty list where
        the page is a list without items; None where it is no list.
    """
    links: dict[str, list[Any]] = {}
    for link in select(root, "a[href]"):
        item_id = item_id_in(link.get("href"))
        if item_id:
            links.setdefault(item_id, []).append(link)
    if not links:
        return [] if select(root, _EMPTY) and _is_own(root) else None
    owners = {link: item_id for item_id, group in links.items() for link in group}
    counts = _items_below(owners)
    return [_card(item_id, group, counts, base) for item_id, group in links.items()]


def _is_own(root: Any) -> bool:
    addresses = root.xpath("//@href | //@src")
    return any(_SITE.search(address) for address in addresses)


def _items_below(owners: dict[Any, str]) -> dict[Any, set[str]]:
    """Tell for each ancestor of a link which items it holds."""
    below: dict[Any, set[str]] = {}
    for link, item_id in owners.items():
        for ancestor in link.iterancestors():
            below.setdefault(ancestor, set()).add(item_id)
    return below


def _card(item_id: str, links: list[Any], below: dict[Any, set[str]], base: str) -> dict[str, Any]:
    """Read the largest box around an item's first link that holds no other item."""
    box = links[0]
    for ancestor in links[0].iterancestors():
        if len(below[ancestor]) > 1 or ancestor.tag in ("body", "html"):
            break
        box = ancestor
    return {
        "item_id": item_id,
        "url": absolute_url(links[0].get("href"), base),
        "title": _title(box, links),
        "image_url": _picture(box, base),
        "price": _price(box),
    }


def _title(box: Any, links: list[Any]) -> str | None:
    for link in links:
        words = " ".join((link.get("title") or "").split())
        if words:
            return words
    for selector in ("h1, h2, h3", "[class*=title]"):
        heading = first_text(box, selector)
        if heading:
            return heading
    named = [" ".join(name.split()) for name in box.xpath(".//div[@title]/@title | .//img/@alt")]
    written = [text_in(link) for link in links]
    return max(named + written, key=len, default="") or None


def _picture(box: Any, base: str) -> str | None:
    for img in box.iter("img"):
        for attribute in _PICTURE_ATTRIBUTES:
            url = image_url(img.get(attribute), base)
            if url and not is_icon_url(url):
                return url
    return None


def _price(box: Any) -> dict[str, float] | None:
    """Read the first element that is an amount in a currency and nothing else; what is struck out comes after it."""
    for element in box.iter():
        words = "".join(element.itertext()) if isinstance(element.tag, str) else ""
        line = " ".join(words.split()) if len(words) <= _MAX_PRICE_CHARS else ""
        if _AMOUNT.fullmatch(line) and read_currency(line):
            return read_price(line)
    return None

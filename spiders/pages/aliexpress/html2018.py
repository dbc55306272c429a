"""Item pages of 2018 and before: what they tell stands in their HTML."""

from __future__ import annotations

import json
import re
from typing import Any

from catalog.errors import SourceChanged
from spiders.pages.aliexpress.dcdata import item_id_in
from spiders.pages.aliexpress.document import absolute_url, first_text, page_base, select, text_in
from spiders.pages.aliexpress.images import image_url, image_urls
from spiders.pages.aliexpress.modules import spec_values, store_record
from spiders.pages.aliexpress.money import (
    price_between,
    read_count,
    read_currency,
    read_number,
    read_price,
    read_rating,
)
from spiders.pages.aliexpress.variants import color_property, size_values
from spiders.pages.contract import PageInput

_MARKS = ("product-name", "j-sku-price", "j-sku-discount-price", "p-property-item", "propery-title", "store-lnk")
"""Ids and classes of this generation (`propery` is the shop's own spelling); looked for in the text: that is cheap."""

_ASSIGNED = r"""window\.runParams\.%s\s*=\s*["']([^"']{1,2000})["']"""
_BIG_VIEWS = re.compile(r"window\.runParams\.imageBigViewURL\s*=\s*(\[[^\]]{0,20000}\])")


def item_from_html(text: str, root: Any, page: PageInput) -> tuple[dict[str, Any], str | None] | None:
    """Read an item.

    Returns:
        The record and the address of the description page; None where fewer than two of the generation's marks are
        there.

    Raises:
        SourceChanged: id, title, price or pictures are missing.
    """
    if sum(mark in text for mark in _MARKS) < 2:
        return None
    base = page_base(root, page)
    price, discounted = _price(root, "#j-sku-price"), _price(root, "#j-sku-discount-price")
    if price is None:
        price, discounted = discounted, None
    properties = _variant_properties(root, base)
    colors = color_property(properties)
    record: dict[str, Any] = {
        "item_id": _item_id(text, root, page),
        "title": first_text(root, "h1.product-name"),
        "price": price,
        "price_discounted": discounted,
        "currency": _currency(text, root),
        "rating": read_rating(first_text(root, "[itemprop=ratingValue]")),
        "review_count": read_count(first_text(root, "[itemprop=reviewCount]")),
        "order_count": read_count(first_text(root, "#j-order-num")),
        "store": _store(root, base),
        "category": " > ".join(_categories(root)) or None,
        "properties": spec_values(_specs(root)),
        "sizes": size_values(properties),
        "colors": [dict(value) for value in colors["values"]] if colors else [],
        "image_urls": _gallery(text, root, base),
        "description_image_urls": image_urls(
            [img.get("src") or img.get("data-src") for img in select(root, ".description-content img")], base
        ),
        "reviews_url": next(
            (absolute_url(frame.get("thesrc"), base) for frame in select(root, "#feedback iframe[thesrc]")), None
        ),
    }
    places = {"item_id": "input[name=objectId]", "title": "h1.product-name", "price": "span#j-sku-price"}
    for field in ("item_id", "title", "price", "image_urls"):
        if not record[field]:
            place = places.get(field, "span.img-thumb-item img")
            raise SourceChanged(f"item page {page.url}: expected {field} at {place}, found nothing")
    description = re.search(_ASSIGNED % "descUrl", text)
    return record, absolute_url(description.group(1), base) if description else None


def _price(root: Any, selector: str) -> dict[str, float] | None:
    for element in select(root, selector):
        bounds = [first_text(element, f"[itemprop={name}]") for name in ("lowPrice", "highPrice")]
        return price_between(*map(read_number, bounds)) or read_price(text_in(element))
    return None


def _currency(text: str, root: Any) -> str | None:
    for element in select(root, "[itemprop=priceCurrency][content]"):
        return read_currency(element.get("content"))
    named = re.search(_ASSIGNED % "baseCurrencyCode", text) or re.search(_ASSIGNED % "currencyCode", text)
    code = read_currency(named.group(1)) if named else None
    prices = select(root, ".p-symbol, #j-sku-price, #j-sku-discount-price")
    return code or next((found for found in (read_currency(text_in(price)) for price in prices) if found), None)


def _item_id(text: str, root: Any, page: PageInput) -> str | None:
    for field in select(root, "input[name=objectId][value], #hid-product-id[value]"):
        if field.get("value").strip().isdecimal():
            return str(field.get("value").strip())
    links = [link.get("href") for link in select(root, "link[rel=canonical]")]
    known = next((found for found in map(item_id_in, [*links, page.url]) if found), None)
    assigned = re.search(_ASSIGNED % "productId", text)
    return known or (assigned.group(1) if assigned and assigned.group(1).isdecimal() else None)


def _store(root: Any, base: str) -> dict[str, str | None] | None:
    for link in select(root, "a.store-lnk"):
        number = re.search(r"/store/(?:[^/?#]*/)?(\d+)", link.get("href") or "")
        return store_record(text_in(link), number.group(1) if number else None, link.get("href"), base)
    return None


def _categories(root: Any) -> list[str]:
    links = select(root, ".ui-breadcrumb a[href*='/category/']")
    return [name for name in map(text_in, links) if name]


def _specs(root: Any) -> list[tuple[str, str | None]]:
    """Pair each property's name with its value; by a walk, since selecting in each of many entries is slow."""
    specs: list[tuple[str, str | None]] = []
    for entry in select(root, "li.property-item"):
        parts = {part.get("class", "").strip(): part for part in entry.iter("span")}
        name, value = parts.get("propery-title"), parts.get("propery-des")
        if name is not None and value is not None:
            specs.append((text_in(name).rstrip(" :："), text_in(value)))
    return specs


def _variant_properties(root: Any, base: str) -> list[dict[str, Any]]:
    properties = []
    for block in select(root, "dl.p-property-item"):
        lists = select(block, "[data-sku-prop-id]")
        properties.append(
            {
                "id": lists[0].get("data-sku-prop-id") if lists else "",
                "name": (first_text(block, "dt.p-item-title") or "").rstrip(" :："),
                "shows_color": False,
                "values": [value for value in (_variant(link, base) for link in select(block, "li a")) if value],
            }
        )
    return properties


def _variant(link: Any, base: str) -> dict[str, Any] | None:
    name = " ".join((link.get("title") or "").split()) or text_in(link)
    pictures = (img.get("bigpic") or img.get("src") for img in select(link, "img"))
    picture = next((url for url in (image_url(address, base) for address in pictures) if url), None)
    return {"name": name, "image_url": picture} if name else None


def _gallery(text: str, root: Any, base: str) -> list[str]:
    thumbs = [img.get("src") or img.get("data-src") for img in select(root, "span.img-thumb-item img")]
    if thumbs:
        return image_urls(thumbs, base)
    assigned = _BIG_VIEWS.search(text)
    try:
        return image_urls(json.loads(assigned.group(1)), base) if assigned else []
    except (ValueError, RecursionError):
        return []

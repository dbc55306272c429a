"""Item pages of 2023 on, once their scripts have run: the document that a browser holds.

Classes are made of a stable name and a part that changes with each build (`price--currentPriceText--V8_y_b5`); only
the stable name is looked for.
"""

from __future__ import annotations

import re
from typing import Any

from catalog.errors import SourceChanged
from spiders.pages.aliexpress.dcdata import item_id_in, shell_pictures
from spiders.pages.aliexpress.document import first_text, page_base, select, text_in
from spiders.pages.aliexpress.images import image_url, image_urls
from spiders.pages.aliexpress.modules import category_path, evaluation_url, spec_values, store_record
from spiders.pages.aliexpress.money import read_count, read_currency, read_price, read_rating
from spiders.pages.aliexpress.variants import color_property, size_values
from spiders.pages.contract import PageInput

_MARKS = ("product-title", "title--title", "price--current", "price-default--")
"""Looked for in the text first: that is cheap, and no page without two of them is filled in."""
_TITLE = "h1[data-pl=product-title], [class*='title--titleText'] h1, h1[class*='title--']"
_PAID = (
    "[class*='price--currentPriceText'], [class*='price-default--current'], [class*='price--current--'],"
    " .product-price-current, [class*='product-price-value']"
)
_STRUCK = "[class*='price--originalText'], [class*='price-default--original'], .product-price-del"
_REVIEWER = "[data-pl=product-reviewer] strong, [class*='reviewer--rating'] strong"
_REVIEWS = "[class*='reviewer--reviews'], .product-reviewer-reviews"
_SOLD = "[class*='reviewer--sold'], .product-reviewer-sold"
_STORE = "a[data-pl=store-name], [class*='store-detail--storeName'] a, a[class*='store-info--name']"
_PROPERTY = "[class*='sku-item--property']"
_PROPERTY_NAME = "[class*='sku-item--title']"
_GALLERY = "[class*='slider--img'] img, [class*='slider--item'] img"
_SPEC = "[class*='specification--prop']"
_BREADCRUMB = "[class*='breadcrumb'] a[href*='/category/']"

_CATEGORY = re.compile(r"/category/(\d+)")
_STORE_ID = re.compile(r"/store/(?:[^/?#]*/)?(\d+)")


def item_from_dom(text: str, root: Any, page: PageInput) -> dict[str, Any] | None:
    """Read an item.

    Returns:
        The record; None where title or price are not filled in (yet).

    Raises:
        SourceChanged: a filled page lacks its id or its pictures.
    """
    if sum(mark in text for mark in _MARKS) < 2:
        return None
    title, paid = first_text(root, _TITLE), _first_price(root, _PAID)
    if not title or not paid:
        return None
    base = page_base(root, page)
    struck = _first_price(root, _STRUCK)
    properties = _variant_properties(root, base)
    colors = color_property(properties)
    links = [link.get("href") for link in select(root, "link[rel=canonical]")]
    record: dict[str, Any] = {
        "item_id": next((found for found in map(item_id_in, [page.url, *links]) if found), None),
        "title": title,
        "price": (struck or paid)[0],
        "price_discounted": paid[0] if struck and struck[0] != paid[0] else None,
        "currency": paid[1] or (struck[1] if struck else None),
        "rating": read_rating(first_text(root, _REVIEWER)),
        "review_count": read_count(first_text(root, _REVIEWS)),
        "order_count": read_count(first_text(root, _SOLD)),
        "store": _store(root, base),
        "category": category_path(_breadcrumb(root)),
        "properties": spec_values(_specs(root)),
        "sizes": size_values(properties),
        "colors": [dict(value) for value in colors["values"]] if colors else [],
        "image_urls": shell_pictures(text, base) or _gallery(root, base),
        "description_image_urls": image_urls(
            [img.get("src") or img.get("data-src") for img in select(root, "#product-description img")], base
        ),
        "reviews_url": None,
    }
    for field, place in (("item_id", "link[rel=canonical]"), ("image_urls", _GALLERY)):
        if not record[field]:
            raise SourceChanged(f"item page {page.url}: expected {field} at {place}, found nothing")
    record["reviews_url"] = evaluation_url(record["item_id"], page.url)
    return record


def _first_price(root: Any, selector: str) -> tuple[dict[str, float], str | None] | None:
    for element in select(root, selector):
        words = text_in(element)
        price = read_price(words)
        if price:
            return price, read_currency(words)
    return None


def _store(root: Any, base: str) -> dict[str, str | None] | None:
    for link in select(root, _STORE):
        number = _STORE_ID.search(link.get("href") or "")
        return store_record(text_in(link), number.group(1) if number else None, link.get("href"), base)
    return None


def _breadcrumb(root: Any) -> list[dict[str, str]]:
    links = ((_CATEGORY.search(link.get("href")), text_in(link)) for link in select(root, _BREADCRUMB))
    return [{"cateId": number.group(1), "name": name} for number, name in links if number]


def _specs(root: Any) -> list[tuple[str | None, str | None]]:
    return [
        (first_text(entry, "[class*='specification--title']"), first_text(entry, "[class*='specification--desc']"))
        for entry in select(root, _SPEC)
    ]


def _variant_properties(root: Any, base: str) -> list[dict[str, Any]]:
    """Read the variant properties; a heading names the property and, after a colon, the value that is chosen."""
    properties = []
    for block in select(root, _PROPERTY):
        options = select(block, "[data-sku-col]")
        heading = first_text(block, _PROPERTY_NAME) or ""
        properties.append(
            {
                "id": options[0].get("data-sku-col").partition("-")[0] if options else "",
                "name": re.split(r"[:：]", heading, maxsplit=1)[0].strip(),
                "shows_color": False,
                "values": [value for value in (_option(option, base) for option in options) if value],
            }
        )
    return properties


def _option(option: Any, base: str) -> dict[str, Any] | None:
    pictures = select(option, "img")
    words = [option.get("title"), *(img.get("alt") for img in pictures), text_in(option)]
    name = next((" ".join(word.split()) for word in words if word and word.strip()), None)
    shown = (image_url(img.get("src") or img.get("data-src"), base) for img in pictures)
    return {"name": name, "image_url": next((url for url in shown if url), None)} if name else None


def _gallery(root: Any, base: str) -> list[str]:
    return image_urls([img.get("src") or img.get("data-src") for img in select(root, _GALLERY)], base)

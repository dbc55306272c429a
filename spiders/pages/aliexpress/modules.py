"""Items from the data that their pages embed: one reader, one table of JSON paths for each generation of the shop."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urljoin

from catalog.errors import SourceChanged
from spiders.pages.aliexpress.document import absolute_url, dig, first_of, objects, plain, with_query
from spiders.pages.aliexpress.images import image_urls
from spiders.pages.aliexpress.money import (
    finite,
    price_between,
    read_count,
    read_currency,
    read_price,
    read_rating,
)
from spiders.pages.aliexpress.variants import color_property, size_values, sku_properties
from spiders.pages.aliexpress.vocabularies import VOCABULARIES, Vocabulary
from spiders.pages.contract import PageIssue

_OWN_HOST = re.compile(r"^https?://(?:[\w-]+\.)*aliexpress\.\w+(?:[:/?#]|$)")


def find_item_data(data: Any, depth: int = 4) -> tuple[Vocabulary, dict[str, Any]] | None:
    """Find the object that holds an item's parts, however deep answers wrap it (`data.result`, `data.data`).

    Returns:
        Its vocabulary and the object; None where no generation's parts are there.
    """
    if not isinstance(data, dict):
        return None
    for vocabulary in VOCABULARIES:
        parts = vocabulary.known_parts() - vocabulary.ignored
        if vocabulary.mandatory_part in data or len(parts & data.keys()) >= 3:
            return vocabulary, data
    inner = (find_item_data(data[key], depth - 1) for key in ("data", "result", "root", "fields") if key in data)
    return next((found for found in inner if found), None) if depth else None


def item_from_data(data: Mapping[str, Any], words: Vocabulary, url: str) -> tuple[dict[str, Any], list[PageIssue]]:
    """Read one item.

    Args:
        data: the object that holds the parts.
        words: the generation that it was recognised as.
        url: the page's address.

    Returns:
        The record, and a `record_drift` issue for each part that is neither read nor ignored by name.

    Raises:
        SourceChanged: id, title, pictures or price are not where the generation keeps them.
    """
    listed, paid = _offer_prices(data)
    price = listed or _first_price(data, words.price)
    discounted = paid or _first_price(data, words.discounted)
    if price is None:  # newer data names only what is to be paid where nothing is struck out
        price, discounted = discounted, None
    if discounted == price:
        discounted = None
    properties = sku_properties(first_of(data, *words.sku), url)
    colors = color_property(properties)
    record = {
        "item_id": plain(first_of(data, *words.item_id)),
        "title": plain(first_of(data, *words.title)),
        "price": price,
        "price_discounted": discounted,
        "currency": _currency(data, words),
        "rating": read_rating(first_of(data, *words.rating)),
        "review_count": read_count(first_of(data, *words.review_count)),
        "order_count": read_count(first_of(data, *words.order_count)),
        "store": store_record(
            first_of(data, *words.store_name), first_of(data, *words.store_id), first_of(data, *words.store_url), url
        ),
        "category": category_path(objects(first_of(data, *words.breadcrumb))),
        "properties": spec_values(
            (entry.get("attrName"), entry.get("attrValue")) for entry in objects(first_of(data, *words.specs))
        ),
        "sizes": size_values(properties),
        "colors": [dict(value) for value in colors["values"]] if colors else [],
        "image_urls": image_urls(first_of(data, *words.images), url),
        "description_image_urls": [],
        "reviews_url": None,
    }
    for field, paths in (("item_id", words.item_id), ("title", words.title), ("image_urls", words.images)):
        if not record[field]:
            raise SourceChanged(f"item page {url}: expected {field} at $.{paths[0]}, found nothing")
    if price is None:
        raise SourceChanged(f"item page {url}: expected price at $.{words.price[0][0]}, found nothing")
    record["reviews_url"] = _reviews_url(data, words, str(record["item_id"]), url)
    return record, _drift(data, words)


def description_url(data: Mapping[str, Any], words: Vocabulary, url: str) -> str | None:
    """Give the address of the page that holds the item's description."""
    return absolute_url(first_of(data, *words.description), url)


def store_record(name: Any, number: Any, address: Any, url: str) -> dict[str, str | None] | None:
    """Make the store's part of an item record; None where the page names no store."""
    store = {"name": plain(name), "id": plain(number), "url": absolute_url(address, url)}
    return store if any(store.values()) else None


def category_path(breadcrumb: Iterable[Mapping[str, Any]]) -> str | None:
    """Join the categories from the widest to the narrowest; entries without a category (Home) are left out."""
    names = [plain(entry.get("name")) for entry in breadcrumb if entry.get("cateId")]
    return " > ".join(name for name in names if name) or None


def spec_values(pairs: Iterable[tuple[Any, Any]]) -> dict[str, str | list[str]]:
    """Gather properties by name in page order; a name that is repeated keeps a list of all its values."""
    gathered: dict[str, list[str]] = {}
    for name, value in ((plain(name), plain(value)) for name, value in pairs):
        if name and value is not None:
            gathered.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in gathered.items()}


def evaluation_url(item_id: str, page_url: str) -> str:
    """Give the address of the review data of an item whose page fetches it by script.

    Args:
        item_id: the item.
        page_url: its page; a mirror of the shop under another name answers under that name.
    """
    known = absolute_url(page_url, page_url)
    server = "https://feedback.aliexpress.com" if not known or _OWN_HOST.search(known) else known
    query = f"productId={item_id}&lang=en_US&country=US&page=1&pageSize=20&filter=all&sort=complex_default"
    return urljoin(server, f"/pc/searchEvaluation.do?{query}")


def _first_price(data: Mapping[str, Any], places: tuple[tuple[str, str, str], ...]) -> dict[str, float] | None:
    for low, high, text in places:
        bounds = [finite(dig(data, f"{path}.value")) for path in (low, high)]
        price = price_between(*bounds) or read_price(dig(data, text))
        if price:
            return price
    return None


def _offer_prices(data: Mapping[str, Any]) -> tuple[dict[str, float] | None, dict[str, float] | None]:
    """Span the prices of all variants before and after discounts, where the data prices each variant by itself."""
    listed = first_of(data, "PRICE.skuIdStrPriceInfoMap", "PRICE.skuPriceInfoMap")
    offers = [offer for offer in listed.values() if isinstance(offer, dict)] if isinstance(listed, dict) else []
    target = dig(data, "PRICE.targetSkuPriceInfo")
    if isinstance(target, dict):
        offers = [target if "$ref" in offer else offer for offer in offers]
    before = (read_price(first_of(offer, "originalPrice.value", "originalPrice.formatedAmount")) for offer in offers)
    after = (read_price(first_of(offer, "salePriceString", "salePrice.value")) for offer in offers)
    return _span(before), _span(after)


def _span(prices: Iterable[dict[str, float] | None]) -> dict[str, float] | None:
    known = [price for price in prices if price]
    if not known:
        return None
    return price_between(min(price["low"] for price in known), max(price["high"] for price in known))


def _currency(data: Mapping[str, Any], words: Vocabulary) -> str | None:
    named = plain(first_of(data, *words.currency))
    texts = (dig(data, text) for _, _, text in words.price + words.discounted)
    return named or next((code for code in map(read_currency, texts) if code), None)


def _reviews_url(data: Mapping[str, Any], words: Vocabulary, item_id: str, url: str) -> str | None:
    server = absolute_url(first_of(data, *words.feedback_server), url) if words.feedback_server else None
    if not server:
        return evaluation_url(item_id, url)
    return with_query(
        f"{server.rstrip('/')}/display/productEvaluation.htm",
        productId=item_id,
        ownerMemberId=plain(first_of(data, *words.owner_id)) or "",
        companyId=plain(first_of(data, *words.company_id)) or "",
        memberType="seller",
        i18n="true",
    )


def _drift(data: Mapping[str, Any], words: Vocabulary) -> list[PageIssue]:
    known = words.known_parts()
    unknown = [name for name, part in data.items() if isinstance(part, dict) and name not in known]
    return [
        PageIssue(reason="record_drift", where=f"$.{name}", detail="a part that no reader knows") for name in unknown
    ]

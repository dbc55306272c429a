"""Lists of items: search results and categories, as data or as rendered cards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urljoin

from catalog.errors import SourceChanged
from spiders.pages.aliexpress.blocked import is_blocked, unreadable, unrecognised
from spiders.pages.aliexpress.cards import cards_of
from spiders.pages.aliexpress.document import (
    BrokenJson,
    absolute_url,
    assigned_json,
    dig,
    first_of,
    nested,
    next_page,
    page_base,
    page_text,
    plain,
    select,
    tree,
    whole_json,
)
from spiders.pages.aliexpress.images import image_url
from spiders.pages.aliexpress.money import finite, price_between, read_count, read_price
from spiders.pages.contract import PageInput, PageIssue, PageResult

_ITEM_PAGE = "meta[property='og:type'][content='product'], h1.product-name, h1[data-pl=product-title]"
_VARIABLES = ("window._dida_config_._init_data_", "_init_data_", "window.runParams")


def read_listing(page: PageInput) -> PageResult:
    """Read one page of a list of items.

    Returns:
        Records `{"item_id", "url", "title", "image_url", "price"}` in page order, each item once; `pages` is the next
        page of the list, if any: by the page's own count of results, by its link, else the next number until a page
        holds no item. Formats: `search_json`, `search_embedded`, `search_html`.

    Raises:
        PageBlocked: a challenge page.
        PageForeign: no list of this shop.
        SourceChanged: a list without items where it says that there are some, or whose items have no ids.
    """
    text = page_text(page)
    try:
        result = _from_data(page, text)
    except BrokenJson as error:
        raise unreadable(page, text, error, "$.mods.itemList.content") from error
    root = tree(text) if result is None and "<" in text else None
    if root is not None and not is_blocked(page, text):
        result = _from_tree(page, root)
    if result is None:
        raise unrecognised(page, text)
    return result


def _from_data(page: PageInput, text: str) -> PageResult | None:
    whole = whole_json(text)
    if whole is not None:
        return _from_json(page, whole, "search_json")
    embedded = (value for name in _VARIABLES if name in text for value in assigned_json(text, name))
    results = (_from_json(page, value, "search_embedded") for value in embedded)
    return next((result for result in results if result), None)


def _from_json(page: PageInput, data: Any, page_format: str) -> PageResult | None:
    found = _entries(data)
    if found is None:
        return None
    path, entries = found
    facts = _paging(data)
    if entries is None:
        if facts.get("total") == 0:
            return PageResult(kind="listing", page_format=page_format)
        raise SourceChanged(f"{page.url}: expected a list at $.{path}, found none")
    records: dict[str, dict[str, Any]] = {}
    issues = []
    for position, entry in enumerate(entries):
        record = _record(entry, page.url) if isinstance(entry, dict) else None
        if record:
            records.setdefault(record["item_id"], record)
        elif not _is_insert(entry):
            issues.append(PageIssue(reason="record_odd", where=f"$.{path}[{position}].productId", detail="no item id"))
    if issues and not records:
        raise SourceChanged(f"{page.url}: expected item ids at $.{path}[*].productId, found none")
    return PageResult(
        kind="listing",
        page_format=page_format,
        records=tuple(records.values()),
        pages=_following(page.url, facts) if records else (),
        issues=tuple(issues),
    )


def _entries(data: Any) -> tuple[str, list[Any] | None] | None:
    """Find the list of items; the list is None where only the frame of a search answer is there."""
    framed = False
    for entry in nested(data):
        content = dig(entry, "itemList.content")
        if isinstance(content, list):
            return "mods.itemList.content", content
        for key in ("content", "items"):
            if isinstance(entry.get(key), list) and any(_item_id(item) for item in entry[key][:5]):
                return key, entry[key]
        framed = framed or isinstance(entry.get("mods"), dict)
    return ("mods.itemList.content", None) if framed else None


def _paging(data: Any) -> dict[str, int]:
    """Read page number, page size and number of results, as far as an answer tells them."""
    names = {
        "page": ("pageInfo.page", "currentPage", "page"),
        "size": ("pageInfo.pageSize", "resultSizePerPage"),
        "total": ("pageInfo.totalResults", "resultCount"),
    }
    facts: dict[str, int] = {}
    for entry in nested(data):
        for fact, paths in names.items():
            count = read_count(first_of(entry, *paths))
            if count is not None:
                facts.setdefault(fact, count)
    return facts


def _following(url: str, facts: dict[str, int]) -> tuple[str, ...]:
    if {"page", "size", "total"} <= facts.keys() and facts["page"] * facts["size"] >= facts["total"]:
        return ()
    return next_page(url, facts.get("page") or None)


def _is_insert(entry: Any) -> bool:
    """Tell whether an entry is a banner or a box of keywords between the items."""
    kind = plain(entry.get("itemType")) if isinstance(entry, dict) else None
    return kind is not None and not kind.startswith("product")


def _item_id(entry: Any) -> str | None:
    number = plain(first_of(entry, "productId", "itemId", "productIdStr"))
    return number if number and number.isdecimal() else None


def _record(entry: dict[str, Any], url: str) -> dict[str, Any] | None:
    item_id = _item_id(entry)
    if not item_id:
        return None
    title = first_of(entry, "title.displayTitle", "title.seoTitle", "title", "productTitle")
    return {
        "item_id": item_id,
        "url": item_url(first_of(entry, "productDetailUrl", "detailUrl"), item_id, url),
        "title": plain(title),
        "image_url": image_url(first_of(entry, "image.imgUrl", "imageUrl", "productImage", "image"), url),
        "price": _price(entry),
    }


def item_url(address: Any, item_id: str, page_url: str) -> str:
    """Give an item's address without what only tracks the visitor; made of its id where the list has none."""
    url = absolute_url(address, page_url) or absolute_url(f"/item/{item_id}.html", page_url)
    return (url or urljoin("https://www.aliexpress.com", f"/item/{item_id}.html")).partition("?")[0].partition("#")[0]


def _price(entry: dict[str, Any]) -> dict[str, float] | None:
    for path in ("prices.salePrice", "prices.originalPrice", "price", "salePrice"):
        offer = dig(entry, path)
        if isinstance(offer, dict):
            bounds: Iterable[float | None] = (finite(offer.get("minPrice")), finite(offer.get("maxPrice")))
            price = price_between(*bounds) or read_price(first_of(offer, "formattedPrice", "formatedPrice", "value"))
        else:
            price = read_price(offer)
        if price:
            return price
    return None


def _from_tree(page: PageInput, root: Any) -> PageResult | None:
    if select(root, _ITEM_PAGE):
        return None  # an item's page, which recommends others
    base = page_base(root, page)
    found = cards_of(root, base)
    if found is None:
        return None
    records = [record | {"url": item_url(record["url"], record["item_id"], base)} for record in found]
    links = (link.get("href") for link in select(root, "link[rel=next], a[rel=next], a.page-next, .next-btn a"))
    following = next((url for url in (absolute_url(link, base) for link in links) if url), None)
    issues = [
        PageIssue(reason="record_no_image", where=record["url"], detail="the card shows no picture yet")
        for record in records
        if not record["image_url"]
    ]
    return PageResult(
        kind="listing",
        page_format="search_html",
        records=tuple(records),
        pages=((following,) if following else next_page(page.url)) if records else (),
        issues=tuple(issues),
    )

"""Lists of a category's items: as data, embedded in the page, and as rendered cards."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any

from sampleweb.shop.offers import Category, Offer
from sampleweb.world import Served

PAGE_SIZE = 12
GONE_ID = "4000199999999"
"""An item that the list of skirts still shows, although its page says that it was taken off."""


def pages_of(category: Category, offers: Sequence[Offer]) -> dict[str, Served]:
    """Write all pages of a list."""
    parts = [offers[start : start + PAGE_SIZE] for start in range(0, len(offers), PAGE_SIZE)]
    pages = {}
    for number, part in enumerate(parts, start=1):
        key = category.start if number == 1 else f"{category.start}?page={number}"
        pages[key] = _page(category, part, number, len(offers), is_last=number == len(parts))
    return pages


def _page(category: Category, part: Sequence[Offer], number: int, total: int, *, is_last: bool) -> Served:
    match category.list_format:
        case "json":
            body = json.dumps(_data(part, number, total), ensure_ascii=False).encode()
            return Served(body=body, content_type="application/json")
        case "cards":
            return _html(
                category, f'<div id="card-list">{"".join(map(_card, part))}</div>{_next(category, number, is_last)}'
            )
        case "cards2018":
            cards = "".join(map(_card_2018, part))
            return _html(category, f'<ul id="list-items">{cards}</ul>{_next(category, number, is_last)}')
        case "init_data":
            wrapped = {"data": {"root": {"fields": _data(part, number, total)}}}
            script = f"window._dida_config_ = {{}};\nwindow._dida_config_._init_data_= {{ data: {_script(wrapped)} }};"
            return _html(category, f"<script>{script}</script>")
        case _:
            data = _data(part, number, total)
            if number == 1:
                data["mods"]["itemList"]["content"].insert(1, _entry(GONE_ID, "Taken off", "/kf/Sgone.jpg", 9.99))
            return _html(category, f"<script>window.runParams = {_script(data)};</script>")


def _script(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _html(category: Category, body: str) -> Served:
    head = f'<head><meta charset="utf-8"><title>{html.escape(category.heading)} - Sample shop</title></head>'
    return Served(body=f"<!DOCTYPE html><html>{head}<body>{body}</body></html>".encode())


def _next(category: Category, number: int, is_last: bool) -> str:
    """Write the link to the next page; without one a crawl asks for the next number until there is none."""
    if is_last:
        return ""
    link = f'<a class="page-next" href="{category.start}?page={number + 1}">Next</a>'
    return f'<div class="ui-pagination-navi">{link}</div>'


def _entry(item_id: str, title: str, path: str, price: float) -> dict[str, Any]:
    return {
        "productId": item_id, "itemType": "productV3", "title": {"displayTitle": title},
        "image": {"imgUrl": f"{path}_640x640.jpg"}, "productDetailUrl": f"/item/{item_id}.html",
        "prices": {"salePrice": {"formattedPrice": f"US ${price:.2f}", "minPrice": price, "currencyCode": "USD"}},
    }  # fmt: skip


def _cover(offer: Offer) -> str:
    return next(iter(offer.pictured().values()))


def _data(part: Sequence[Offer], number: int, total: int) -> dict[str, Any]:
    content = [_entry(offer.item_id, offer.title, _cover(offer), offer.cents / 100) for offer in part]
    return {
        "mods": {"itemList": {"content": content}},
        "pageInfo": {"page": number, "pageSize": PAGE_SIZE, "totalResults": total},
    }


def _card(offer: Offer) -> str:
    title = html.escape(offer.title)
    return (
        f'<div class="_1OUGS"><a class="_1UZxx" href="/item/{offer.item_id}.html?algo_pvid=1">'
        f'<div class="_3A0hz"><img src="{_cover(offer)}_220x220.jpg" alt=""></div>'
        f'<div class="_2BLrX" title="{title}"><h3 class="yB6en">{title}</h3></div>'
        f'<div class="_3Mpbo"><span>€</span><span>{offer.cents // 100}</span><span>.</span>'
        f"<span>{offer.cents % 100:02d}</span></div></a></div>"
    )


def _card_2018(offer: Offer) -> str:
    title = html.escape(offer.title)
    link = f"/item/{offer.item_id}.html?ws_ab_test=1"
    return (
        f'<li class="list-item"><div class="img"><a class="history-item product" href="{link}" title="{title}">'
        f'<img class="picCore" image-src="{_cover(offer)}_220x220.jpg"></a></div><div class="info"><h3>'
        f'<a class="product" href="{link}" title="{title}"><span>{title}</span></a></h3><span class="price">'
        f'<span class="value" itemprop="price">US ${offer.cents / 100:.2f}</span></span></div></li>'
    )

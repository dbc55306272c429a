"""The shop's documents in the shapes of 2019-2022: listing, item and review pages with their JSON.

- `/w/wholesale-<category>.html?page=N`: `window.runParams = {"mods": {"itemList": {"content": [...]}}, ...}`;
  the same object as JSON at `/glosearch/api/product?SearchText=<category>&page=N`;
- `/item/<number>.html`: `window.runParams = { data: {...Module...} };`
- `/pc/searchEvaluation.do?productId=<number>&page=N&pageSize=M`: reviews as JSON, on the host that the item page
  names as `feedbackServer`;
- `/kf/...jpg`, and thumbnails of it with the suffixes `_50x50.jpg`, `_350x350xz.jpg`, `_640x640.jpg_.webp`, ...
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from sampleweb.images import ImageSpec
from sampleweb.item_modules import item_data
from sampleweb.shop import Item, Review, Shop

HTML, JSON = "text/html; charset=utf-8", "application/json;charset=UTF-8"
PER_PAGE, REVIEWS_PER_PAGE = 12, 5
THUMBNAIL = re.compile(r"^(?P<original>.+\.jpg)_(?P<w>\d{2,4})x(?P<h>\d{2,4})(?:xz)?\.jpg(?P<webp>_\.webp)?$")
LISTING_PATH = re.compile(r"^/w/wholesale-(\w+)\.html$")
ITEM_PATH = re.compile(r"^/item/(\d+)\.html$")

CHALLENGE = b"""<html><head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Captcha Interception</title>
<script>window._config_ = {"action": "captcha", "url": "/_____tmd_____/punish?recaptcha=1&x5step=2"};</script>
</head><body>
<div id="nocaptcha" class="captcha-tips"><p>Sorry, we have detected unusual traffic from your network.</p>
<p>Please slide to verify</p><div class="nc-container" data-nc-idx="1"></div></div>
<script>var tracker = {pid: "punish-page", env: "prod"};</script>
</body></html>
"""


def _query(query: str, key: str, default: str) -> str:
    return parse_qs(query).get(key, [default])[0]


def _number(query: str, key: str, default: int) -> int:
    word = _query(query, key, str(default))
    return max(1, int(word)) if word.isdecimal() else default


def _embed(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/")


class ShopPages:
    """Every document of the shop.

    Args:
        shop: what is on sale.
        authority: `127.0.0.N:PORT`, named in the addresses (they begin with two slashes).
    """

    def __init__(self, shop: Shop, authority: str) -> None:
        self._authority = authority
        self._shop = shop
        self._items = {item.item_id: item for item in shop.items}
        self._images = dict(shop.images)

    def image(self, path: str) -> ImageSpec | None:
        """Find an original or make the spec of its thumbnail; None where there is none."""
        match = THUMBNAIL.match(path)
        if match is None:
            return self._images.get(path)
        spec = self._images.get(match["original"])
        if spec is None:
            return None
        side = min(int(match["w"]), int(match["h"]), spec.width_px)
        edits = (*spec.edits, ("resize", side / max(spec.width_px, spec.height_px)))
        return replace(spec, edits=edits, encoding="webp" if match["webp"] else "jpeg", quality=75)

    def page(self, path: str, query: str) -> tuple[str, bytes] | None:
        """Give media type and body; None where there is nothing."""
        if path == "/pc/searchEvaluation.do":
            return self._reviews_page(query)
        if path == "/glosearch/api/product":
            page = self._listing(_query(query, "SearchText", ""), _number(query, "page", 1))
            return None if page is None else (JSON, json.dumps(page, ensure_ascii=False).encode())
        if match := LISTING_PATH.match(path):
            return self._listing_page(match[1], _number(query, "page", 1))
        if (match := ITEM_PATH.match(path)) and match[1] in self._items:
            return HTML, self._item_page(self._items[match[1]])
        if path == "/":
            links = "".join(
                f'<li><a href="/w/wholesale-{name}.html">{name}</a></li>' for name in self._shop.categories
            )
            return (
                HTML,
                f"<!DOCTYPE html><html><title>Sample shop</title><body><ul>{links}</ul></body></html>".encode(),
            )
        return None

    def _listing(self, category: str, page: int) -> dict[str, Any] | None:
        """Give the search result of one page; the offers that answer a captcha stand on the last one."""
        if category not in self._shop.categories:
            return None
        content = [self._card(item) for item in self._shop.items if item.category == category]
        content += [self._blocked_card(number) for number in self._shop.blocked]
        shown = content[(page - 1) * PER_PAGE : page * PER_PAGE]
        return {
            "resultType": "normal_result",
            "resultCount": len(content),
            "mods": {"itemList": {"content": shown, "type": "grid"}},
            "pageInfo": {"page": page, "pageSize": PER_PAGE, "totalResults": len(content), "styleType": "gallery"},
        }

    def _card(self, item: Item) -> dict[str, Any]:
        cover = f"//{self._authority}{item.colourways[0].photo.path}_350x350xz.jpg"
        sale_cent = item.price_cent * (100 - item.discount_pct) // 100
        return {
            "itemType": "productV3",
            "productType": "natural",
            "productId": item.item_id,
            "productDetailUrl": f"//{self._authority}/item/{item.item_id}.html",
            "title": {"displayTitle": item.title, "seoTitle": item.title, "shortTitle": False},
            "image": {"imgUrl": cover, "imgWidth": 350, "imgHeight": 350, "imgType": "0"},
            "prices": {
                "builderType": "skuCoupon",
                "originalPrice": _price(item.price_cent, "original_price"),
                "salePrice": _price(sale_cent, "sale_price") | {"discount": item.discount_pct},
                "currencySymbol": "$",
            },
            "store": {
                "storeName": item.store_name,
                "storeId": item.store_number,
                "storeUrl": f"//{self._authority}/store/{item.store_number}",
                "aliMemberId": item.store_number * 2 + 1,
            },
            "trade": {"tradeDesc": f"{3 * len(item.reviews)} sold"},
            "evaluation": {"starRating": _stars(item.reviews)},
        }

    def _blocked_card(self, number: str) -> dict[str, Any]:
        card = self._card(self._shop.items[0])
        title = "Limited Offer Women Skirt"
        return card | {
            "productId": number,
            "productDetailUrl": f"//{self._authority}/item/{number}.html",
            "title": {"displayTitle": title, "seoTitle": title, "shortTitle": False},
        }

    def _listing_page(self, category: str, page: int) -> tuple[str, bytes] | None:
        data = self._listing(category, page)
        if data is None:
            return None
        last = (data["resultCount"] - 1) // PER_PAGE + 1
        pager = "".join(
            f'<a href="/w/wholesale-{category}.html?page={number}">{number}</a> ' for number in range(1, last + 1)
        )
        text = (
            f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{category} - Sample shop</title></head><body>'
            f'<div id="root"></div><nav class="pagination">{pager}</nav>\n<script>\nwindow.runParams = {{}};\n'
            f"window.runParams = {_embed(data)};\n</script></body></html>\n"
        )
        return HTML, text.encode()

    def _item_page(self, item: Item) -> bytes:
        data = item_data(item, self._authority)
        cover = f"http://{self._authority}{item.colourways[0].photo.path}"
        title = html.escape(item.title)
        return (
            f'<!DOCTYPE html><html><head>\n<meta charset="utf-8">\n<title>{title} - Sample shop</title>\n'
            f'<meta property="og:title" content="{title}">\n<meta property="og:image" content="{cover}">\n'
            "</head><body>\n"
            '<div id="root"></div>\n<script>\n                window.runParams = {\n                    data: '
            f"{_embed(data)},\n                    csrfToken: 'none',\n                    abVersion: '',\n"
            "                    abtestMap: {}\n                };\n</script>\n</body></html>\n"
        ).encode()

    def _reviews_page(self, query: str) -> tuple[str, bytes] | None:
        item = self._items.get(_query(query, "productId", ""))
        if item is None:
            return None
        page, size = _number(query, "page", 1), min(_number(query, "pageSize", REVIEWS_PER_PAGE), REVIEWS_PER_PAGE)
        shown = item.reviews[(page - 1) * size : page * size]
        data = {
            "currentPage": page,
            "totalNum": len(item.reviews),
            "totalPage": (len(item.reviews) - 1) // size + 1,
            "evaViewList": [self._review(item, review) for review in shown],
            "productEvaluationStatistic": {"evarageStar": float(_stars(item.reviews)), "totalNum": len(item.reviews)},
        }
        return JSON, json.dumps({"code": 200, "data": data}, ensure_ascii=False).encode()

    def _review(self, item: Item, review: Review) -> dict[str, Any]:
        colour = f"Color:{review.colour} " if item.has_colour_property else ""
        row: dict[str, Any] = {
            "aigc": False,
            "anonymous": True,
            "buyerAddFbDays": 0,
            "buyerCountry": review.country,
            "buyerEval": 20 * review.stars,
            "buyerFeedback": review.text,
            "buyerName": "AliExpress Shopper",
            "buyerProductFeedBack": "",
            "buyerTranslationFeedback": review.text,
            "downVoteCount": 0,
            "evalDate": f"{review.day} May 2022",
            "evaluationId": review.review_id,
            "evaluationIdStr": str(review.review_id),
            "logistics": "Sample Standard Shipping",
            "skuInfo": f"{colour}Size:{review.size} ",
            "status": "1",
            "upVoteCount": 0,
        }
        if review.photos:
            row["images"] = [f"http://{self._authority}{photo.path}" for photo in review.photos]
            row["thumbnails"] = [f"{address}_220x220.jpg" for address in row["images"]]
        return row


def _price(cent: int, kind: str) -> dict[str, Any]:
    amount = f"{cent / 100:.2f}"
    return {
        "formattedPrice": f"US ${amount}",
        "cent": cent,
        "minPrice": float(amount),
        "priceType": kind,
        "currencyCode": "USD",
    }


def _stars(reviews: Sequence[Review]) -> str:
    return f"{sum(review.stars for review in reviews) / max(1, len(reviews)):.1f}"

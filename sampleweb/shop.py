"""A women's clothing shop: listings, items in colours, reviews with buyers' photos, in the 2019-2022 page shapes.

Several sellers offer one product with the same or a slightly edited studio photo; among the buyers' photos is noise
(parcels, bare fabric, half unwrapped things).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sampleweb.garments import COLORS, NOISE_KINDS
from sampleweb.pictures import COPY_EDITS, Picture
from sampleweb.world import Served, Site

HOST = "127.0.0.90"
CATEGORIES = {"skirts": (349, "Skirts")}
"""Category to (id, heading)."""
_ITEMS = 40
_PAGE_SIZE = 12
_REVIEWS_PAGE = 20
_NOISE_SHARE = 0.3
_WORDS = ("Pleated", "Plaid", "High Waist", "A-Line", "Vintage", "Summer", "Knitted", "Long", "Mini", "Casual")


@dataclass(frozen=True, slots=True)
class _Offer:
    item_id: str
    product: int
    """Offers of one product show the same garment."""
    colors: tuple[str, ...]
    store: int
    edit: str | None
    """What this seller did to the product's studio photos; None for the first seller."""
    title: str
    cents: int


def build(seed: int, scale: float) -> tuple[Site, list[dict[str, Any]]]:
    """Make the shop; returns (site, truth of the items)."""
    rng = np.random.default_rng([seed, 2])
    site = Site(
        name="sample-shop-skirts", host=HOST, kind="shop", structure="runparams", label="skirts",
        organisation="sample-shop", title="Sample shop, skirts", start="/category/349/skirts.html",
        expected_min=3, expected_max=400,
    )  # fmt: skip
    offers = _offers(rng, max(6, round(_ITEMS * scale)))
    truth = [_furnish(site, rng, seed, offer) for offer in offers]
    _list(site, offers)
    return site, truth


def _offers(rng: np.random.Generator, count: int) -> list[_Offer]:
    offers: list[_Offer] = []
    while len(offers) < count:
        number = len(offers)
        item_id, store = str(4_000_100_000_000 + 137 * number), 5_500_000 + number % 17
        cents = int(rng.integers(599, 3999))
        if number % 6 == 5:  # another seller of a product that is there
            first = offers[number - 3]
            edit = ("same", *COPY_EDITS)[(number // 6) % (len(COPY_EDITS) + 1)]
            title = f"New Arrival {first.title}"
            offers.append(_Offer(item_id, first.product, first.colors, store, edit, title, cents))
            continue
        colors = tuple(str(name) for name in rng.permutation(list(COLORS))[: int(rng.integers(1, 6))])
        title = " ".join(str(word) for word in rng.permutation(_WORDS)[:4]) + " Skirt Women"
        offers.append(_Offer(item_id, 1000 + number, colors, store, None, title, cents))
    return offers


def _studio(seed: int, offer: _Offer, color: str) -> Picture:
    edits = (offer.edit,) if offer.edit not in (None, "same") else ()
    shot = list(COLORS).index(color)
    return Picture(kind="seller", seed=(seed, offer.product, shot), size=(450, 600), field=color, edits=edits)


def _furnish(site: Site, rng: np.random.Generator, seed: int, offer: _Offer) -> dict[str, Any]:
    """Put one item's page, pictures and reviews in place; returns its truth."""
    seller = {}
    for color in offer.colors:
        path = f"/kf/S{offer.item_id}{color.replace(' ', '')}.jpg"
        _serve_sizes(site, path, _studio(seed, offer, color))
        seller[color] = path
    reviews = _reviews(site, rng, seed, offer)
    for page in range(max(1, -(-len(reviews) // _REVIEWS_PAGE))):
        part = reviews[page * _REVIEWS_PAGE : (page + 1) * _REVIEWS_PAGE]
        body = _review_page(part, page + 1, len(reviews))
        key = f"/pc/searchEvaluation.do?productId={offer.item_id}&page={page + 1}"
        site.files[key] = Served(body=json.dumps(body).encode(), content_type="application/json")
    site.files[f"/item/{offer.item_id}.html"] = Served(body=_item_page(offer, seller, len(reviews)).encode())
    return {
        "site": site.name, "item_id": offer.item_id, "product": offer.product, "store_id": str(offer.store),
        "title": offer.title, "colors": seller, "edit": offer.edit,
        "buyer": [photo for review in reviews for photo in review["truth"]],
    }  # fmt: skip


def _serve_sizes(site: Site, path: str, picture: Picture) -> None:
    """Serve an original and the thumbnails that the pages name."""
    site.files[path] = Served(picture=picture, content_type="")
    for suffix, size in (("_50x50.jpg", (38, 50)), ("_640x640.jpg", (270, 360))):
        small = Picture(kind=picture.kind, seed=picture.seed, size=size, field=picture.field, edits=picture.edits)
        site.files[path + suffix] = Served(picture=small, content_type="")


def _reviews(site: Site, rng: np.random.Generator, seed: int, offer: _Offer) -> list[dict[str, Any]]:
    reviews = []
    for number in range(int(rng.integers(6, 28))):
        color = offer.colors[rng.integers(len(offer.colors))]
        is_told = rng.random() > 0.08  # some order lines do not name the colour
        photos, truth = [], []
        for turn in range(int(rng.choice([0, 1, 1, 2]))):
            kind = str(rng.choice(NOISE_KINDS)) if rng.random() < _NOISE_SHARE else "buyer"
            path = f"/kf/U{offer.item_id}r{number}p{turn}.jpg"
            shot = 10_000 + number * 10 + turn
            picture = Picture(kind=kind, seed=(seed, offer.product, shot), size=(360, 480), field=color)
            if kind != "buyer":
                picture = Picture(kind=kind, seed=(seed, int(offer.item_id), shot), size=(360, 480), field=color)
            _serve_sizes(site, path, picture)
            photos.append(path)
            truth.append(
                {"path": path, "color": color if is_told else None, "is_noise": kind != "buyer", "kind": kind}
            )
        order = f"Color:{color} Size:{'SML'[number % 3]} " if is_told else "Size:M "
        facts = {
            "evaluationId": int(offer.item_id) * 100 + number,
            "evaluationIdStr": str(int(offer.item_id) * 100 + number),
            "buyerCountry": ("ES", "FR", "PL", "BR")[number % 4], "buyerEval": 20 * int(rng.integers(2, 6)),
            "buyerFeedback": "As in the picture." if number % 2 else "Nice, thank you.",
            "evalDate": f"{1 + number:02d} Mar 2022", "skuInfo": order, "status": "1", "images": photos,
            "thumbnails": [f"{path}_220x220.jpg" for path in photos], "anonymous": True, "buyerName": "A***r",
        }  # fmt: skip
        reviews.append({"facts": facts, "truth": truth})
    return reviews


def _review_page(part: list[dict[str, Any]], page: int, total: int) -> dict[str, Any]:
    return {
        "data": {
            "currentPage": page, "totalPage": max(1, -(-total // _REVIEWS_PAGE)), "totalNum": total,
            "evaViewList": [review["facts"] for review in part], "productEvaluationStatistic": {"evarageStar": 4.7},
        }
    }  # fmt: skip


def _item_page(offer: _Offer, seller: Mapping[str, str], review_count: int) -> str:
    item, price = int(offer.item_id), offer.cents / 100
    amount = {"currency": "USD", "formatedAmount": f"US ${price:.2f}", "value": price}
    colors = [
        {
            "propertyValueDisplayName": color, "propertyValueId": 100 + number, "propertyValueName": color,
            "skuPropertyTips": color, "skuPropertyImagePath": f"{path}_640x640.jpg",
            "skuPropertyImageSummPath": f"{path}_50x50.jpg",
        }
        for number, (color, path) in enumerate(seller.items())
    ]  # fmt: skip
    sizes = [
        {"propertyValueDisplayName": size, "propertyValueId": 5 + number, "propertyValueName": size}
        for number, size in enumerate("SML")
    ]
    data = {
        "actionModule": {"productId": item, "storeNum": offer.store, "categoryId": 349},
        "commonModule": {"productId": item, "currencyCode": "USD", "categoryId": 349},
        "crossLinkModule": {"breadCrumbPathList": [
            {"cateId": 0, "name": "Home", "url": "/"}, {"cateId": 100003109, "name": "Women's Clothing", "url": "/"},
            {"cateId": 349, "name": "Skirts", "url": "/category/349/skirts.html"}]},
        "feedbackModule": {"companyId": 1, "productId": item, "sellerAdminSeq": 2},
        "imageModule": {"imagePathList": list(seller.values()),
                        "summImagePathList": [f"{path}_50x50.jpg" for path in seller.values()]},
        "priceModule": {"minAmount": amount, "maxAmount": amount, "formatedPrice": amount["formatedAmount"]},
        "redirectModule": {"code": "OK", "redirectUrl": ""},
        "skuModule": {"productSKUPropertyList": [
            {"skuPropertyId": 14, "skuPropertyName": "Color", "isShowTypeColor": True, "skuPropertyValues": colors},
            {"skuPropertyId": 5, "skuPropertyName": "Size", "isShowTypeColor": False, "skuPropertyValues": sizes}]},
        "specsModule": {"props": [{"attrName": "Material", "attrValue": "Cotton"},
                                  {"attrName": "Material", "attrValue": "Polyester"}]},
        "storeModule": {"storeName": f"Sample Store {offer.store}", "storeNum": offer.store,
                        "storeURL": f"/store/{offer.store}", "companyId": 1, "sellerAdminSeq": 2},
        "titleModule": {"subject": offer.title, "tradeCount": review_count * 3,
                        "formatTradeCount": str(review_count * 3),
                        "feedbackRating": {"averageStar": "4.7", "totalValidNum": review_count}},
    }  # fmt: skip
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{offer.title} - Sample shop</title></head><body>'
        f'<div id="root"></div><script>window.runParams = {{ data: {json.dumps(data)}, csrfToken: "x" }};</script>'
        "</body></html>"
    )


def _list(site: Site, offers: list[_Offer]) -> None:
    """Put the pages of the category in place."""
    pages = -(-len(offers) // _PAGE_SIZE)
    for number in range(pages):
        content = [
            {
                "productId": offer.item_id, "itemType": "productV3", "title": {"displayTitle": offer.title},
                "image": {"imgUrl": f"/kf/S{offer.item_id}{offer.colors[0].replace(' ', '')}.jpg_640x640.jpg"},
                "prices": {"salePrice": {"formattedPrice": f"US ${offer.cents / 100:.2f}",
                                         "minPrice": offer.cents / 100, "currencyCode": "USD"}},
                "productDetailUrl": f"/item/{offer.item_id}.html",
            }
            for offer in offers[number * _PAGE_SIZE : (number + 1) * _PAGE_SIZE]
        ]  # fmt: skip
        data = {
            "mods": {"itemList": {"content": content}},
            "pageInfo": {"page": number + 1, "pageSize": _PAGE_SIZE, "totalResults": len(offers)},
        }
        text = (
            f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{site.title}</title></head><body>'
            f"<script>window.runParams = {json.dumps(data)};</script></body></html>"
        )
        key = site.start if number == 0 else f"{site.start}?page={number + 1}"
        site.files[key] = Served(body=text.encode())

"""Item pages of each generation: HTML of 2018, embedded data of 2019-2022 and of 2023, and filled by script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from sampleweb.shop.offers import MISSING_ORIGINAL, Offer, said
from sampleweb.shop.reviews import BUYER_MARKS, evaluation_path
from sampleweb.world import Served

_TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True)
_SIZES = "SML"


def pages_of(offer: Offer) -> dict[str, Served]:
    """Write an item's page, its description, and the data that its scripts fetch."""
    place = f"/item/{offer.item_id}.html"
    description = _description(offer)
    match offer.item_format:
        case "html2018":
            return {place: _html(_write("item2018", offer)), **description}
        case "dcdata":
            answer = Served(body=_text(_mtop(offer)).encode(), content_type="application/json")
            return {place: _html(_write("item2023", offer)), _mtop_path(offer): answer, **description}
        case "components":
            return {place: _html(_embedded(offer, _components(offer))), **description}
        case _:
            return {place: _html(_embedded(offer, _modules(offer))), **description}


def gone_page() -> str:
    """Write the page of an item that a list still shows although it was taken off."""
    data = {"redirectModule": {"code": "PRODUCT_NOT_FOUND", "redirectUrl": ""}, "webEnv": {"currency": "USD"}}
    return f"<html><body><script>window.runParams = {{ data: {_text(data)} }};</script></body></html>"


def _html(text: str) -> Served:
    return Served(body=text.encode())


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _description(offer: Offer) -> dict[str, Served]:
    if not offer.description_paths():
        return {}
    pictures = "".join(f'<p><img src="{path}"></p>' for path in offer.description_paths())
    return {_description_path(offer): _html(f"<div>{pictures}</div>")}


def _description_path(offer: Offer) -> str:
    return f"/description/{offer.item_id}.html"


def _mtop_path(offer: Offer) -> str:
    return f"/h5/mtop.aliexpress.pdp.pc.query/1.0/?productId={offer.item_id}&page=1"


def _gallery(offer: Offer) -> list[str]:
    return [*offer.pictured().values(), *offer.extra_paths()]


def _shown_gallery(offer: Offer) -> list[str]:
    """Addresses as the page names them: of a picture whose original is gone only smaller ones are left."""
    paths = _gallery(offer)
    return [f"{paths[0]}_640x640.jpg", *paths[1:]] if offer.oddity == MISSING_ORIGINAL else paths


def _price(offer: Offer) -> tuple[str, float, float, bool]:
    """Give currency, the lowest and the highest price, and whether a discount is on."""
    low = offer.cents / 100
    high = round(low * 1.5, 2) if offer.number % 4 == 1 else low
    return ("EUR" if offer.category.name == "hoodies" else "USD"), low, high, offer.number % 3 == 1


def _money(currency: str, value: float) -> dict[str, Any]:
    sign = {"USD": "US $", "EUR": "€"}[currency]
    return {"currency": currency, "formatedAmount": f"{sign}{value:.2f}", "value": round(value, 2)}


def _sku(offer: Offer) -> list[dict[str, Any]]:
    language, pictured = offer.category.language, offer.pictured()
    colors: list[dict[str, Any]] = []
    for number, color in enumerate(offer.colors):
        name = offer.called(color)
        value = {"propertyValueDisplayName": name, "propertyValueId": 100 + number, "propertyValueName": name}
        if color in pictured:
            value["skuPropertyImagePath"] = f"{pictured[color]}_640x640.jpg"
            value["skuPropertyImageSummPath"] = f"{pictured[color]}_50x50.jpg"
        colors.append({**value, "skuPropertyTips": name})
    sizes = [
        {"propertyValueDisplayName": size, "propertyValueId": 5 + number, "propertyValueName": size}
        for number, size in enumerate(_SIZES)
    ]
    properties = [
        {
            "skuPropertyId": 14, "skuPropertyName": said(language, "Color"), "isShowTypeColor": True,
            "skuPropertyValues": colors,
        },
        {"skuPropertyId": 5, "skuPropertyName": said(language, "Size"), "skuPropertyValues": sizes},
    ]  # fmt: skip
    return [entry for entry in properties if entry["skuPropertyValues"]]


def _specs(offer: Offer) -> list[dict[str, str]]:
    name = said(offer.category.language, "Material")
    return [{"attrName": name, "attrValue": value} for value in ("Cotton", "Polyester")]


def _store(offer: Offer) -> dict[str, Any]:
    return {
        "storeName": f"Sample Store {offer.store}", "storeNum": offer.store, "storeURL": f"/store/{offer.store}"
    }  # fmt: skip


def _breadcrumb(offer: Offer) -> list[dict[str, Any]]:
    category = offer.category
    return [
        {"cateId": 0, "name": "Home", "url": "/"}, {"cateId": 100003109, "name": "Women's Clothing", "url": "/"},
        {"cateId": category.number, "name": category.heading, "url": category.start},
    ]  # fmt: skip


def _modules(offer: Offer) -> dict[str, Any]:
    """The data of 2019-2022."""
    item = int(offer.item_id)
    currency, low, high, is_reduced = _price(offer)
    factor = 2.0 if is_reduced else 1.0
    price: dict[str, Any] = {
        "minAmount": _money(currency, low * factor), "maxAmount": _money(currency, high * factor),
        "formatedPrice": _money(currency, low * factor)["formatedAmount"],
    }  # fmt: skip
    if is_reduced:
        price |= {"minActivityAmount": _money(currency, low), "maxActivityAmount": _money(currency, high)}
    description = {"descriptionUrl": _description_path(offer)} if offer.description_paths() else {}
    rated = len(offer.reviews)
    return {
        "actionModule": {"productId": item, "storeNum": offer.store, "categoryId": offer.category.number},
        "commonModule": {"productId": item, "currencyCode": currency, "categoryId": offer.category.number},
        "crossLinkModule": {"breadCrumbPathList": _breadcrumb(offer)}, "descriptionModule": description,
        "feedbackModule": {"companyId": 1, "productId": item, "sellerAdminSeq": 2},
        "imageModule": {
            "imagePathList": _shown_gallery(offer),
            "summImagePathList": [f"{path}_50x50.jpg" for path in _gallery(offer)],
        },
        "priceModule": price, "redirectModule": {"code": "OK", "redirectUrl": ""},
        "skuModule": {"productSKUPropertyList": _sku(offer)}, "specsModule": {"props": _specs(offer)},
        "storeModule": {**_store(offer), "companyId": 1, "sellerAdminSeq": 2},
        "titleModule": {
            "subject": offer.title, "tradeCount": rated * 3, "formatTradeCount": str(rated * 3),
            "feedbackRating": {"averageStar": "4.7", "totalValidNum": rated},
        },
    }  # fmt: skip


def _components(offer: Offer) -> dict[str, Any]:
    """The data of 2023, embedded."""
    currency, low, high, is_reduced = _price(offer)
    factor = 2.0 if is_reduced else 1.0
    price: dict[str, Any] = {
        "origPrice": {"minAmount": _money(currency, low * factor), "maxAmount": _money(currency, high * factor)}
    }
    if is_reduced:
        price["discountPrice"] = {
            "minActivityAmount": _money(currency, low),
            "maxActivityAmount": _money(currency, high),
        }
    description = {"descriptionUrl": _description_path(offer)} if offer.description_paths() else {}
    pictures = [path if path.endswith("_640x640.jpg") else f"{path}_Q90.jpg_" for path in _shown_gallery(offer)]
    return {
        "productInfoComponent": {"id": int(offer.item_id), "idStr": offer.item_id, "subject": offer.title},
        "imageComponent": {"imagePathList": pictures},
        "priceComponent": price, "currencyComponent": {"currencyCode": currency},
        "skuComponent": {"productSKUPropertyList": _sku(offer)}, "productPropComponent": {"props": _specs(offer)},
        "feedbackComponent": {"evarageStar": "4.7", "totalValidNum": len(offer.reviews)},
        "tradeComponent": {"formatTradeCount": f"{len(offer.reviews) * 3:,}+"}, "productDescComponent": description,
        "sellerComponent": {**_store(offer), "adminSeq": 2},
        "breadcrumbComponent": {"pathList": _breadcrumb(offer)},
    }  # fmt: skip


def _mtop(offer: Offer) -> dict[str, Any]:
    """The data that the newest pages fetch."""
    currency, low, _, is_reduced = _price(offer)
    factor = 2.0 if is_reduced else 1.0
    paid = {"salePriceString": _money(currency, low)["formatedAmount"]} if is_reduced else {}
    rated = len(offer.reviews)
    result = {
        "GLOBAL_DATA": {"globalData": {"productId": offer.item_id, "currencyCode": currency, "subject": offer.title}},
        "PRODUCT_TITLE": {"text": offer.title}, "HEADER_IMAGE_PC": {"imagePathList": _gallery(offer)},
        "PRICE": {"targetSkuPriceInfo": {"originalPrice": _money(currency, low * factor), **paid}},
        "SKU": {"skuProperties": _sku(offer)},
        "PC_RATING": {"rating": "4.7", "totalValidNum": rated, "otherText": f"{rated * 3} sold"},
        "SHOP_CARD_PC": {"storeName": _store(offer)["storeName"], "sellerInfo": _store(offer)},
        "PRODUCT_PROP_PC": {"showedProps": _specs(offer)},
        "FEEDBACK_PC": {"signed": f"{BUYER_MARKS[0]}0***r | 02 Mar 2022", "text": "Nice."},
    }  # fmt: skip
    return {"api": "mtop.aliexpress.pdp.pc.query", "data": {"result": result}, "ret": ["SUCCESS::ok"], "v": "1.0"}


def _embedded(offer: Offer, data: Mapping[str, Any]) -> str:
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{offer.title} - Sample shop</title></head><body>'
        f'<div id="root"></div><script>window.runParams = {{ data: {_text(data)}, csrfToken: "x" }};</script>'
        "</body></html>"
    )


def _write(template: str, offer: Offer) -> str:
    currency, low, high, is_reduced = _price(offer)
    factor = 2.0 if is_reduced else 1.0
    return _TEMPLATES.get_template(f"{template}.html").render(
        offer=offer, gallery=_gallery(offer), pictured=offer.pictured(), sizes=_SIZES, specs=_specs(offer),
        currency=currency, low=low, high=high, factor=factor, is_reduced=is_reduced, breadcrumb=_breadcrumb(offer),
        description=_description_path(offer) if offer.description_paths() else "",
        reviews=evaluation_path(offer).partition("&page")[0], data=_mtop_path(offer).partition("&page")[0],
    )  # fmt: skip

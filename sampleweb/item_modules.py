"""The `data` object of an item page, module by module, with the key names of the pages of 2022."""

from __future__ import annotations

from typing import Any

from sampleweb.garments import COLOURS
from sampleweb.shop import SIZES, Item

COLOUR_PROPERTY, SIZE_PROPERTY = 14, 5
SIZE_IDS = {size: 100014064 + place for place, size in enumerate(SIZES)}
SPECS = (
    ("Origin", "Mainland China"),
    ("Material", "Polyester"),
    ("Gender", "WOMEN"),
    ("Season", "Summer"),
    ("Decoration", "none"),
)


def _module(name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"features": {}, "i18nMap": {}, "id": 0, "name": name} | values


def _amount(cent: int) -> dict[str, Any]:
    return {"currency": "USD", "formatedAmount": f"US ${cent / 100:.2f}", "value": cent / 100}


def _images(item: Item, origin: str) -> dict[str, Any]:
    own = [] if item.has_colour_property else [way.photo for way in item.colourways]
    chosen = (*own, *(way.worn_photo for way in item.colourways), item.size_chart)
    paths = [origin + photo.path for photo in chosen]
    return _module(
        "ImageModule", {"imagePathList": paths, "summImagePathList": [f"{path}_50x50.jpg" for path in paths]}
    )


def _price(item: Item) -> dict[str, Any]:
    sale_cent = item.price_cent * (100 - item.discount_pct) // 100
    values: dict[str, Any] = {
        "activity": item.discount_pct > 0,
        "discount": item.discount_pct,
        "formatedActivityPrice": f"US ${sale_cent / 100:.2f}",
        "formatedPrice": f"US ${item.price_cent / 100:.2f}",
        "maxActivityAmount": _amount(sale_cent),
        "maxAmount": _amount(item.price_cent),
        "minActivityAmount": _amount(sale_cent),
        "minAmount": _amount(item.price_cent),
        "numberPerLot": 1,
        "oddUnitName": "piece",
        "multiUnitName": "Pieces",
    }
    return _module("PriceModule", values)


def _value(name: str, value_id: int, order: int) -> dict[str, Any]:
    return {
        "propertyValueDefinitionName": name,
        "propertyValueDisplayName": name,
        "propertyValueId": value_id,
        "propertyValueIdLong": value_id,
        "propertyValueName": name,
        "skuPropertyTips": name,
        "skuPropertyValueShowOrder": order,
        "skuPropertyValueTips": name,
    }


def _property(name: str, property_id: int, order: int, values: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "isShowTypeColor": property_id == COLOUR_PROPERTY,
        "order": order,
        "showType": "colour_atla" if property_id == COLOUR_PROPERTY else "none",
        "showTypeColor": property_id == COLOUR_PROPERTY,
        "skuPropertyId": property_id,
        "skuPropertyName": name,
        "skuPropertyValues": values,
    }


def _skus(item: Item, origin: str) -> dict[str, Any]:
    properties, prices = [], []
    if item.has_colour_property:
        values = []
        for place, way in enumerate(item.colourways):
            values.append(
                _value(way.name, way.value_id, place + 1)
                | {
                    "skuColorValue": "#{:02X}{:02X}{:02X}".format(*COLOURS[way.name]),
                    "skuPropertyImagePath": f"{origin}{way.photo.path}_640x640.jpg",
                    "skuPropertyImageSummPath": f"{origin}{way.photo.path}_50x50.jpg",
                }
            )
        properties.append(_property("Color", COLOUR_PROPERTY, 1, values))
    sizes = [_value(size, value_id, place + 1) for place, (size, value_id) in enumerate(SIZE_IDS.items())]
    properties.append(_property("Size", SIZE_PROPERTY, 2, sizes))
    for way in item.colourways:
        for size, size_id in SIZE_IDS.items():
            colour = f"{COLOUR_PROPERTY}:{way.value_id}#{way.name};" if item.has_colour_property else ""
            number = int(item.item_id) % 10**11 + way.value_id * 10 + SIZES.index(size)
            prices.append(
                {
                    "skuAttr": f"{colour}{SIZE_PROPERTY}:{size_id}#{size}",
                    "skuId": number,
                    "skuIdStr": str(number),
                    "skuPropIds": f"{way.value_id},{size_id}" if item.has_colour_property else str(size_id),
                    "skuVal": {
                        "availQuantity": 20,
                        "inventory": 20,
                        "isActivity": False,
                        "skuAmount": _amount(item.price_cent),
                    },
                }
            )
    values_of_module = {"hasSkuProperty": True, "productSKUPropertyList": properties, "skuPriceList": prices}
    return _module("SKUModule", values_of_module)


def _title(item: Item) -> dict[str, Any]:
    count = len(item.reviews)
    average = f"{sum(review.stars for review in item.reviews) / max(1, count):.1f}"
    rating = {"averageStar": average, "evarageStar": average, "display": True, "totalValidNum": count}
    return _module(
        "TitleModule",
        {"feedbackRating": rating, "formatTradeCount": str(3 * count), "subject": item.title, "tradeCount": 3 * count},
    )


def item_data(item: Item, authority: str) -> dict[str, Any]:
    """Make the `data` object.

    Args:
        item: on sale.
        authority: `127.0.0.N:PORT` of the shop.
    """
    origin, seller = f"http://{authority}", item.store_number * 2 + 1
    store = {
        "companyId": item.store_number + 5,
        "detailPageUrl": f"//{authority}/item/{item.item_id}.html",
        "feedbackServer": f"//{authority}",
        "hasStore": True,
        "positiveRate": "96.1%",
        "productId": int(item.item_id),
        "sellerAdminSeq": seller,
        "storeName": item.store_name,
        "storeNum": item.store_number,
        "storeURL": f"//{authority}/store/{item.store_number}",
    }
    specs = [
        {"attrName": name, "attrNameId": 10 + place, "attrValue": value, "attrValueId": str(900 + place)}
        for place, (name, value) in enumerate(SPECS)
    ]
    crumbs = [{"cateId": 0, "name": "Home", "url": f"//{authority}/"}]
    crumbs.append({"cateId": 349, "name": item.category, "url": f"//{authority}/w/wholesale-{item.category}.html"})
    feedback = {
        "companyId": item.store_number + 5,
        "feedbackServer": f"//{authority}",
        "productId": int(item.item_id),
        "sellerAdminSeq": seller,
        "trialReviewNum": 0,
    }
    return {
        "actionModule": _module("ActionModule", {"categoryId": 349, "itemStatus": 0, "productId": int(item.item_id)}),
        "commonModule": _module(
            "CommonModule",
            {"categoryId": 349, "currencyCode": "USD", "productId": int(item.item_id), "productIdStr": item.item_id},
        ),
        "crossLinkModule": _module("CrossLinkModule", {"breadCrumbPathList": crumbs, "crossLinkGroupList": []}),
        "descriptionModule": _module("DescriptionModule", {"descriptionUrl": "", "productId": int(item.item_id)}),
        "feedbackModule": _module("FeedbackModule", feedback),
        "imageModule": _images(item, origin),
        "name": "ItemDetailResp",
        "pageModule": _module(
            "PageModule",
            {"imagePath": origin + item.colourways[0].photo.path, "productId": int(item.item_id), "title": item.title},
        ),
        "priceModule": _price(item),
        "quantityModule": _module("QuantityModule", {"oddUnitName": "piece", "totalAvailQuantity": 400}),
        "skuModule": _skus(item, origin),
        "specsModule": _module("SpecsModule", {"props": specs}),
        "storeModule": _module("StoreModule", store),
        "titleModule": _title(item),
    }

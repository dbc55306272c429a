"""The shop's part of the truth table.

`items`: item_id, category, product_id, title, item_url, store, colours (as the page names them; empty where it names
none), seller photos, buyer photos; each photo with url, sha256, slot, colour (as the page says), shown_colour, noise,
is_noise, copy_of (address), copy_kind. `products`: items of one product. `blocked_items`: addresses of captcha pages.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any

from sampleweb.images import ImageStore
from sampleweb.shop import Item, ItemPhoto
from sampleweb.world import World


def _photo_row(photo: ItemPhoto, item: Item, store: ImageStore, origin: str) -> dict[str, Any]:
    return {
        "image_url": origin + photo.path,
        "sha256": hashlib.sha256(store.body(photo.spec)).hexdigest(),
        "item_id": item.item_id,
        "product_id": item.product_id,
        "slot": photo.slot,
        "colour": photo.colour if item.has_colour_property else None,
        "shown_colour": photo.shown_colour,
        "noise": photo.noise,
        "is_noise": photo.noise is not None,
        "copy_of": origin + photo.copy_of if photo.copy_of else None,
        "copy_kind": photo.copy_kind,
    }


def shop_truth(world: World, store: ImageStore, port: int) -> dict[str, Any]:
    """Make the tables named above.

    Args:
        world: what is served.
        store: gives the bytes whose sha256 is told.
        port: named in the addresses.
    """
    origin = next(f"http://{site.host}:{port}" for site in world.sites if site.kind == "shop")
    products: dict[str, list[str]] = defaultdict(list)
    rows = []
    for item in world.shop.items:
        products[item.product_id].append(item.item_id)
        photos = [_photo_row(photo, item, store, origin) for photo in item.photos]
        rows.append(
            {
                "item_id": item.item_id,
                "category": item.category,
                "product_id": item.product_id,
                "title": item.title,
                "item_url": f"{origin}/item/{item.item_id}.html",
                "store": item.store_name,
                "colours": [way.name for way in item.colourways] if item.has_colour_property else [],
                "seller_photos": [row for row in photos if row["slot"] != "buyer"],
                "buyer_photos": [row for row in photos if row["slot"] == "buyer"],
            }
        )
    return {
        "items": rows,
        "products": [{"product_id": product_id, "items": items} for product_id, items in products.items()],
        "blocked_items": [f"{origin}/item/{number}.html" for number in world.shop.blocked],
    }

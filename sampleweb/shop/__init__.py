"""A women's clothing shop: five categories, each in the pages of another generation.

Items come in colours, reviews with buyers' photos. Several sellers offer one product with the same or a slightly
edited studio photo; among the buyers' photos is noise (parcels, bare fabric, half unwrapped things). Who the buyers
are stands on the pages too, so that a test can see that it lands nowhere.
"""

from __future__ import annotations

from typing import Any

from sampleweb.pictures import Picture
from sampleweb.shop import items, lists, reviews
from sampleweb.shop.offers import (
    CATEGORIES,
    MISSING_ORIGINAL,
    UNPICTURED,
    Offer,
    buyers_photo,
    extra,
    plan,
    studio,
)
from sampleweb.world import Served, Site

HOST = "127.0.0.90"
SITE = "sample-shop"
_THUMBNAILS = (("_50x50.jpg", (38, 50)), ("_220x220.jpg", (165, 220)), ("_640x640.jpg", (270, 360)))


def build(seed: int, scale: float) -> tuple[Site, list[dict[str, Any]]]:
    """Make the shop; returns (site, truth of the items)."""
    site = Site(
        name=SITE, host=HOST, kind="shop", structure="shop", label="", organisation=SITE, title="Sample shop",
        start="/", expected_min=3, expected_max=400,
        categories={category.name: category.start for category in CATEGORIES},
    )  # fmt: skip
    truth = []
    for category in CATEGORIES:
        offers = plan(category, seed, scale)
        truth += [_furnish(site, seed, offer) for offer in offers]
        site.files |= lists.pages_of(category, offers)
    gone = items.gone_page()
    site.files[f"/item/{lists.GONE_ID}.html"] = Served(body=gone.encode())
    first = next(row for row in truth if row["category"] == "skirts")
    site.files[f"/item/{first['item_id']}.html"].manner = "once_429"
    return site, truth


def _furnish(site: Site, seed: int, offer: Offer) -> dict[str, Any]:
    """Put one item's pages, pictures and reviews in place; returns its truth."""
    colors = {}
    for number, (color, path) in enumerate(offer.pictured().items()):
        is_gone = offer.oddity == MISSING_ORIGINAL and number == 0
        _serve_sizes(site, path, studio(seed, offer, color), is_gone=is_gone)
        colors[offer.called(color) if color else ""] = f"{path}_640x640.jpg" if is_gone else path
    others = [*offer.extra_paths(), *offer.description_paths()]
    for number, path in enumerate(others):
        _serve_sizes(site, path, extra(seed, offer, number))
    buyer = []
    for review in offer.reviews:
        for turn, (path, kind) in enumerate(review.photos):
            is_gone = offer.oddity == UNPICTURED and not buyer
            _serve_sizes(site, path, buyers_photo(seed, offer, review, turn), is_gone=is_gone)
            smaller = "_50x50.jpg" if offer.item_format == "html2018" else "_220x220.jpg"
            buyer.append(
                {
                    "path": f"{path}{smaller}" if is_gone else path, "is_noise": kind != "buyer", "kind": kind,
                    "color": offer.called(review.color) if review.color else None,
                }
            )  # fmt: skip
    for path, served in {**items.pages_of(offer), **reviews.pages_of(offer)}.items():
        site.files[path] = served
    return {
        "site": site.name, "category": offer.category.name, "item_id": offer.item_id, "product": offer.product,
        "store_id": str(offer.store), "title": offer.title, "colors": colors, "edit": offer.edit, "buyer": buyer,
        "gallery": offer.extra_paths(), "descriptions": offer.description_paths(), "format": offer.item_format,
        "price": offer.cents / 100, "color_names": [offer.called(color) for color in offer.colors],
    }  # fmt: skip


def _serve_sizes(site: Site, path: str, picture: Picture, *, is_gone: bool = False) -> None:
    """Serve an original, unless it is gone, and the thumbnails that the pages name."""
    if not is_gone:
        site.files[path] = Served(picture=picture, content_type="")
    for suffix, size in _THUMBNAILS:
        small = Picture(
            kind=picture.kind, seed=picture.seed, size=size, field=picture.field, edits=picture.edits, cut=picture.cut
        )
        site.files[path + suffix] = Served(picture=small, content_type="")

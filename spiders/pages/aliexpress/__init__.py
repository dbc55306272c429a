"""Readers of AliExpress pages of all years: items, lists of items, reviews; bytes in, records out."""

from spiders.pages.aliexpress.images import original_image_url
from spiders.pages.aliexpress.item import description_images, read_item
from spiders.pages.aliexpress.listing import read_listing
from spiders.pages.aliexpress.reviews import read_reviews
from spiders.pages.aliexpress.variants import ItemSubject, match_color, subjects_of_item

__all__ = [
    "ItemSubject",
    "description_images",
    "match_color",
    "original_image_url",
    "read_item",
    "read_listing",
    "read_reviews",
    "subjects_of_item",
]

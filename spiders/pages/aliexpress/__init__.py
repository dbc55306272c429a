"""Readers of AliExpress pages of all years: items, lists of items, reviews; bytes in, records out."""

from spiders.pages.aliexpress.buyers import without_buyers
from spiders.pages.aliexpress.dcdata import item_id_in
from spiders.pages.aliexpress.images import larger_rendition, original_image_url, renditions_in
from spiders.pages.aliexpress.item import description_images, read_description, read_item
from spiders.pages.aliexpress.listing import read_listing
from spiders.pages.aliexpress.reviews import read_reviews
from spiders.pages.aliexpress.variants import ItemSubject, match_color, subjects_of_item

__all__ = [
    "ItemSubject",
    "description_images",
    "item_id_in",
    "larger_rendition",
    "match_color",
    "original_image_url",
    "read_description",
    "read_item",
    "read_listing",
    "read_reviews",
    "renditions_in",
    "subjects_of_item",
    "without_buyers",
]

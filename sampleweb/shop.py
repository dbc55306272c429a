"""The shop as data: products, the items by which sellers offer them, their colours, photos and reviews.

An item is one seller's page. Several sellers may offer one product, with the same or a slightly edited photo. What a
buyer's photo shows is planted: the item in the colour that was ordered, or noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sampleweb.drawings import Drawing
from sampleweb.garments import (
    COLOURS,
    NOISE_KINDS,
    SETTINGS,
    Garment,
    NoiseDrawing,
    SizeChartDrawing,
    SnapshotDrawing,
    StudioDrawing,
    draw_cut,
)
from sampleweb.images import ImageSpec
from sampleweb.people import COPY_EDITS

ITEMS_AT_SCALE_1 = 40
CATEGORIES: dict[str, tuple[str, ...]] = {
    "skirts": ("Pleated Skirt", "Midi Skirt", "A-Line Skirt", "Wrap Skirt", "High Waist Skirt")
}
"""Categories on sale and the words for one piece."""
SELLERS_OF_PRODUCT = (1, 1, 3, 1, 1, 1, 2, 1, 1)
"""How many sellers offer each product, over and over."""
NOISE_FRAC = 0.2
BACKDROPS = ((244, 244, 244), (232, 226, 220), (224, 230, 236))
SIZES = ("S", "M", "L", "XL")
STORES = (
    "Silberfaden Store",
    "Linnea Mode",
    "Blue Heron Clothing",
    "Moorgarn Official Store",
    "Kattun & Co",
    "Tuchlaube Store",
)
ADJECTIVES = ("Elegant", "Casual", "Vintage", "Summer", "Office Lady", "Korean Style", "French", "Basic")
PRAISE = (
    "Nice quality, as on the picture.",
    "Color is a little different, but I like it.",
    "Fits well, fast delivery.",
    "Good fabric.",
    "",
)
BUYER_SIZES_PX = ((480, 640), (600, 800), (750, 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPhoto:
    """One picture of a seller or buyer."""

    path: str
    spec: ImageSpec
    slot: str
    """`seller` (a colour's own photo), `gallery` (seller's other pictures) or `buyer`."""
    colour: str | None
    """Colour that the page ties it to; None where it says none."""
    shown_colour: str | None
    """Colour of what is really on it."""
    noise: str | None = None
    """Kind of noise, or None where the item is shown."""
    copy_of: str | None = None
    """Path of the other seller's photo that it was made from."""
    copy_kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Colourway:
    """One colour of an item."""

    name: str
    value_id: int
    garment: Garment
    photo: ItemPhoto
    worn_photo: ItemPhoto


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One buyer's words and pictures."""

    review_id: int
    colour: str
    size: str
    stars: int
    text: str
    country: str
    day: int
    photos: tuple[ItemPhoto, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One seller's offer of a product."""

    item_id: str
    """Number in the address, 16 digits."""
    product_id: str
    category: str
    title: str
    store_name: str
    store_number: int
    price_cent: int
    discount_pct: int
    has_colour_property: bool
    """False for some items of one colour: then the page names no colour at all."""
    colourways: tuple[Colourway, ...]
    size_chart: ItemPhoto
    reviews: tuple[Review, ...]

    @property
    def photos(self) -> tuple[ItemPhoto, ...]:
        """Every picture of sellers and buyers."""
        own = [photo for way in self.colourways for photo in (way.photo, way.worn_photo)]
        return (*own, self.size_chart, *(photo for review in self.reviews for photo in review.photos))


@dataclass(frozen=True, slots=True)
class Shop:
    """Everything on sale."""

    categories: tuple[str, ...]
    items: tuple[Item, ...]
    blocked: tuple[str, ...]
    """Numbers of offers that are listed but answer a captcha page; not among `items`."""

    @property
    def images(self) -> Mapping[str, ImageSpec]:
        """Originals by path."""
        return {photo.path: photo.spec for item in self.items for photo in item.photos}


def _digits(words: str, count: int) -> int:
    """Derive a number of `count` digits from words."""
    span = 9 * 10 ** (count - 1)
    return 10 ** (count - 1) + int(hashlib.sha256(words.encode()).hexdigest()[:15], 16) % span


def _path(words: str, prefix: str, slug: str) -> str:
    """Give an address as the real shop's image hosts have them."""
    return f"/kf/{prefix}{hashlib.sha256(words.encode()).hexdigest()[:32]}{'zOTAkw'[len(words) % 6]}{slug}.jpg"


class _Tailor:
    """Makes the items of one category; every draw comes from the seed and the item's place."""

    def __init__(self, seed: int, category: str) -> None:
        self._seed, self._category = seed, category

    def _generator(self, *words: object) -> np.random.Generator:
        text = " ".join((self._category, *map(str, words)))
        return np.random.default_rng([self._seed, 3, *hashlib.sha256(text.encode()).digest()[:8]])

    def _garments(self, product: int) -> dict[str, Garment]:
        rng = self._generator("product", product)
        cut = draw_cut(self._category, rng)
        names = [str(name) for name in rng.choice(list(COLOURS), int(rng.integers(1, 6)), replace=False)]
        dark = (52, 48, 54)
        return {
            name: replace(cut, colour=COLOURS[name], accent=dark if sum(COLOURS[name]) > 560 else cut.accent)
            for name in names
        }

    def _studio(self, words: str, slug: str, name: str, drawing: Drawing, rng: np.random.Generator) -> ItemPhoto:
        side = int(rng.choice((480, 640, 800)))
        spec = ImageSpec(drawing, side, side, quality=int(rng.integers(82, 93)))
        return ItemPhoto(path=_path(words, "S", slug), spec=spec, slot="seller", colour=name, shown_colour=name)

    def _colourways(self, product: int, item_id: str, slug: str, rng: np.random.Generator) -> tuple[Colourway, ...]:
        ways = []
        for place, (name, garment) in enumerate(self._garments(product).items()):
            tone = BACKDROPS[int(rng.integers(len(BACKDROPS)))]
            flat = StudioDrawing(garment, tone, False, int(rng.integers(2**31)))
            worn = StudioDrawing(garment, tone, True, int(rng.integers(2**31)))
            photo = self._studio(f"{item_id} {name}", slug, name, flat, rng)
            worn_photo = replace(
                self._studio(f"{item_id} {name} worn", slug, name, worn, rng), slot="gallery", colour=None
            )
            way = Colourway(name=name, value_id=10 + 4 * place, garment=garment, photo=photo, worn_photo=worn_photo)
            ways.append(way)
        return tuple(ways)

    def first_offer(self, product: int) -> Item:
        """Make the offer of the product's first seller, with photos of its own."""
        rng = self._generator("offer", product)
        item_id = str(3256800000000000 + _digits(f"{self._seed} {self._category} {product}", 10))
        words = [
            str(rng.choice(ADJECTIVES)),
            str(rng.choice(ADJECTIVES)),
            "Women",
            str(rng.choice(CATEGORIES[self._category])),
        ]
        title = " ".join(dict.fromkeys((*words, str(2020 + product % 3))))
        slug = "/" + title.replace(" ", "-")
        ways = self._colourways(product, item_id, slug, rng)
        size_chart = ItemPhoto(
            path=_path(f"{item_id} chart", "S", slug),
            spec=ImageSpec(SizeChartDrawing(f"Size chart {product}"), 640, 768),
            slot="gallery",
            colour=None,
            shown_colour=None,
            noise="size_chart",
        )
        store = int(rng.integers(len(STORES)))
        item = Item(
            item_id=item_id,
            product_id=f"{self._category}-{product:03d}",
            category=self._category,
            title=title,
            store_name=STORES[store],
            store_number=1101000000 + 17 * store,
            price_cent=int(rng.integers(499, 3999)),
            discount_pct=int(rng.integers(0, 7)) * 10,
            has_colour_property=len(ways) > 1 or product % 2 == 0,
            colourways=ways,
            size_chart=size_chart,
            reviews=(),
        )
        return replace(item, reviews=self._reviews(item))

    def other_offer(self, first: Item, seller: int) -> Item:
        """Make another seller's offer of the same product: the photos are taken over, as they are or edited."""
        rng = self._generator("other", first.item_id, seller)
        item_id = str(int(first.item_id) + 7919 * seller)
        slug = "/" + f"{rng.choice(ADJECTIVES)} {first.title}".replace(" ", "-")
        kinds = tuple(COPY_EDITS)

        def take_over(photo: ItemPhoto, kind: str) -> ItemPhoto:
            edits, quality = COPY_EDITS[kind]
            spec = photo.spec if kind == "same_bytes" else replace(photo.spec, edits=edits, quality=quality)
            path = _path(f"{item_id} {photo.path}", "H", slug)
            return replace(photo, path=path, spec=spec, copy_of=photo.path, copy_kind=kind)

        ways = []
        for place, way in enumerate(first.colourways):
            kind = kinds[(int(first.item_id) + seller + place) % len(kinds)]
            photo, worn = take_over(way.photo, kind), take_over(way.worn_photo, "same_bytes")
            ways.append(replace(way, photo=photo, worn_photo=worn))
        store = (STORES.index(first.store_name) + seller) % len(STORES)
        item = replace(
            first,
            item_id=item_id,
            title=slug[1:].replace("-", " "),
            store_name=STORES[store],
            store_number=1101000000 + 17 * store,
            price_cent=first.price_cent + int(rng.integers(-150, 151)),
            colourways=tuple(ways),
            size_chart=take_over(first.size_chart, "same_bytes"),
        )
        return replace(item, reviews=self._reviews(item))

    def _reviews(self, item: Item) -> tuple[Review, ...]:
        rng = self._generator("reviews", item.item_id)
        count = 2 * len(item.colourways) + int(rng.integers(2, 5))
        return tuple(self._review(item, number, rng) for number in range(count))

    def _review(self, item: Item, number: int, rng: np.random.Generator) -> Review:
        way = item.colourways[number % len(item.colourways)]
        review_id = 30072000000000000 + _digits(f"{item.item_id} {number}", 14)
        photo_count = int(rng.choice((0, 1, 2, 3), p=(0.36, 0.36, 0.2, 0.08)))
        return Review(
            review_id=review_id,
            colour=way.name,
            size=SIZES[int(rng.integers(len(SIZES)))],
            stars=int(rng.choice((5, 5, 5, 4, 4, 3, 1))),
            text=PRAISE[int(rng.integers(len(PRAISE)))],
            country=str(rng.choice(("DE", "US", "FR", "ES", "PL", "BR"))),
            day=int(rng.integers(1, 28)),
            photos=tuple(self._buyer_photo(item, way, f"{review_id} {place}", rng) for place in range(photo_count)),
        )

    def _buyer_photo(self, item: Item, way: Colourway, words: str, rng: np.random.Generator) -> ItemPhoto:
        seed, noise = int(rng.integers(2**31)), None
        drawing: Drawing
        if rng.random() < NOISE_FRAC:
            noise = NOISE_KINDS[seed % len(NOISE_KINDS)]
            drawing = NoiseDrawing(way.garment, noise, seed)
        else:
            drawing = SnapshotDrawing(way.garment, str(rng.choice(SETTINGS)), seed)
        width, height = BUYER_SIZES_PX[int(rng.choice(3, p=(0.5, 0.35, 0.15)))]
        spec = ImageSpec(drawing, width, height, quality=int(rng.integers(68, 88)))
        return ItemPhoto(
            path=_path(words, "A", ""),
            spec=spec,
            slot="buyer",
            colour=way.name if item.has_colour_property else None,
            shown_colour=way.name,
            noise=noise,
        )


def build_shop(seed: int, scale: float) -> Shop:
    """Make the shop.

    Args:
        seed: of the world.
        scale: 1 has 40 items in each category; never fewer than 5, so that one product has several sellers.
    """
    items: list[Item] = []
    for category in CATEGORIES:
        tailor, wanted = _Tailor(seed, category), max(5, round(ITEMS_AT_SCALE_1 * scale))
        offers: list[Item] = []
        product = 0
        while len(offers) < wanted:
            first = tailor.first_offer(product)
            sellers = SELLERS_OF_PRODUCT[product % len(SELLERS_OF_PRODUCT)]
            offers += [first, *(tailor.other_offer(first, seller) for seller in range(1, sellers))]
            product += 1
        items += offers[:wanted]
    blocked = str(3256800000000000 + _digits(f"{seed} blocked", 10))
    return Shop(tuple(CATEGORIES), tuple(items), (blocked,))

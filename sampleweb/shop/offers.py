"""What the shop sells: planned before any page is written, so that every page shape is judged by the same facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sampleweb.garments import COLORS, NOISE_KINDS
from sampleweb.pictures import COPY_EDITS, Picture

ITEMS = 40
"""Per category at scale 1."""
MIN_ITEMS = 6
"""At any scale: each oddity of ODDITIES stands once in every category."""
MISSING_ORIGINAL, GALLERY, UNPICTURED, PLAIN, OTHER_SELLER = 1, 2, 3, 4, 5
"""What is odd about an item, by its number modulo 6 (0 is none): the first colour's original is gone; further photos
and a description page; a colour without a picture, and a buyer's original that is gone; no colours at all; another
seller of a product that is there."""
_NOISE_SHARE = 0.3
_UNTOLD_SHARE = 0.08
_WORDS = ("Pleated", "Plaid", "High Quality", "Loose", "Vintage", "Summer", "Knitted", "Long", "Short", "Casual")
_COUNTRIES = ("ES", "FR", "PL", "BR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One part of the shop; each speaks one generation of pages."""

    name: str
    number: int
    heading: str
    start: str
    """Path of the list's first page."""
    cut: str
    """What `sampleweb.garments` draws."""
    item_format: str
    list_format: str
    language: str = "en"


CATEGORIES = (
    Category(
        name="skirts", number=349, heading="Skirts", start="/category/349/skirts.html", cut="skirt",
        item_format="runparams", list_format="embedded",
    ),
    Category(
        name="blouses", number=348, heading="Blouses & Shirts", start="/search/blouses", cut="blouse",
        item_format="components", list_format="json",
    ),
    Category(
        name="hoodies", number=302, heading="Hoodies & Sweatshirts", start="/w/wholesale-hoodies.html", cut="hoodie",
        item_format="components", list_format="cards",
    ),
    Category(
        name="sweaters", number=783, heading="Sweaters", start="/w/wholesale-sweaters.html", cut="sweater",
        item_format="runparams", list_format="init_data", language="ru",
    ),
    Category(
        name="jackets", number=775, heading="Jackets & Coats", start="/category/775/jackets-coats.html", cut="jacket",
        item_format="html2018", list_format="cards2018",
    ),
)  # fmt: skip

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {"Color": "Color", "Size": "Size", "Material": "Material"},
    "ru": {
        "Color": "Цвет", "Size": "Размер", "Material": "Материал", "Black": "черный", "White": "белый",
        "Red": "красный", "Navy Blue": "темно-синий", "Green": "зеленый", "Beige": "бежевый", "Pink": "розовый",
        "Yellow": "желтый",
    },
}  # fmt: skip
"""What pages of a language call things; the English word where there is none."""


def said(language: str, word: str) -> str:
    """Say a word in a page's language."""
    return WORDS[language].get(word, word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What one buyer wrote."""

    number: int
    color: str | None
    """None where the order line does not tell."""
    stars: int
    country: str
    height_cm: int
    photos: tuple[tuple[str, str], ...]
    """(path of the original, kind of picture)."""


@dataclass(slots=True, kw_only=True)
class Offer:
    """One item of one seller."""

    category: Category
    number: int
    item_id: str
    product: int
    """Offers of one product show the same garment."""
    colors: tuple[str, ...]
    """Names in English; empty for an item that comes in no choice of colours."""
    store: int
    edit: str | None
    """What this seller did to the product's studio photos; None for the first seller."""
    title: str
    cents: int
    reviews: list[Review] = field(default_factory=list)

    @property
    def oddity(self) -> int:
        """What is odd about it: see MISSING_ORIGINAL and the others."""
        return self.number % 6

    @property
    def item_format(self) -> str:
        """Page shape: every twentieth hoodie is of the newest kind, which scripts fill."""
        return "dcdata" if self.category.name == "hoodies" and self.number % 20 == 0 else self.category.item_format

    def color_path(self, color: str) -> str:
        """Where the leading photo of a colour stands (of an item without colours: its only one)."""
        return f"/kf/S{self.item_id}{color.replace(' ', '')}.jpg"

    def pictured(self) -> dict[str, str]:
        """Colours that have a picture, with its path; under the empty name that of an item without colours."""
        named = self.colors[:-1] if self.oddity == UNPICTURED and len(self.colors) > 1 else self.colors
        return {color: self.color_path(color) for color in named or ("",)}

    def extra_paths(self) -> list[str]:
        """Photos of the page that show no colour in particular."""
        return [f"/kf/G{self.item_id}n{turn}.jpg" for turn in range(2)] if self.oddity == GALLERY else []

    def description_paths(self) -> list[str]:
        """Pictures of the description page."""
        return [f"/kf/D{self.item_id}n{turn}.jpg" for turn in range(2)] if self.oddity == GALLERY else []

    def called(self, color: str) -> str:
        """What the item's pages call a colour."""
        return said(self.category.language, color)


def plan(category: Category, seed: int, scale: float) -> list[Offer]:
    """Decide what a category holds."""
    place = CATEGORIES.index(category)
    rng = np.random.default_rng([seed, 2, place])
    offers: list[Offer] = []
    for number in range(max(MIN_ITEMS, round(ITEMS * scale))):
        facts: dict[str, Any] = {
            "category": category, "number": number,
            "item_id": str(4_000_100_000_000 + 10_000_000 * place + 137 * number),
            "store": 5_500_000 + number % 17, "cents": int(rng.integers(599, 3999)),
        }  # fmt: skip
        if number % 6 == OTHER_SELLER:
            first = offers[number - 5]
            edit = ("same", *COPY_EDITS)[(number // 6 + place) % (len(COPY_EDITS) + 1)]
            title = f"New Arrival {first.title}"
            offer = Offer(product=first.product, colors=first.colors, edit=edit, title=title, **facts)
        else:
            least = 2 if number % 6 == UNPICTURED else 1
            colors = tuple(str(name) for name in rng.permutation(list(COLORS))[: int(rng.integers(least, 6))])
            words = " ".join(str(word) for word in rng.permutation(_WORDS)[:4])
            title = f"{words} {category.cut.title()} Women"
            named = () if number % 6 == PLAIN else colors
            offer = Offer(product=1000 + 1000 * place + number, colors=named, edit=None, title=title, **facts)
        offer.reviews = _reviews(rng, offer)
        offers.append(offer)
    return offers


def _reviews(rng: np.random.Generator, offer: Offer) -> list[Review]:
    reviews = []
    for number in range(int(rng.integers(4, 15)) if offer.number else 23):  # the first item has two pages of them
        photos = []
        for turn in range(int(rng.choice([0, 1, 1, 2])) if number else 2):
            kind = str(rng.choice(NOISE_KINDS)) if rng.random() < _NOISE_SHARE else "buyer"
            photos.append((f"/kf/U{offer.item_id}r{number}p{turn}.jpg", kind))
        color = offer.colors[int(rng.integers(len(offer.colors)))] if offer.colors else None
        reviews.append(
            Review(
                number=number, color=color if rng.random() > _UNTOLD_SHARE else None,
                stars=int(rng.integers(2, 6)), country=_COUNTRIES[number % 4], height_cm=150 + number,
                photos=tuple(photos),
            )
        )  # fmt: skip
    return reviews


def studio(seed: int, offer: Offer, color: str) -> Picture:
    """Describe the leading photo of a colour."""
    edits = (offer.edit,) if offer.edit not in (None, "same") else ()
    tone = color or list(COLORS)[offer.number % len(COLORS)]
    seeds = (seed, offer.product, list(COLORS).index(tone))
    return Picture(kind="seller", seed=seeds, size=(450, 600), field=tone, edits=edits, cut=offer.category.cut)


def extra(seed: int, offer: Offer, number: int) -> Picture:
    """Describe a further photo of the seller: the garment as it lies about, from another side."""
    seeds = (seed, offer.product, 5_000 + 100 * offer.number + number)
    tone = offer.colors[number % len(offer.colors)]
    return Picture(kind="buyer", seed=seeds, size=(450, 600), field=tone, cut=offer.category.cut)


def buyers_photo(seed: int, offer: Offer, review: Review, turn: int) -> Picture:
    """Describe a buyer's photo: the garment worn, or what is not a garment."""
    _, kind = review.photos[turn]
    shows = offer.product if kind == "buyer" else int(offer.item_id)
    names = offer.colors or (list(COLORS)[offer.number % len(COLORS)],)
    tone = review.color or names[review.number % len(names)]
    seeds = (seed, shows, 10_000 + review.number * 10 + turn)
    return Picture(kind=kind, seed=seeds, size=(360, 480), field=tone, cut=offer.category.cut)

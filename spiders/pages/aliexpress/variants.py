"""Which variant property means colour or size, in the languages of the shop, and whose colour a picture shows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from spiders.pages.aliexpress.document import objects, plain
from spiders.pages.aliexpress.images import image_url

COLOR_IDS = frozenset({"14"})
"""Property id of Color in the shop's catalogue."""

SIZE_IDS = frozenset({"5", "200000124"})
"""Property ids of Size and Shoe Size in the shop's catalogue."""

_COLOR_WORDS = frozenset((
    "color", "colour", "colors", "colores", "cor", "cores", "couleur", "couleurs", "farbe", "farben", "colore",
    "colori", "kleur", "kolor", "barva", "renk", "цвет", "колір", "szín", "culoare", "färg", "väri", "warna",
    "szin", "màu", "צבע", "اللون", "لون", "สี", "रंग", "χρώμα", "色", "颜色", "顏色", "カラー", "색상", "색깔", "컬러"
))  # fmt: skip
_SIZE_WORDS = frozenset((
    "size", "sizes", "talla", "tamaño", "tamano", "tamanho", "taille", "pointure", "größe", "grösse", "groesse",
    "taglia", "dimensione", "misura", "maat", "rozmiar", "beden", "ebat", "размер", "розмір", "velikost", "méret",
    "mărime", "storlek", "koko", "ukuran", "kích", "מידה", "גודל", "المقاس", "مقاس", "الحجم", "ขนาด", "ไซส์", "サイズ",
    "尺码", "尺寸", "尺碼", "사이즈", "크기"
))  # fmt: skip
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
"""Scripts that write a compound name without spaces: a word of the tables may stand inside."""

_LONG_NAMES = (
    "ships from", "ship from", "enviado desde", "envío desde", "enviado de", "envio de", "expédié depuis",
    "expédition depuis", "versand aus", "versendet aus", "wird versendet von", "spedito da", "verzending van",
    "wysyłka z", "отправка из", "доставка из", "gönderim yeri", "발송지", "発送元", "logistics", "expédié de",
    "dikirim dari", "الشحن من", "màu sắc", "kích thước",
)  # fmt: skip
_NAME_HEADS = frozenset((
    "type", "style", "length", "material", "set", "quantity", "model", "standard", "capacity", "voltage", "power",
    "version", "pattern", "bundle", "weight", "width", "height", "thickness", "specification", "plug", "gender",
    "age", "shape", "number", "option", "options", "package", "kit", "fit", "sleeve"
))  # fmt: skip
_NAME_QUALIFIERS = frozenset((
    "kid", "kids", "us", "eu", "uk", "ru", "fr", "br", "cn", "jp", "us/eu", "shoe", "ring", "cup", "band", "waist",
    "plug", "lens", "lenses", "frame", "frames", "main", "metal", "stone", "light", "emitting", "glow", "body",
    "shell", "strap", "case", "cable", "item", "product", "men's", "women's", "hair", "inner", "bust", "color",
    "size", "inseam"
))  # fmt: skip


class ItemSubject(NamedTuple):
    """One item in one colour."""

    color: str | None
    """The colour as the page names it; None where the item has none or its pictures do not tell."""
    image_url: str | None
    """The one leading seller photo."""
    gallery_urls: tuple[str, ...]
    """The item's photos that no colour claims; they may show any colour of it."""


def fold(name: str) -> str:
    """Bring a name to the form in which two are compared: compatible characters, lower case, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def means_color(name: str) -> bool:
    """Tell whether a property's name says colour (`Lenses Color`, `Цвет`, `Couleur du cadre`)."""
    return _holds_word(fold(name), _COLOR_WORDS)


def means_size(name: str) -> bool:
    """Tell whether a property's name says size (`Kid US Size`, `Größe`)."""
    return _holds_word(fold(name), _SIZE_WORDS)


def _holds_word(name: str, words: frozenset[str]) -> bool:
    if words.intersection(re.findall(r"[^\W_]+", name)):
        return True
    return any(word in name for word in words if _UNSPACED.search(word))


def color_property(properties: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Choose the variant property that means colour.

    Args:
        properties: `{"id", "name", "shows_color", "values": [{"name", "image_url"}]}` in page order.

    Returns:
        Of those that mean colour by id, by the page's own mark or by name: the first with pictures, else the first.
    """
    meant = [p for p in properties if p["id"] in COLOR_IDS or p["shows_color"] or means_color(p["name"])]
    return next((p for p in meant if any(v["image_url"] for v in p["values"])), meant[0] if meant else None)


def size_values(properties: Sequence[Mapping[str, Any]]) -> list[str]:
    """List the values of the first variant property that means size, in page order."""
    for entry in properties:
        if entry["id"] in SIZE_IDS or means_size(entry["name"]):
            return [value["name"] for value in entry["values"]]
    return []


def sku_properties(listed: Any, base: str) -> list[dict[str, Any]]:
    """Read the variant properties of embedded item data.

    Args:
        listed: the page's `productSKUPropertyList` or `skuProperties`.
        base: address that pictures are resolved against.
    """
    return [
        {
            "id": plain(entry.get("skuPropertyId")) or "",
            "name": plain(entry.get("skuPropertyName")) or "",
            "shows_color": bool(entry.get("isShowTypeColor") or entry.get("showTypeColor")),
            "values": [
                value for value in (_sku_value(v, base) for v in objects(entry.get("skuPropertyValues"))) if value
            ],
        }
        for entry in objects(listed)
    ]


def _sku_value(value: Mapping[str, Any], base: str) -> dict[str, Any] | None:
    names = (value.get(key) for key in ("propertyValueDisplayName", "propertyValueName", "skuPropertyTips"))
    name = next((text for text in map(plain, names) if text), None)
    pictures = (value.get(key) for key in ("skuPropertyImagePath", "skuPropertyImageSummPath"))
    picture = next((url for url in (image_url(address, base) for address in pictures) if url), None)
    return {"name": name, "image_url": picture} if name else None


def split_order_line(line: str) -> dict[str, str]:
    """Read what a review says was ordered: `Color:Blue Kid US Size:3T Ships From:China`.

    Names and values follow each other with nothing but a blank between a value and the next name, so that the name
    is told by the words that names end in.

    Returns:
        Values by property name, in the line's order.
    """
    pieces = [piece.strip() for piece in line.split(":")]
    values: dict[str, str] = {}
    name = pieces[0]
    for piece in pieces[1:-1]:
        value, following = _part_name(piece)
        values.setdefault(name, value)
        name = following
    if len(pieces) > 1:
        values.setdefault(name, pieces[-1])
    return values


def _part_name(piece: str) -> tuple[str, str]:
    """Part `value next-name`; the name is at least the last word."""
    lowered = fold(piece)
    for known in _LONG_NAMES:
        if lowered.endswith(" " + known) and len(lowered) == len(piece):
            return piece[: -len(known)].rstrip(), piece[-len(known) :]
    words = piece.split()
    start = len(words) - 1
    while start > 1 and words[start].startswith("("):  # a unit: `Size (cm)`
        start -= 1
    if start > 0 and _is_name_head(words[start]):
        while start > 1 and fold(words[start - 1]) in _NAME_QUALIFIERS:
            start -= 1
    return " ".join(words[:start]), " ".join(words[start:])


def _is_name_head(word: str) -> bool:
    return means_color(word) or means_size(word) or fold(word) in _NAME_HEADS


def ordered_variant(values: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Tell colour and size among the ordered values; None for what the line does not name."""
    color = next((value for name, value in values.items() if means_color(name)), None)
    size = next((value for name, value in values.items() if means_size(name) and not means_color(name)), None)
    return color or None, size or None


def match_color(review_color_text: str | None, colors: Sequence[str]) -> str | None:
    """Find the item's colour that a review's order line names.

    Args:
        review_color_text: the colour as the order line gives it.
        colors: names of the item's colours.

    Returns:
        The item's own spelling of it; None where no colour, or more than one, could be meant.
    """
    if not review_color_text:
        return None
    wanted = fold(review_color_text)
    if review_color_text in colors:
        return review_color_text
    for form in (fold, _bare):
        same = {color for color in colors if form(color) == form(review_color_text)}
        if same:
            return same.pop() if len(same) == 1 else None
    # The line may have left the first words of the next property's name with the colour.
    longer = [color for color in colors if color and wanted.startswith(fold(color) + " ")]
    longer = [color for color in longer if set(wanted[len(fold(color)) :].split()) <= _NAME_QUALIFIERS]
    return longer[0] if len(longer) == 1 else None


def _bare(name: str) -> str:
    """Compare by letters and digits alone; a name of signs only stands for itself."""
    return re.sub(r"[\W_]+", "", fold(name)) or fold(name)


def subjects_of_item(item_record: Mapping[str, Any]) -> list[ItemSubject]:
    """Split an item into its subjects: one for each colour that has a picture of its own.

    An item without colours, or whose several colours have no pictures, is one subject of no colour with the item's
    first photo. A single colour without a picture takes the first photo.

    Args:
        item_record: a record of `read_item`.

    Returns:
        Subjects in page order, each colour once and each with exactly one leading photo (None only where the item
        has no photo at all).
    """
    photos = list(item_record.get("image_urls") or [])
    leading: dict[str | None, str | None] = {}
    for color in item_record.get("colors") or []:
        leading.setdefault(color["name"], color["image_url"])
    if len(leading) == 1:
        leading = {name: url or next(iter(photos), None) for name, url in leading.items()}
    leading = {name: url for name, url in leading.items() if url} or {None: next(iter(photos), None)}
    # A name that the page gives twice has one leading photo; the other one is not lost.
    photos += [color["image_url"] for color in item_record.get("colors") or [] if color["image_url"]]
    gallery = tuple(dict.fromkeys(url for url in photos if url not in leading.values()))
    return [ItemSubject(name, url, gallery) for name, url in leading.items()]

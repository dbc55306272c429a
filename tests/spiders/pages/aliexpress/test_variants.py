import pytest

from spiders.pages.aliexpress import match_color, subjects_of_item
from spiders.pages.aliexpress.variants import means_color, means_size, ordered_variant, split_order_line


@pytest.mark.parametrize(
    "name",
    ["Color", "COLOUR", "Lenses Color", "Metal Color", "Cor", "Couleur", "Farbe", "Colore", "Kleur", "Цвет", "Kolor",
     "Renk", "色", "カラー", "색상", "اللون", "צבע", "สี", "Màu sắc", "Warna", "Couleur du cadre", "フレームの色"],
)  # fmt: skip
def test_names_of_colour(name):
    assert means_color(name)
    assert not means_size(name)


@pytest.mark.parametrize(
    "name",
    ["Size", "Kid US Size", "Shoe Size", "Talla", "Tamanho", "Taille", "Größe", "Taglia", "Maat", "Размер", "Rozmiar",
     "Beden", "サイズ", "사이즈", "尺码", "المقاس", "מידה", "ขนาด", "Kích thước", "Ukuran"],
)  # fmt: skip
def test_names_of_size(name):
    assert means_size(name)
    assert not means_color(name)


@pytest.mark.parametrize("name", ["Ships From", "Plug Type", "Decor", "Colorado", "Material", "Length", ""])
def test_other_names(name):
    assert not means_color(name)
    assert not means_size(name)


@pytest.mark.parametrize(
    ("line", "color", "size"),
    [
        ("Color:Blue Kid US Size:3T ", "Blue", "3T"),
        ("Color:1PC 2.0Ah Battery Plug Type:EU Ships From:CHINA ", "1PC 2.0Ah Battery", None),
        ("Color: Wine Red Size: M Logistics: ePacket", "Wine Red", "M"),
        ("Ships From:SPAIN Color:Black Size:XL", "Black", "XL"),
        ("Цвет:Тёмно-синий Размер:XL Отправка из:Китай", "Тёмно-синий", "XL"),
        ("Farbe:Schwarz Größe:M", "Schwarz", "M"),
        ("Color del metal:Oro rosa Talla:7", "Oro rosa", "7"),
        ("Size:L", None, "L"),
        ("Bundle:Set 1", None, None),
        ("", None, None),
        (":::", None, None),
    ],
)
def test_order_lines(line, color, size):
    assert ordered_variant(split_order_line(line)) == (color, size)


@pytest.mark.parametrize(
    ("text", "colors", "match"),
    [
        ("Black", ["Black", "Black Blue"], "Black"),
        ("black  BLUE", ["Black", "Black Blue"], "Black Blue"),
        ("Wine-Red", ["Wine Red", "Red"], "Wine Red"),
        ("Blue Kid", ["Blue", "Red"], "Blue"),
        ("Black Blue", ["Black"], None),
        ("Green", ["Black"], None),
        ("red", ["Red", "RED"], None),
        ("RED", ["Red", "RED"], "RED"),
        ("***", ["+++"], None),
        (None, ["Black"], None),
        ("Black", [], None),
    ],
)
def test_review_colours_find_the_items_own(text, colors, match):
    assert match_color(text, colors) == match


def item(colors, images=("g1", "g2")):
    return {"image_urls": list(images), "colors": [{"name": name, "image_url": url} for name, url in colors]}


def test_each_colour_has_exactly_one_leading_photo():
    subjects = subjects_of_item(item([("Black", "b"), ("Red", "g2"), ("Black", "other")], ("g1", "g2", "b")))
    assert subjects == [("Black", "b", ("g1", "other")), ("Red", "g2", ("g1", "other"))]


@pytest.mark.parametrize("colors", [[], [("01", None), ("02", None)]])
def test_without_pictures_of_colours_the_item_is_one_subject_of_no_colour(colors):
    assert subjects_of_item(item(colors)) == [(None, "g1", ("g2",))]


def test_a_single_colour_takes_the_first_photo():
    assert subjects_of_item(item([("Black", None)])) == [("Black", "g1", ("g2",))]


def test_a_colour_without_a_picture_among_others_is_left_out():
    assert subjects_of_item(item([("Black", "b"), ("Red", None)])) == [("Black", "b", ("g1", "g2"))]


def test_an_item_without_photos_has_no_leading_one():
    assert subjects_of_item(item([], ())) == [(None, None, ())]

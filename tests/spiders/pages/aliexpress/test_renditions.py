import pytest

from spiders.pages.aliexpress import read_description, renditions_in
from spiders.pages.contract import PageInput

BASE = "https://www.aliexpress.com/item/1.html"
CDN = "https://ae01.alicdn.com/kf"


def renditions(body):
    return renditions_in(PageInput(url=BASE, body=body.encode()))


@pytest.mark.parametrize(
    "shown",
    [
        f"{CDN}/a.jpg_640x640.jpg",
        f"{CDN}/a.jpg_640x640q90.jpg_.webp",
        "//ae01.alicdn.com/kf/a.jpg_640x640.jpg",
        r"https:\/\/ae01.alicdn.com\/kf\/a.jpg_640x640.jpg",
    ],
)
def test_what_a_page_shows_in_place_of_an_original(shown):
    plain = shown.replace("\\", "")
    whole = plain if plain.startswith("https:") else f"https:{plain}"
    assert renditions(f'<img src="{shown}">') == {f"{CDN}/a.jpg": whole}
    assert renditions(f'{{"image": "{shown}"}}') == {f"{CDN}/a.jpg": whole}


def test_the_largest_one_counts_wherever_it_stands():
    sizes = (50, 640, 220)
    body = " ".join(f'"/kf/a.png_{size}x{size}.png"' for size in sizes)
    assert renditions(body) == {
        "https://www.aliexpress.com/kf/a.png": "https://www.aliexpress.com/kf/a.png_640x640.png"
    }


def test_originals_alone_have_no_rendition():
    assert renditions(f'"{CDN}/a.jpg", "{CDN}/my_photo_50x50.jpg", "/x/y.html"') == {}


def test_a_description_is_one_record_of_originals_or_none():
    page = PageInput(url=BASE, body=b'<img src="//ae01.alicdn.com/kf/d.jpg_960x960.jpg"><img src="x/20x20.png">')
    assert read_description(page).to_json()["records"] == [{"image_urls": [f"{CDN}/d.jpg"]}]
    assert read_description(PageInput(url=BASE, body=b"<p>nothing</p>")).records == ()

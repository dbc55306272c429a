import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.pages.aliexpress import original_image_url
from spiders.pages.aliexpress.images import image_urls, is_icon_url

BASE = "https://ae01.alicdn.com/kf/S1a/Skirt-50x50.jpg"


@pytest.mark.parametrize(
    "rendition",
    [
        "_50x50.jpg", "_640x640.jpg", "_640x640.jpg_.webp", "_Q90.jpg_", "_Q90.jpg_.webp", "_350x350xz.jpg", "_.webp",
        "_220x220q75.jpg_.avif", "_960x960q75s50.jpg_.avif", "_480x480.png", "_220x220xz.jpg_.webp", "_50x50.JPG",
    ],
)  # fmt: skip
def test_renditions_are_taken_off(rendition):
    assert original_image_url(BASE + rendition) == BASE
    assert original_image_url(f"{BASE}{rendition}?height=800") == f"{BASE}?height=800"


@pytest.mark.parametrize(
    "url",
    [
        BASE,
        "https://ae01.alicdn.com/kf/HTB1_50x50.jpg",
        "https://ae01.alicdn.com/kf/S1887/154x64.png",
        "https://ae01.alicdn.com/kf/photo.jpg_of_me.jpg",
        "https://shop.example/a.webp",
        "https://shop.example/thumb.php?src=a.jpg_50x50.jpg",
    ],
)
def test_originals_are_left_alone(url):
    assert original_image_url(url) == url


@given(st.text(alphabet="ab/._-x0123456789jpgwebQ?#", max_size=300))
def test_taking_off_twice_is_taking_off_once(text):
    once = original_image_url(text)
    assert original_image_url(once) == once


def test_addresses_become_absolute_and_stand_once():
    listed = [
        "//a.b/x.jpg_50x50.jpg",
        "https://a.b/x.jpg",
        {"imgUrl": "/y.png_220x220.png"},
        "data:image/png;base64,A",
        7,
    ]
    assert image_urls(listed, "https://shop.example/item/1.html") == [
        "https://a.b/x.jpg",
        "https://shop.example/y.png",
    ]


def test_badges_are_told_by_their_names():
    assert is_icon_url("https://ae01.alicdn.com/kf/S1887/154x64.png")
    assert not is_icon_url("https://ae01.alicdn.com/kf/S1887/skirt154x64.png")

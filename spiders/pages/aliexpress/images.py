"""From the address of a thumbnail to the address of the picture that it was made from."""

from __future__ import annotations

import re
from typing import Any

from spiders.pages.aliexpress.document import absolute_url, page_text
from spiders.pages.contract import PageInput

_EXTENSIONS = r"(?:jpe?g|png|gif|webp|avif|bmp)"
_RENDITION = rf"(?:_(?:\d{{1,4}}x\d{{1,4}}[a-z]{{0,4}})?(?:[qQ]\d{{1,3}})?(?:s\d{{1,3}})?(?:\.{_EXTENSIONS})?)+"
_THUMBNAIL = re.compile(rf"(?P<original>[^?#]*?\.{_EXTENSIONS})(?P<rendition>{_RENDITION})(?P<rest>[?#].*)?", re.I)
_SHOWN = re.compile(rf"""(?:https?:)?//[^\s"'()<>\\,?#]{{1,300}}?\.{_EXTENSIONS}_[\w.]{{1,60}}\.{_EXTENSIONS}""", re.I)
_SHOWN_PATH = re.compile(
    rf"""(?<=["'(=])/[^\s"'()<>\\,?#/][^\s"'()<>\\,?#]{{1,300}}?\.{_EXTENSIONS}_[\w.]{{1,60}}\.{_EXTENSIONS}""", re.I
)
_SIZE = re.compile(r"_(\d{1,4})x\d{1,4}")
_ICON = re.compile(rf"/\d{{1,4}}x\d{{1,4}}\.{_EXTENSIONS}$", re.I)


def original_image_url(url: str) -> str:
    """Take the renditions off a picture's address.

    The image servers append what they made to the original's name, after its extension: a size, a quality, another
    format, in any number (`name.jpg_640x640q90.jpg_.webp`). The caller still has to see that the original exists.

    Returns:
        The original's address; the same address where nothing was appended.
    """
    found = _THUMBNAIL.fullmatch(url)
    return found["original"] + (found["rest"] or "") if found else url


def renditions_in(page: PageInput) -> dict[str, str]:
    """Find, for the originals that a page only shows in smaller form, the largest form that it shows.

    An original that is gone from the image server, as some are, can still be had so.

    Returns:
        Addresses of renditions by that of their original, both absolute.
    """
    text = page_text(page).replace("\\/", "/").replace("\\u002F", "/")
    best: dict[str, str] = {}
    for pattern in (_SHOWN, _SHOWN_PATH):
        for found in pattern.finditer(text):
            url = absolute_url(found.group(), page.url)
            original = original_image_url(url) if url else None
            if url is not None and original is not None and original != url:
                best[original] = larger_rendition(best.get(original, url), url)
    return best


def larger_rendition(one: str, other: str) -> str:
    """Choose the larger of two renditions of a picture, by what their addresses say, else the first."""
    sides = [max((int(side) for side in _SIZE.findall(url)), default=0) for url in (one, other)]
    return other if sides[1] > sides[0] else one


def image_url(address: Any, base: str) -> str | None:
    """Give a picture's original as an absolute address; None where the value is no address."""
    url = absolute_url(address, base)
    return original_image_url(url) if url else None


def image_urls(addresses: Any, base: str) -> list[str]:
    """Give pictures' originals in their order, each once; entries may also be objects that hold an address."""
    urls: dict[str, None] = {}
    for address in addresses if isinstance(addresses, (list, tuple)) else ():
        if isinstance(address, dict):
            address = next((address[key] for key in ("imgUrl", "url", "imageUrl", "image") if key in address), None)
        url = image_url(address, base)
        if url:
            urls[url] = None
    return list(urls)


def is_icon_url(url: str) -> bool:
    """Tell whether a picture is a badge of the site: those are named by their size alone (`.../154x64.png`)."""
    return _ICON.search(url) is not None

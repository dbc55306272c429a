"""Bytes that are, or claim to be, pictures: known by how they begin, never by name or Content-Type."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from catalog.ids import sha256_hex

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"\x00\x00\x00\x0cjP  ", "image/jp2"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x00\x00\x00\x0cJXL ", "image/jxl"),
)
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
}
_NETPBM = re.compile(rb"P[1-6][\s#]")
_SVG = re.compile(
    rb"\A\s*(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*(<!doctype\s+svg[^>]*>\s*)?<svg\b", re.IGNORECASE | re.DOTALL
)
_DATA_URI = re.compile(r"data:([\w.+/-]*)((?:;[\w.+=-]*)*),", re.IGNORECASE)


def picture_type(body: bytes) -> str | None:
    """Tell the kind of picture, as a media type; None where the bytes begin like no picture.

    A truncated picture still begins like one: whether it can be decoded is asked later.
    """
    for magic, name in _MAGIC:
        if body.startswith(magic):
            return name
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    if body[4:8] == b"ftyp":
        return _BRANDS.get(body[8:12])
    if _NETPBM.match(body):
        return "image/x-portable-anymap"
    return "image/svg+xml" if _SVG.match(body[:4096]) else None


def data_uri_body(uri: str) -> bytes | None:
    """Decode a `data:` address; None where it is none or broken."""
    head = _DATA_URI.match(uri)
    if head is None:
        return None
    raw = unquote_to_bytes(uri[head.end() :])
    if ";base64" not in head[2].lower():
        return raw
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error:
        return None


def landed_url(url: str) -> str:
    """Give the address under which a picture is recorded: `data:` ones, which may be huge, by their digest."""
    return f"data:;sha256={sha256_hex(url.encode())}" if url[:5].lower() == "data:" else url

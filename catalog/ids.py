"""All identifiers, from the fewest raw stable inputs; no id holds a person's name in clear.

Images are named by the sha256 of their raw bytes (64 hex digits); every other id is `<kind>_<16 hex>`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

Box = tuple[int, int, int, int]
"""(x0, y0, x1, y1), half-open, integer pixels of the EXIF-transposed image."""

_IMAGE_ID = re.compile(r"[0-9a-f]{64}")


def sha256_hex(data: bytes) -> str:
    """Name bytes by their sha256, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def image_id(body: bytes) -> str:
    """Name an image by its raw body, exactly as served."""
    return sha256_hex(body)


def is_image_id(text: str) -> bool:
    """Tell whether a text has the form of an image id."""
    return _IMAGE_ID.fullmatch(text) is not None


def canonical_json(value: Any) -> str:
    """Write JSON that is the same for equal values: keys sorted, no spaces, text unescaped.

    Raises:
        TypeError: a value has no JSON form.
        ValueError: a number is NaN or infinite.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any, length: int = 64) -> str:
    """Hash any JSON value: the first `length` hex digits of the sha256 of its canonical form."""
    return sha256_hex(canonical_json(value).encode())[:length]


def short_id(kind: str, *parts: str | int | None) -> str:
    """Make `<kind>_<16 hex>` from raw parts; the order and the borders of the parts count."""
    return f"{kind}_{digest(list(parts), 16)}"


def page_id(source: str, url: str) -> str:
    """Name a page by its source and requested address."""
    return short_id("page", source, url)


def subject_id(source: str, *key: str | int | None) -> str:
    """Name a subject by its source and the raw key that tells it from others there."""
    return short_id("subj", source, *key)


def sighting_id(source: str, page: str, subject: str, slot: str, image_url: str, image: str | None) -> str:
    """Name a sighting; a replaced photo under the same address is another sighting."""
    return short_id("sight", source, page, subject, slot, image_url, image)


def sample_id(image: str, box: Box | None, subject: str) -> str:
    """Name a sample: sha256 of image id, box and subject, 64 hex digits."""
    return digest([image, list(box) if box is not None else None, subject])


def pair_key(members: Sequence[str]) -> str:
    """Name an unordered set of targets (a duplicate pair, say) independently of their order."""
    return short_id("pair", *sorted(members))


def run_id(started_at: str, source: str) -> str:
    """Name a run so that names sort by start time: `20261121T050700Z-<6 hex>`."""
    stamp = re.sub(r"[^0-9TZ]", "", started_at)
    return f"{stamp}-{digest([started_at, source], 6)}"

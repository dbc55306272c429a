"""All that one crawl of a source works with; made once at the rim and handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from catalog.blobs import BlobStore
from catalog.landing import LandingWriter
from catalog.suppressions import Suppressions
from spiders.ledger import Ledger
from spiders.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One run: what is asked for, what is known, and where results go."""

    source: Source
    writer: LandingWriter
    blobs: BlobStore
    ledger: Ledger
    suppressions: Suppressions
    max_images: int | None = None
    """Fetch only the first so many pictures; None for all."""
    now: Callable[[], str]
    """UTC time, ISO 8601 with Z."""
    on_progress: Callable[[dict[str, int]], None] = field(default=lambda counts: None)
    """Called often with counts so far: pages, pages_found, images, images_found, and of each role of a page (list,
    item, reviews, ...) `<role>_read` and `<role>_found`."""

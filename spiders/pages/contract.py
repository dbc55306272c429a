"""What a page reader takes and gives.

A reader is a pure function `read_<kind>(page: PageInput, hints: ...) -> PageResult`. It raises `SourceChanged`,
`PageBlocked` or `PageForeign` (catalog.errors) and nothing else, whatever the bytes are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = ("staff", "item", "listing", "reviews")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageInput:
    """One saved document, complete enough to be read again at any time."""

    url: str
    """Final address; relative links are resolved against it (or against the document's base href)."""
    body: bytes
    """The body as served, or the serialised DOM (UTF-8) where `via` is `browser`."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    fetched_at: str = ""
    """UTC ISO 8601 with Z; never read from a clock here."""
    via: str = "http"
    """`http`, `browser` or `file`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageIssue:
    """Something odd on a page."""

    reason: str
    """Slug from catalog.schema.REASONS."""
    where: str
    """CSS or JSON path, or an address."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageResult:
    """What a page holds. `to_json` gives the words of the `gleanery probe` command."""

    kind: str
    page_format: str
    """Name of the structure that was recognised: `cards`, `table`, `runparams`, ..., `blocked`, `foreign`."""
    records: tuple[Mapping[str, Any], ...] = ()
    """JSON-like; staff: name, title, role, role_class, image_url, image_full_url, profile_url, is_placeholder,
    is_former. See docs/data-format.md for the others."""
    pages: tuple[str, ...] = ()
    """Absolute addresses that a crawl would follow from here, in page order."""
    issues: tuple[PageIssue, ...] = ()
    needs_script: bool = False
    """The plain page holds no records but runs scripts: `render = auto` would open the browser."""

    def to_json(self) -> dict[str, Any]:
        """Give the JSON object that `gleanery probe --json` prints."""
        return {
            "kind": self.kind,
            "page_format": self.page_format,
            "records": [dict(record) for record in self.records],
            "pages": list(self.pages),
            "issues": [{"reason": i.reason, "where": i.where, "detail": i.detail} for i in self.issues],
        }

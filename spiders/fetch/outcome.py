"""What became of one fetch: a body, or a reason; never an exception for what the web merely does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from OpenSSL.SSL import Error as TlsError
from scrapy.exceptions import CannotResolveHostError, DownloadCancelledError, DownloadTimeoutError

from catalog.schema import Permission
from spiders.fetch.refused import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One answer, or why there is none."""

    url: str
    """As requested."""
    final_url: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    via: str = "http"
    fetched_at: str = ""
    permission: Permission = field(default_factory=Permission)
    reason: str | None = None
    """Slug where there is no usable body."""
    detail: str = ""


def status_reason(status: int) -> str | None:
    """Map a final status to a reason; None for success."""
    if 200 <= status < 300:
        return None
    if status in (404, 410):
        return "fetch_not_found"
    return "fetch_forbidden" if status in (401, 403, 451) else "fetch_failed"


def failure_reason(error: Exception) -> tuple[str, str]:
    """Map an exception of the downloader to a reason and a sentence."""
    if isinstance(error, Refused):
        return error.reason, error.detail
    if isinstance(error, CannotResolveHostError):
        return "fetch_dns", str(error)
    if isinstance(error, DownloadTimeoutError):
        return "fetch_timeout", str(error)
    if isinstance(error, DownloadCancelledError):
        return "fetch_too_large", str(error)
    if any(isinstance(cause, TlsError) for cause in _causes(error)):
        return "fetch_tls", f"{type(error).__name__}: {error}"
    return "fetch_failed", f"{type(error).__name__}: {error}"


def _causes(error: BaseException | None) -> list[Any]:
    """Unfold what Twisted wraps: chained exceptions and the `reasons` of a failed response."""
    found: list[Any] = []
    while error is not None and error not in found and len(found) < 10:
        found.append(error)
        found += [reason.value for reason in getattr(error, "reasons", None) or []]
        error = error.__cause__
    return found

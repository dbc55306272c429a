"""Look at one page: what would be collected from it, and where a crawl would go on. Touches no data root.

result, code = probe("https://uni.example/staff", "", "staff", config)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from catalog import files
from catalog.config import Config
from catalog.errors import PageBlocked, PageForeign, PolicyRefused, SourceChanged, UsageError
from catalog.ids import canonical_json
from spiders.pages.challenge import is_challenge
from spiders.pages.contract import KINDS, PageInput, PageIssue, PageResult
from spiders.policy import permission
from spiders.policy.address import is_loopback_host
from spiders.policy.agent import user_agent
from spiders.settings import PAGE_BYTES

Reader = Callable[[PageInput], PageResult]

_UNSAID = "https://page.invalid/"
"""Base of the links of a file for which no address was given."""


@dataclass(frozen=True, slots=True)
class Probed:
    """A page and what was read from it."""

    page: PageInput
    result: PageResult
    exit_code: int
    """0, or 1 where the page is refused, blocked, foreign, changed or could not be had."""


def probe(
    target: str, base_url: str, kind: str, config: Config, hints: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], int]:
    """Give the JSON of `gleanery probe` and its exit code (see `look`)."""
    seen = look(target, base_url, kind, config, hints)
    return seen.result.to_json(), seen.exit_code


def look(target: str, base_url: str, kind: str, config: Config, hints: Mapping[str, Any] | None = None) -> Probed:
    """Fetch or open one page and read it.

    Args:
        target: address, or path of a saved page.
        base_url: address that a saved page came from; links are resolved against it.
        kind: one of KINDS.
        config: `contact` goes into the user agent.
        hints: CSS hints, for kind staff.

    Raises:
        UsageError: no such kind or file, no contact, or unknown hints.
    """
    if kind not in KINDS:
        raise UsageError(f"kind {kind!r}, expected one of {', '.join(KINDS)}")
    reader = reader_of(kind, hints)
    try:
        page = fetch_page(target, config) if is_address(target) else open_page(Path(target), base_url)
    except PolicyRefused as error:
        page = PageInput(url=target, body=b"", status=0)
        return Probed(page, _failed(kind, "refused", error.reason, target, str(error)), 1)
    return _read(page, kind, reader)


def reader_of(kind: str, hints: Mapping[str, Any] | None = None) -> Reader:
    """Give the reader of a kind of page.

    Raises:
        UsageError: hints that the reader does not know.
    """
    if kind == "staff":
        from spiders.pages.staff import StaffHints, read_staff

        try:
            known = StaffHints(**(hints or {}))
        except TypeError:
            expected = ", ".join(StaffHints.__dataclass_fields__)
            raise UsageError(f"hints {sorted(hints or {})}, expected some of {expected}") from None
        return lambda page: read_staff(page, known)
    from spiders.pages import aliexpress

    readers: dict[str, Reader] = {
        "item": aliexpress.read_item, "listing": aliexpress.read_listing, "reviews": aliexpress.read_reviews
    }  # fmt: skip
    return readers[kind]


def is_address(target: str) -> bool:
    """Tell an address from a path."""
    return urlsplit(target).scheme in ("http", "https")


def open_page(path: Path, base_url: str) -> PageInput:
    """Open a saved page; a `meta.json` beside it (a fixture case) says where it came from.

    Raises:
        UsageError: it cannot be read.
    """
    meta: dict[str, Any] = {}
    try:
        body = path.read_bytes()
        if (path.parent / "meta.json").is_file() and path.name == "input.html":
            meta = json.loads((path.parent / "meta.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    return PageInput(
        url=base_url or meta.get("url") or _UNSAID, body=body, status=int(meta.get("status", 200)),
        headers=meta.get("headers", {}), via="file", fetched_at=meta.get("fetched_at", ""),
    )  # fmt: skip


def fetch_page(url: str, config: Config) -> PageInput:
    """Fetch one page under the rules of a crawl. An address on this machine that is typed as such may be fetched.

    Raises:
        PolicyRefused: an address, robots.txt, an opt-out or the net forbids it.
        UsageError: no contact.
    """
    import requests

    from spiders.fetch.guarded_session import GuardedSession, refusal_in

    allow_loopback = is_loopback_host(urlsplit(url).hostname)
    session = GuardedSession(user_agent(config.contact, allow_loopback), allow_loopback, PAGE_BYTES)
    try:
        response, body = session.get(url)
    except requests.RequestException as error:
        if refusal := refusal_in(error):
            raise refusal from None
        raise PolicyRefused(_net_reason(error), f"{url}: {error}") from None
    headers = {name.lower(): value for name, value in response.headers.items()}
    page = PageInput(url=response.url, body=body, status=response.status_code, headers=headers)
    verdict = permission.decide(permission.header_signals(headers) | permission.meta_signals(body), "page")
    if verdict.reason is not None:
        raise PolicyRefused(verdict.reason, f"{url}: {verdict.signals}")
    if not response.ok and not is_challenge(page):
        reason = "fetch_not_found" if response.status_code in (404, 410) else "fetch_failed"
        raise PolicyRefused(reason, f"{url}: status {response.status_code}")
    return page


def _net_reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        return "fetch_tls"
    if isinstance(error, requests.exceptions.Timeout):
        return "fetch_timeout"
    return "fetch_dns" if "NameResolutionError" in repr(error) else "fetch_failed"


def _read(page: PageInput, kind: str, reader: Reader) -> Probed:
    try:
        result = reader(page)
    except PageBlocked as error:
        return Probed(page, _failed(kind, "blocked", "page_blocked", page.url, str(error)), 1)
    except PageForeign as error:
        return Probed(page, _failed(kind, "foreign", "page_foreign", page.url, str(error)), 1)
    except SourceChanged as error:
        return Probed(page, _failed(kind, "changed", "page_changed", page.url, str(error)), 1)
    return Probed(page, result, 0)


def _failed(kind: str, page_format: str, reason: str, where: str, detail: str) -> PageResult:
    issue = PageIssue(reason=reason, where=where, detail=detail)
    return PageResult(kind=kind, page_format=page_format, issues=(issue,))


def save_case(folder: Path, page: PageInput, result: PageResult) -> None:
    """Keep a page and what is read from it as a fixture case: input.html, meta.json and, last, output.json.

    Raises:
        UsageError: the folder holds a case already.
    """
    if (folder / "output.json").exists():
        raise UsageError(f"{folder}: holds a case already; choose another folder")
    kept = {name: page.headers[name] for name in ("content-type", "content-language") if name in page.headers}
    meta = {"url": page.url, "status": page.status, "headers": kept, "kind": result.kind, "via": page.via}
    if page.fetched_at:
        meta["fetched_at"] = page.fetched_at
    files.write_bytes(folder / "input.html", page.body)
    files.write_text(folder / "meta.json", json.dumps(meta, indent=1, sort_keys=True) + "\n")
    text = json.dumps(json.loads(canonical_json(result.to_json())), indent=1, ensure_ascii=False)
    files.write_text(folder / "output.json", text + "\n")

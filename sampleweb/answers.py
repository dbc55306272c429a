"""What each address answers: a pure look-up (but for the errors that heal), apart from sockets and time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from urllib.parse import parse_qs

from sampleweb.images import ImageSpec, ImageStore
from sampleweb.pages import HTML, calendar_page, staff_pages
from sampleweb.shop_pages import CHALLENGE, ShopPages
from sampleweb.sites import Site
from sampleweb.world import World

LAST_MODIFIED = "Thu, 01 Oct 2026 08:00:00 GMT"
"""One date for everything: the world does not change while it is served."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body, and how long to wait before they are sent."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0


class Answers:
    """Answers for a whole world on one port.

    Args:
        world: what is served.
        port: named in absolute links.
        store: renders and keeps the images.
    """

    def __init__(self, world: World, port: int, store: ImageStore) -> None:
        self._world, self._port, self._store = world, port, store
        self._sites = {site.host: site for site in reversed(world.sites)}
        self._pages: dict[str, dict[str, tuple[str, bytes]]] = {}
        self._healed: set[tuple[str, str]] = set()

    def answer(self, host: str, path: str, query: str, if_none_match: str, if_modified_since: str) -> Answer:
        """Answer one GET request.

        Args:
            host: 127.0.0.N, without port.
            path: decoded path.
            query: without the question mark.
            if_none_match: request header or "".
            if_modified_since: request header or "".
        """
        site = self._sites.get(host)
        if site is None:
            return Answer(404, b"no such site\n", {"content-type": "text/plain"})
        refusal = self._refuse(site, path)
        if refusal is not None:
            return refusal
        if path in site.manners.redirects and not query:
            return Answer(301, b"", {"location": site.manners.redirects[path]})
        found = self._find(site, path, query)
        if found is None:
            return Answer(404, b"<!DOCTYPE html><title>404</title><h1>Not found</h1>\n", {"content-type": HTML})
        headers = dict(found.headers) | {
            "etag": f'"{hashlib.sha256(found.body).hexdigest()[:20]}"',
            "last-modified": LAST_MODIFIED,
        }
        wait_s = site.manners.slow_s.get(path, 0.0)
        is_known = headers["etag"] in if_none_match if if_none_match else if_modified_since == LAST_MODIFIED
        if is_known:
            return Answer(304, b"", headers, wait_s)
        return replace(found, headers=headers, wait_s=wait_s)

    def _refuse(self, site: Site, path: str) -> Answer | None:
        if path in site.manners.challenge:
            return Answer(200, CHALLENGE, {"content-type": HTML})
        if (site.host, path) in self._healed:
            return None
        if path in site.manners.busy_once:
            self._healed.add((site.host, path))
            return Answer(429, b"too many requests\n", {"retry-after": "1", "content-type": "text/plain"})
        if path in site.manners.broken_once:
            self._healed.add((site.host, path))
            return Answer(503, b"service unavailable\n", {"content-type": "text/plain"})
        return None

    def _find(self, site: Site, path: str, query: str) -> Answer | None:
        if path == "/robots.txt":
            robots = site.manners.robots
            return (
                None if robots is None else Answer(200, robots.encode(), {"content-type": "text/plain; charset=utf-8"})
            )
        if path.startswith("/calendar/") and site.manners.has_calendar:
            month = calendar_page(path)
            return None if month is None else Answer(200, month, {"content-type": HTML})
        return self._find_image(site, path, query) or self._find_page(site, path, query)

    def _find_image(self, site: Site, path: str, query: str) -> Answer | None:
        if site.kind == "shop":
            spec = self._shop.image(path)
            return None if spec is None else self._image(spec, is_noai=False)
        image = self._world.images.get((site.host, path))
        if image is None:
            return None
        wide = parse_qs(query).get("w", [""])[0]
        return self._image(narrow(image.spec, int(wide)) if wide.isdecimal() else image.spec, image.is_noai)

    def _image(self, spec: ImageSpec, is_noai: bool) -> Answer:
        headers = {"content-type": spec.content_type} | ({"x-robots-tag": "noai, noimageai"} if is_noai else {})
        return Answer(200, self._store.body(spec), headers)

    def _find_page(self, site: Site, path: str, query: str) -> Answer | None:
        if site.kind == "shop":
            page = self._shop.page(path, query)
        else:
            if site.name not in self._pages:
                self._pages[site.name] = staff_pages(self._world, site, f"http://{site.host}:{self._port}")
            pages = self._pages[site.name]
            page = pages.get(f"{path}?{query}") or pages.get(path)
        return None if page is None else Answer(200, page[1], {"content-type": page[0]})

    @cached_property
    def _shop(self) -> ShopPages:
        host = next(site.host for site in self._world.sites if site.kind == "shop")
        return ShopPages(self._world.shop, f"{host}:{self._port}")


def narrow(spec: ImageSpec, width_px: int) -> ImageSpec:
    """Give the small rendition that `?w=` asks for; never wider than the original."""
    if spec.encoding in ("bomb", "html", "empty") or not 0 < width_px < spec.width_px:
        return spec
    return replace(spec, edits=(*spec.edits, ("resize", width_px / spec.width_px)))

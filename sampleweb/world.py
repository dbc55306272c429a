"""The whole fake web as data: sites, the files they serve, and the planted truth. Pure and seeded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sampleweb.pictures import Picture

VERSION = 3
"""Raised when the same seed gives another world."""


@dataclass(slots=True, kw_only=True)
class Served:
    """One address of a site."""

    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    picture: Picture | None = None
    """Rendered when asked for, where the body is a picture."""
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    manner: str = ""
    """`once_429`, `once_503`, `once_challenge`, `slow`, `endless` or empty."""


@dataclass(slots=True, kw_only=True)
class Site:
    """One address of the loopback range, and all that stands there."""

    name: str
    host: str
    kind: str
    """staff or shop."""
    structure: str
    label: str
    organisation: str
    title: str
    start: str
    """Path where a crawl begins."""
    expected_min: int
    expected_max: int
    files: dict[str, Served] = field(default_factory=dict)
    """Path (with query where it counts) to what is served."""
    robots: str = "User-agent: *\nDisallow: /private/\n"
    categories: dict[str, str] = field(default_factory=dict)
    """Of a shop: category to the path where its list begins."""
    is_collected: bool = True
    """False for sites that only tests go to."""


@dataclass(slots=True, kw_only=True)
class World:
    """All sites and what is true of them."""

    seed: int
    scale: float
    sites: list[Site]
    truth: dict[str, Any]
    """people, photos, items: see `sampleweb.truth`."""

    def site(self, name: str) -> Site:
        """Find a site by name.

        Raises:
            KeyError: there is none.
        """
        for site in self.sites:
            if site.name == name:
                return site
        raise KeyError(name)


def build_world(seed: int = 7, scale: float = 1.0, shop_scale: float | None = None) -> World:
    """Make the world of a seed.

    Args:
        seed: the same seed and scale give the same world, byte for byte.
        scale: size in (0, 1]; at any scale every structure and every nuisance is there at least once.
        shop_scale: size of the shop, which is the larger part of the whole; None takes that of the rest.
    """
    from sampleweb import shop, universities

    if not 0 < scale <= 1:
        raise ValueError(f"scale must lie in (0, 1], found {scale}")
    staff_sites, people, photos = universities.build(seed, scale)
    shop_site, items = shop.build(seed, scale if shop_scale is None else shop_scale)
    truth = {
        "seed": seed, "scale": scale, "shop_scale": shop_scale, "version": VERSION, "people": people,
        "photos": photos, "items": items,
    }  # fmt: skip
    return World(seed=seed, scale=scale, sites=[*staff_sites, shop_site], truth=truth)

"""The whole sample web as data: sites, people, items and every image, made from a seed and a scale alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sampleweb.drawings import BannerDrawing, GroupDrawing, LogoDrawing
from sampleweb.images import ImageSpec
from sampleweb.looks import draw_shot
from sampleweb.manners import give_manners
from sampleweb.people import PEOPLE_AT_SCALE_1, Listing, Photo, list_people
from sampleweb.shop import Shop, build_shop
from sampleweb.sites import SHOP_HOST, Manners, Site, plan_site, university_count

DEFAULT_PORT = 8765


@dataclass(frozen=True, slots=True)
class ServedImage:
    """One image address."""

    spec: ImageSpec
    is_noai: bool = False
    """Served with `X-Robots-Tag: noai, noimageai`."""


@dataclass(frozen=True, slots=True)
class Decoys:
    """Pictures on a staff site that are nobody's portrait; paths."""

    logo: str
    banner: str
    sponsor: str
    group_photo: str


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is served, and thereby the truth."""

    seed: int
    scale: float
    sites: tuple[Site, ...]
    listings: tuple[Listing, ...]
    decoys: Mapping[str, Decoys]
    """By site name."""
    images: Mapping[tuple[str, str], ServedImage]
    """By (host, path); the thumbnails of the shop are made from these on demand."""
    shop: Shop

    @property
    def staff_sites(self) -> tuple[Site, ...]:
        """The departments."""
        return tuple(site for site in self.sites if site.kind == "staff")

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every loopback address in use."""
        return tuple(dict.fromkeys(site.host for site in self.sites))

    @property
    def forbidden(self) -> tuple[tuple[str, str], ...]:
        """(host, path prefix) pairs that robots.txt disallows."""
        return tuple((site.host, prefix) for site in self.sites for prefix in site.manners.forbidden)

    def site(self, name: str) -> Site:
        """Give a site by its name."""
        return next(site for site in self.sites if site.name == name)

    def site_at(self, host: str) -> Site | None:
        """Give the site at an address, or None where nobody lives."""
        return next((site for site in self.sites if site.host == host), None)

    def listings_of(self, name: str) -> tuple[Listing, ...]:
        """Give who is listed by a site, in page order."""
        return tuple(listing for listing in self.listings if listing.site == name)


def photos_of(listing: Listing) -> tuple[Photo, ...]:
    """Give the portrait, thumbnail and second photos of a listing."""
    return tuple(photo for photo in (listing.portrait, listing.thumbnail, *listing.gallery) if photo is not None)


def _plan_staff(seed: int, scale: float) -> tuple[list[Site], list[int]]:
    rng = np.random.default_rng([seed, 1])
    count = 4 * university_count(scale)
    mean = max(7.0, PEOPLE_AT_SCALE_1 * scale / count)
    spread = max(1, int(mean * 0.25))
    per_site = [round(mean + int(rng.integers(-spread, spread + 1))) for _ in range(count)]
    return [plan_site(place, per_site[place]) for place in range(count)], per_site


def _plan_decoys(
    seed: int, sites: list[Site], listings: tuple[Listing, ...]
) -> tuple[dict[str, Decoys], dict[tuple[str, str], ServedImage]]:
    decoys, images = {}, {}
    for place, site in enumerate(sites):
        rng = np.random.default_rng([seed, 2, place])
        colour = (int(rng.integers(20, 140)), int(rng.integers(20, 140)), int(rng.integers(20, 140)))
        people = [listing.person for listing in listings if listing.site == site.name][:4]
        faces = tuple((person.look, draw_shot(person.field, rng)) for person in people)
        chosen = {
            "logo": ImageSpec(
                LogoDrawing(site.organisation[-1] + site.label[:1].upper(), colour, True), 180, 180, encoding="png"
            ),
            "banner": ImageSpec(BannerDrawing(int(rng.integers(2**31))), 960, 200),
            "sponsor": ImageSpec(LogoDrawing("M", (190, 120, 40), False), 120, 120, encoding="png"),
            "group_photo": ImageSpec(GroupDrawing(faces), 240 * len(faces), 400),
        }
        paths = {slot: f"/assets/{slot.replace('_', '-')}{spec.suffix}" for slot, spec in chosen.items()}
        decoys[site.name] = Decoys(**paths)
        images.update({(site.host, paths[slot]): ServedImage(spec) for slot, spec in chosen.items()})
    return decoys, images


def _portrait_images(sites: list[Site], listings: tuple[Listing, ...]) -> dict[tuple[str, str], ServedImage]:
    hosts = {site.name: site.host for site in sites}
    return {
        (hosts[photo.site], photo.path): ServedImage(photo.spec, photo.spoil == "noai")
        for listing in listings
        for photo in photos_of(listing)
        if photo.spoil != "not_found"
    }


def build_world(seed: int = 7, scale: float = 1.0) -> World:
    """Make the world.

    Args:
        seed: every choice follows from it.
        scale: 1 has about 600 people in 32 departments and 40 items; less has fewer, but every page structure
            and every nuisance stays at least once (0.1: 12 departments).

    Raises:
        ValueError: scale outside (0, 1].
    """
    if not 0 < scale <= 1:
        raise ValueError(f"scale must lie in (0, 1], got {scale}")
    planned, per_site = _plan_staff(seed, scale)
    listings = list_people(seed, scale, planned, per_site)
    counts = Counter(listing.site for listing in listings)
    staff = [replace(site, expected_count=counts[site.name]) for site in planned]
    decoys, images = _plan_decoys(seed, staff, listings)
    images |= _portrait_images(staff, listings)
    shop_host = f"127.0.0.{SHOP_HOST}"
    shop = build_shop(seed, scale)
    images |= {(shop_host, path): ServedImage(spec) for path, spec in shop.images.items()}
    shop_sites = [
        Site(
            name=f"sample-shop-{category}",
            host=shop_host,
            kind="shop",
            structure="runparams",
            label=category,
            organisation="shop",
            title=f"Sample shop: {category}",
            language="en",
            start=f"/w/wholesale-{category}.html",
            expected_count=sum(item.category == category for item in shop.items),
            manners=Manners(challenge=frozenset(f"/item/{number}.html" for number in shop.blocked)),
        )
        for category in shop.categories
    ]
    return World(seed, scale, (*give_manners(staff, listings), *shop_sites), listings, decoys, images, shop)

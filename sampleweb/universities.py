"""Eight universities of four departments: who works there, which photos stand there, and what is wrong with some.

A *listing* is one person on one department's page. Some people are listed twice: in another department (same or
another field) with the same file, an edited copy, or another photo of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sampleweb.names import FIELDS, FIRST_NAMES, LAST_NAMES, ROLE_CLASSES, TITLES
from sampleweb.pictures import COPY_EDITS, Picture
from sampleweb.structures import STRUCTURES
from sampleweb.world import Served, Site

UNIVERSITIES = 8
_FIRST_HOST = 11
_ROLE_COUNTS = {"professor": 4, "researcher": 5, "doctoral": 5, "technical": 1, "administration": 2, "former": 1}
"""Listings of a department at scale 1, before second listings."""
_SIZES = ((240, 300), (320, 400), (180, 240), (480, 600), (900, 1200), (320, 400), (1280, 1600), (400, 500))
_SCRIPT_SITES = 3
"""Sites that only a browser can read are few: a browser is slow."""
_PLAIN_STRUCTURES = tuple(name for name in STRUCTURES if name != "script")

SPOILS: tuple[tuple[str, int], ...] = (
    # (what is special about a listing's photo, how many at scale 1)
    ("placeholder", 24), ("no_photo", 16), ("truncated", 8), ("html", 6), ("bomb", 3), ("animated", 4),
    ("palette_png", 10), ("palette_gif", 6), ("cmyk", 8), ("webp", 14), ("sideways_by_tag", 12), ("turned", 8),
    ("noai", 8), ("missing", 5), ("redirected", 5), ("once_429", 3),
)  # fmt: skip
UNUSABLE = {
    "placeholder": "record_placeholder", "truncated": "decode_truncated", "html": "decode_not_an_image",
    "bomb": "decode_bomb", "animated": "decode_animated", "noai": "policy_noai", "missing": "fetch_not_found",
}  # fmt: skip
"""Spoils that give no portrait, with the reason that says so."""
_DOUBLES = 36
"""People listed twice, at scale 1."""


@dataclass(slots=True)
class _Person:
    number: int
    name: str
    title: str
    role_class: str
    field: str
    language: str


@dataclass(slots=True)
class _Listing:
    person: _Person
    site: int
    role_class: str
    picture: Picture | None
    spoil: str = ""
    relation: str = "own"
    """own, same_file, copy or other_photo."""
    copy_of: int | None = None
    """Position of the listing whose photo it copies."""
    second: Picture | None = None
    """Another photo of the person, on the profile page."""


@dataclass(slots=True)
class _Plan:
    rng: np.random.Generator
    seed: int
    scale: float
    listings: list[_Listing] = field(default_factory=list)


def build(seed: int, scale: float) -> tuple[list[Site], list[dict[str, Any]], list[dict[str, Any]]]:
    """Make the staff sites; returns (sites, truth of the listings, truth of their photos)."""
    plan = _Plan(np.random.default_rng([seed, 1]), seed, scale)
    _hire(plan)
    _list_twice(plan)
    _spoil(plan)
    sites = [_site(number) for number in range(UNIVERSITIES * len(FIELDS))]
    people: list[dict[str, Any]] = []
    photos: list[dict[str, Any]] = []
    for number, site in enumerate(sites):
        listings = [(position, item) for position, item in enumerate(plan.listings) if item.site == number]
        _furnish(site, listings, seed, photos, people)
        _manners(site, number)
    return [*sites, _challenge_site()], people, photos


def _hire(plan: _Plan) -> None:
    names: set[str] = set()
    number = 0
    for site in range(UNIVERSITIES * len(FIELDS)):
        language = _language(site)
        for role_class, count in _ROLE_COUNTS.items():
            for _ in range(max(1, round(count * plan.scale))):
                name = _new_name(plan.rng, names)
                titles = TITLES[role_class][language]
                title = titles[plan.rng.integers(len(titles))]
                person = _Person(number, name, title, role_class, _field(site), language)
                plan.listings.append(_Listing(person, site, role_class, _portrait(plan, person, 0)))
                number += 1


def _new_name(rng: np.random.Generator, taken: set[str]) -> str:
    while True:
        name = f"{FIRST_NAMES[rng.integers(len(FIRST_NAMES))]} {LAST_NAMES[rng.integers(len(LAST_NAMES))]}"
        if name not in taken:
            taken.add(name)
            return name


def _portrait(plan: _Plan, person: _Person, shot: int) -> Picture:
    size = _SIZES[(person.number * 3 + shot) % len(_SIZES)]
    return Picture(kind="portrait", seed=(plan.seed, person.number, shot), field=person.field, size=size)


def _count(plan: _Plan, at_scale_one: int) -> int:
    return max(1, round(at_scale_one * plan.scale))


def _list_twice(plan: _Plan) -> None:
    """List some people in a second department: same field elsewhere, or another field of the same university."""
    own = [position for position, item in enumerate(plan.listings) if item.role_class in ("professor", "researcher")]
    relations = ("same_file", "copy", "copy", "other_photo")
    chosen = plan.rng.permutation(own)[: max(2 * len(COPY_EDITS), _count(plan, _DOUBLES))]
    edits = 0
    for turn, position in enumerate(chosen):
        first = plan.listings[position]
        relation = relations[turn % len(relations)]
        is_other_field = turn % 3 == 2
        site = first.site ^ 1 if is_other_field else (first.site + len(FIELDS)) % (UNIVERSITIES * len(FIELDS))
        picture = first.picture
        assert picture is not None
        if relation == "other_photo":
            picture = _portrait(plan, first.person, 1)
        elif relation == "copy":
            edit = COPY_EDITS[edits % len(COPY_EDITS)]
            edits += 1
            picture = Picture(
                kind="portrait", seed=picture.seed, field=picture.field, size=picture.size, edits=(edit,)
            )
        copy_of = None if relation == "other_photo" else int(position)
        plan.listings.append(
            _Listing(first.person, site, first.role_class, picture, relation=relation, copy_of=copy_of)
        )


def _spoil(plan: _Plan) -> None:
    """Spread the spoils over listings that are not part of a double listing."""
    doubled = {item.person.number for item in plan.listings if item.relation != "own"}
    scripted = {number for number in range(UNIVERSITIES * len(FIELDS)) if _structure(number) == "script"}
    free = [
        item for item in plan.listings
        if item.person.number not in doubled and item.site not in scripted and item.role_class != "administration"
    ]  # fmt: skip
    order = iter(plan.rng.permutation(len(free)))
    for spoil, at_scale_one in SPOILS:
        for _ in range(_count(plan, at_scale_one)):
            _apply(free[next(order)], spoil)
    for item in free:  # second photos on profile pages
        if _structure(item.site) == "profiles" and not item.spoil and item.person.number % 3 == 0:
            item.second = _portrait(plan, item.person, 2)


def _apply(item: _Listing, spoil: str) -> None:
    item.spoil = spoil
    picture = item.picture
    assert picture is not None
    if spoil in ("no_photo", "missing"):
        item.picture = None if spoil == "no_photo" else picture
    elif spoil == "placeholder":
        item.picture = Picture(kind="silhouette", seed=picture.seed[:1], size=(240, 300))
    elif spoil == "turned":
        item.picture = Picture(
            kind="portrait", seed=picture.seed, field=picture.field, size=picture.size, edits=("turned",)
        )
    elif spoil not in ("noai", "redirected", "once_429"):
        item.picture = Picture(
            kind="portrait", seed=picture.seed, field=picture.field, size=picture.size, encoding=spoil
        )


def _field(site: int) -> str:
    return list(FIELDS)[site % len(FIELDS)]


def _language(site: int) -> str:
    return "de" if (site // len(FIELDS)) % 2 == 0 else "en"


def _structure(site: int) -> str:
    if site >= UNIVERSITIES * len(FIELDS) - _SCRIPT_SITES:
        return "script"
    return _PLAIN_STRUCTURES[site % len(_PLAIN_STRUCTURES)]


def _site(number: int) -> Site:
    university, label, language = number // len(FIELDS) + 1, _field(number), _language(number)
    heading = FIELDS[label][language]
    return Site(
        name=f"sample-uni{university}-{label}", host=f"127.0.0.{_FIRST_HOST + number}", kind="staff",
        structure=_structure(number), label=label, organisation=f"uni{university}",
        title=f"Sample University {university}, {heading}", start="/people/", expected_min=3, expected_max=60,
    )  # fmt: skip


def _furnish(
    site: Site,
    listings: list[tuple[int, _Listing]],
    seed: int,
    photos: list[dict[str, Any]],
    people: list[dict[str, Any]],
) -> None:
    """Put the pages and pictures of one site in place, and write down what is true of them."""
    language = _language(int(site.host.rsplit(".", 1)[1]) - _FIRST_HOST)
    sections: dict[str, list[dict[str, Any]]] = {}
    for position, item in listings:
        shown = _shown(site, position, item, language)
        sections.setdefault(item.role_class, []).append(shown)
        people.append(_truth_of_listing(site, position, item, shown))
        _place_photo(site, position, item, shown, photos)
    groups = [
        (ROLE_CLASSES[role_class][language][0], sections[role_class])
        for role_class in ROLE_CLASSES
        if role_class in sections
    ]
    facts = {
        "lang": language, "title": site.title, "heading": "Personen" if language == "de" else "People",
        "organisation": site.organisation, "start": site.start, "group": "/media/group.jpg",
    }  # fmt: skip
    for path, text in STRUCTURES[site.structure](site.start, groups, facts).items():
        kind = "application/json" if path.endswith(".json") else "text/html; charset=utf-8"
        site.files[path] = Served(body=text.encode(), content_type=kind)
    decorations = {
        "/media/logo.png": Picture(kind="logo", seed=(seed, 900), size=(240, 60), text=site.organisation),
        "/media/banner.jpg": Picture(kind="banner", seed=(seed, 901), size=(960, 160), text=site.title),
        "/media/group.jpg": Picture(kind="group", seed=(seed, 902, len(listings)), size=(960, 400)),
    }
    for path, picture in decorations.items():
        site.files[path] = Served(picture=picture, content_type="")
    site.files["/"] = Served(body=f"<title>{site.title}</title><a href='{site.start}'>People</a>".encode())
    site.files["/private/"] = Served(body=b"<h1>Intranet</h1><img src='/private/list.jpg'>")
    site.files["/style.css"] = Served(body=b"body{font-family:sans-serif}", content_type="text/css")


def _shown(site: Site, position: int, item: _Listing, language: str) -> dict[str, Any]:
    token = hashlib.sha256(f"{site.name}/{position}".encode()).hexdigest()[:12]
    suffix = {"palette_png": "png", "bomb": "png", "palette_gif": "gif", "animated": "gif", "webp": "webp"}
    image = None
    if item.picture is not None:
        image = f"/media/{token}.{suffix.get(item.spoil, 'jpg')}"
        if item.spoil == "placeholder":
            image = "/media/platzhalter.jpg" if language == "de" else "/media/placeholder.jpg"
        elif item.spoil == "redirected":
            image = f"/old/{token}.jpg"
    return {
        "name": item.person.name, "title": item.person.title,
        "role": ROLE_CLASSES[item.role_class][language][0], "image": image,
        "alt": f"{'Foto von' if language == 'de' else 'Photo of'} {item.person.name}",
        "profile": f"/people/{token}/", "room": f"{position % 9}.{position % 40:02d}",
        "mail": f"{token}@{site.organisation}.invalid", "second": f"/media/{token}-2.jpg" if item.second else None,
    }  # fmt: skip


def _truth_of_listing(site: Site, position: int, item: _Listing, shown: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "listing": position, "person": item.person.number, "site": site.name, "name": item.person.name,
        "title": item.person.title or None, "role": shown["role"], "role_class": item.role_class, "label": site.label,
        "organisation": site.organisation, "image": shown["image"], "relation": item.relation,
        "copy_of": item.copy_of, "spoil": item.spoil or None,
    }  # fmt: skip


def _place_photo(
    site: Site, position: int, item: _Listing, shown: Mapping[str, Any], photos: list[dict[str, Any]]
) -> None:
    path = shown["image"]
    if path is None or item.picture is None:
        return
    headers = {"X-Robots-Tag": "noai, noimageai"} if item.spoil == "noai" else {}
    target = path
    if item.spoil == "redirected":
        target = path.replace("/old/", "/media/")
        site.files[path] = Served(status=301, headers={"Location": target})
    if item.spoil != "missing":
        manner = "once_429" if item.spoil == "once_429" else ""
        site.files[target] = Served(picture=item.picture, content_type="", headers=headers, manner=manner)
    photos.append(
        {
            "site": site.name, "path": target, "asked": path, "listing": position, "person": item.person.number,
            "copy_of": item.copy_of, "edits": list(item.picture.edits), "encoding": item.picture.encoding,
            "spoil": item.spoil or None, "reason": UNUSABLE.get(item.spoil), "slot": "portrait",
        }
    )  # fmt: skip
    if item.second is not None:
        site.files[shown["second"]] = Served(picture=item.second, content_type="")


def _manners(site: Site, number: int) -> None:
    """Give sites the habits that a polite crawler must cope with."""
    start = site.files[site.start]
    match number:
        case 0:
            site.robots += "Crawl-delay: 0.05\n"
        case 1:
            site.files["/staff"] = Served(status=302, headers={"Location": site.start})
            site.start = "/staff"
        case 2:
            start.manner = "once_503"
        case 3:
            start.manner = "slow"
        case 4:
            site.robots += "Disallow: /calendar/\n"
    site.files["/calendar/"] = Served(manner="endless")


def _challenge_site() -> Site:
    """A site that answers every page with a challenge; no recipe collects it."""
    site = Site(
        name="blocked-uni", host=f"127.0.0.{_FIRST_HOST + 60}", kind="staff", structure="challenge", label="cs",
        organisation="blocked", title="A site behind a challenge", start="/people/", expected_min=1, expected_max=9,
        is_collected=False,
    )  # fmt: skip
    site.files["/people/"] = Served(body=challenge_page(), status=403)
    return site


def challenge_page() -> bytes:
    """Give the page that a site behind a challenge answers with."""
    text = (
        "<html><head><title>Just a moment...</title></head><body><h1>Checking your browser</h1>"
        "<form id='challenge-form' action='/cdn-cgi/challenge-platform/'><div class='g-recaptcha'></div>"
        "<p>Please verify that you are a human (captcha).</p></form></body></html>"
    )
    return text.encode()

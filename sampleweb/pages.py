"""The documents of staff sites: what a structure plans, filled into its template."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sampleweb.names import HEADINGS
from sampleweb.people import Listing
from sampleweb.sites import Site
from sampleweb.structures import STRUCTURES, Department, Entry
from sampleweb.world import World

CALENDAR_START = "/calendar/2026/1/"
HTML, JSON = "text/html; charset=utf-8", "application/json"

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "structures" / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)


def _entry(site: Site, listing: Listing, place: int) -> Entry:
    person = listing.person
    placeholder = listing.portrait is not None and listing.portrait.spoil == "placeholder"
    no_photo = "Kein Foto vorhanden" if site.language == "de" else "No photo available"
    first, last = person.name.lower().split(" ", 1)
    return Entry(
        key=f"{place + 101}",
        name=person.name,
        shown_name=person.shown_name,
        role=listing.role,
        heading=HEADINGS[site.language][person.role_class],
        room=f"{'ABC'[place % 3]} {100 + 7 * place % 400}",
        phone=f"+49 000 {site.host.rsplit('.', 1)[1]}-{2000 + place}",
        email=f"{first[0]}.{last.replace(' ', '')}@{site.organisation}.example",
        image=listing.portrait.path if listing.portrait else None,
        alt=no_photo if placeholder else f"{'Foto von' if site.language == 'de' else 'Photo of'} {person.name}",
        thumbnail=listing.thumbnail.path if listing.thumbnail else None,
        gallery=tuple(photo.path for photo in listing.gallery),
    )


def _plain_pages(world: World, site: Site, department: Department) -> dict[str, dict[str, Any]]:
    say, decoys = department.say, world.decoys[site.name]
    note = say("Wir forschen und lehren seit vielen Jahren.", "We have been teaching for many years.")
    return {
        "/": {
            "headline": site.title,
            "picture": decoys.group_photo,
            "texts": [note],
            "links": [(say("Personen", "People"), site.start)],
        },
        "/research/": {"headline": say("Forschung", "Research"), "picture": None, "texts": [note] * 3, "links": []},
        "/impressum/": {"headline": say("Impressum", "Legal notice"), "picture": None, "texts": [note], "links": []},
        "/intern/": {"headline": "Intranet", "picture": None, "texts": ["Intern."], "links": []},
    }


def staff_pages(world: World, site: Site, origin: str) -> dict[str, tuple[str, bytes]]:
    """Make every document of a staff site.

    Args:
        world: what is listed.
        site: of `world.staff_sites`.
        origin: `http://127.0.0.N:PORT`, for the few absolute links.

    Returns:
        By path (with query where a page is addressed by one): media type and body.
    """
    listings = world.listings_of(site.name)
    entries = tuple(_entry(site, listing, place) for place, listing in enumerate(listings))
    structure = STRUCTURES[site.structure]
    department = Department(language=site.language, title=site.title, start=structure.start, entries=entries)
    chrome = asdict(world.decoys[site.name]) | {
        "origin": origin,
        "calendar": CALENDAR_START if site.manners.has_calendar else None,
        "forbidden": "/intern/" if "/intern/" in site.manners.forbidden else None,
    }
    shared = {"department": department, "say": department.say, "chrome": chrome}
    made: dict[str, tuple[str, bytes]] = {}
    for path, values in _plain_pages(world, site, department).items():
        made[path] = (HTML, _templates.get_template("plain.html").render(shared, **values).encode())
    for plan in structure.pages(department):
        if plan.template == "json":
            made[plan.path] = (JSON, json.dumps(plan.values, ensure_ascii=False).encode())
        else:
            made[plan.path] = (HTML, _templates.get_template(plan.template).render(shared, **plan.values).encode())
    return made


def calendar_page(path: str) -> bytes | None:
    """Give one month of the endless calendar, or None where the path names no month."""
    parts = path.strip("/").split("/")
    if len(parts) != 3 or not (parts[1].isdecimal() and parts[2].isdecimal() and 1 <= int(parts[2]) <= 12):
        return None
    year, month = int(parts[1]), int(parts[2])
    months = 12 * year + month - 1
    before, after = (f"/calendar/{(months + step) // 12}/{(months + step) % 12 + 1}/" for step in (-1, 1))
    days = "".join(f"<td>{day}</td>" for day in range(1, 29))
    return (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>Kalender</title></head><body><h1>{month}/{year}</h1>"
        f'<table><tr>{days}</tr></table><a href="{before}">&lt;</a> <a href="{after}">&gt;</a></body></html>'
    ).encode()

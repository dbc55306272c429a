"""The truth table: what was planted, under the addresses and with the sha256 of what is served.

`truth.json` holds

- `people`: person_id, name, title, field, role_class, sites that list the person, fields of those sites;
- `listings`: (site, person_id) with role, role_class, is_former, and the portrait's photo_id or null;
- `photos`: photo_id, site, person_id, slot, image_url, sha256 (null where the address answers 404), original_id,
  copy_kind, spoil, is_placeholder, expected (`keep` or `drop` as a portrait), reasons for which a reader may drop it;
- `identities`: people who stand in several departments, and whether the labels conflict;
- `copies`: clusters of photos of one original; `spoils`: photo_ids by spoil; `decoys`: pictures of nobody;
- `sites`, `forbidden` (host, path prefix), `manners`;
- `items`, `products`: the shop.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sampleweb.images import ImageSpec, ImageStore, render
from sampleweb.people import Photo
from sampleweb.shop_truth import shop_truth
from sampleweb.world import World, photos_of

Row = dict[str, Any]


def warm(store: ImageStore, specs: Iterable[ImageSpec], processes: int) -> None:
    """Render what the store lacks, in parallel.

    Args:
        store: filled.
        specs: what will be asked for.
        processes: 1 renders here.
    """
    missing = [spec for spec in dict.fromkeys(specs) if not store.has(spec)]
    if processes <= 1 or len(missing) < 50:
        for spec in missing:
            store.body(spec)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for spec, body in zip(missing, pool.map(render, missing, chunksize=16), strict=True):
            store.keep(spec, body)


def _photo_rows(world: World, store: ImageStore, port: int) -> list[Row]:
    rows = []
    for listing in world.listings:
        host = world.site(listing.site).host
        for photo in photos_of(listing):
            is_served = photo.spoil != "not_found"
            rows.append(
                {
                    "photo_id": photo.photo_id,
                    "site": photo.site,
                    "person_id": photo.person_id,
                    "slot": photo.slot,
                    "image_url": f"http://{host}:{port}{photo.path}",
                    "sha256": hashlib.sha256(store.body(photo.spec)).hexdigest() if is_served else None,
                    "original_id": photo.copy_of or photo.photo_id,
                    "copy_kind": photo.copy_kind,
                    "spoil": photo.spoil,
                    "is_placeholder": photo.spoil == "placeholder",
                    "expected": "drop" if photo.reasons else "keep",
                    "expected_reasons": list(photo.reasons),
                }
            )
    return rows


def _people_rows(world: World) -> list[Row]:
    sites, people = defaultdict(list), {}
    for listing in world.listings:
        sites[listing.person.person_id].append(world.site(listing.site))
        people[listing.person.person_id] = listing.person
    return [
        {
            "person_id": person_id,
            "name": person.name,
            "title": person.title,
            "role_class": person.role_class,
            "field": person.field,
            "sites": [site.name for site in sites[person_id]],
            "labels": sorted({site.label for site in sites[person_id]}),
        }
        for person_id, person in sorted(people.items())
    ]


def _listing_rows(world: World) -> list[Row]:
    return [
        {
            "site": listing.site,
            "person_id": listing.person.person_id,
            "name": listing.person.name,
            "title": listing.person.title,
            "role": listing.role,
            "role_class": listing.person.role_class,
            "is_former": listing.person.role_class == "former",
            "photo_id": listing.portrait.photo_id if listing.portrait else None,
        }
        for listing in world.listings
    ]


def _clusters(world: World) -> list[list[str]]:
    """Group photos of one shot: the original and what was made of it; also one placeholder under many people."""
    groups: dict[str, list[str]] = defaultdict(list)
    for listing in world.listings:
        for photo in photos_of(listing):
            groups[_cluster_key(photo)].append(photo.photo_id)
    return sorted(sorted(members) for members in groups.values() if len(members) > 1)


def _cluster_key(photo: Photo) -> str:
    return f"{photo.site}{photo.path}" if photo.spoil == "placeholder" else photo.copy_of or photo.photo_id


def _manners_rows(world: World) -> list[Row]:
    rows = []
    for site in world.sites:
        manners = site.manners
        row = {
            "site": site.name,
            "crawl_delay_s": manners.crawl_delay_s,
            "has_calendar": manners.has_calendar,
            "redirects": dict(manners.redirects),
            "busy_once": sorted(manners.busy_once),
            "broken_once": sorted(manners.broken_once),
            "slow_s": dict(manners.slow_s),
            "challenge": sorted(manners.challenge),
        }
        if any(value for key, value in row.items() if key != "site"):
            rows.append(row)
    return rows


def make_truth(world: World, store: ImageStore, port: int) -> Row:
    """Make the truth table.

    Args:
        world: what is served.
        store: gives the bytes whose sha256 is told; renders what it lacks.
        port: named in the addresses.
    """
    photos = _photo_rows(world, store, port)
    people = _people_rows(world)
    spoils: dict[str, list[str]] = defaultdict(list)
    for row in photos:
        if row["spoil"]:
            spoils[row["spoil"]].append(row["photo_id"])
    hosts = {site.name: site.host for site in world.sites}
    return {
        "seed": world.seed,
        "scale": world.scale,
        "port": port,
        "sites": [
            {
                key: getattr(site, key)
                for key in (
                    "name",
                    "host",
                    "kind",
                    "structure",
                    "label",
                    "organisation",
                    "title",
                    "start",
                    "expected_count",
                )
            }
            for site in world.sites
        ],
        "people": people,
        "listings": _listing_rows(world),
        "photos": photos,
        "identities": [
            {"person_id": row["person_id"], "sites": row["sites"], "is_conflict": len(row["labels"]) > 1}
            for row in people
            if len(row["sites"]) > 1
        ],
        "copies": _clusters(world),
        "spoils": dict(spoils),
        "decoys": [
            f"http://{hosts[name]}:{port}{path}" for name, decoys in world.decoys.items() for path in astuple(decoys)
        ],
        "forbidden": [list(pair) for pair in world.forbidden],
        "manners": _manners_rows(world),
        **shop_truth(world, store, port),
    }


def write_truth(
    world: World, folder: Path, base_port: int, store: ImageStore | None = None, processes: int = 1
) -> Path:
    """Write `truth.json`.

    Args:
        world: what is served.
        folder: made if missing.
        base_port: the port that it is served on.
        store: share it with the server (a disk cache) to render only once.
        processes: at most this many render at a time.

    Returns:
        The file's path.
    """
    chosen = store or ImageStore()
    warm(chosen, (image.spec for image in world.images.values()), processes)
    text = json.dumps(make_truth(world, chosen, base_port), ensure_ascii=False, indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / "truth.json.half"
    half.write_text(text, encoding="utf-8")
    return half.replace(folder / "truth.json")

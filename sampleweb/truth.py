"""The planted truth, as a table that others may compare with.

`truth.json` holds `people` (one row per listing: name, title, role, role_class, label, organisation, image, relation,
copy_of, spoil), `photos` (one row per portrait file: address, sha256, person, copy_of, edits, spoil, and the reason
that a collector should give where it is unusable), `items` (colours with their studio photos, under the empty name for
an item without colours; further photos, pictures of the description, buyers' photos with colour and whether they are
noise), `forbidden` (host and path prefixes that robots.txt disallows).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from sampleweb.cache import RenderCache
from sampleweb.world import Site, World


def sha256_of(site: Site, path: str, cache: RenderCache) -> str | None:
    """Hash of what an address serves; None where it serves nothing."""
    served = site.files.get(path)
    if served is None:
        return None
    body = served.body if served.picture is None else cache.get(served.picture)[0]
    return hashlib.sha256(body).hexdigest()


def truth_table(world: World, port: int, cache: RenderCache | None = None) -> dict[str, Any]:
    """Add addresses and hashes to the world's truth; draws every picture, which takes a while."""
    sites = {site.name: site for site in world.sites}
    drawn = cache or RenderCache()

    def address(name: str, path: str) -> str:
        return f"http://{sites[name].host}:{port}{path}"

    photos = [
        {
            **photo,
            "url": address(photo["site"], photo["path"]),
            "sha256": sha256_of(sites[photo["site"]], photo["path"], drawn),
        }
        for photo in world.truth["photos"]
    ]
    items = []
    for item in world.truth["items"]:
        site = sites[item["site"]]
        seller = {
            color: {"url": address(site.name, path), "sha256": sha256_of(site, path, drawn)}
            for color, path in item["colors"].items()
        }
        buyer = [
            {**photo, "url": address(site.name, photo["path"]), "sha256": sha256_of(site, photo["path"], drawn)}
            for photo in item["buyer"]
        ]
        others = {
            name: [{"url": address(site.name, path), "sha256": sha256_of(site, path, drawn)} for path in item[name]]
            for name in ("gallery", "descriptions")
        }
        items.append({**item, "colors": seller, "buyer": buyer, **others})
    forbidden = [
        {"host": site.host, "prefix": line.removeprefix("Disallow: ")}
        for site in world.sites
        for line in site.robots.splitlines()
        if line.startswith("Disallow: ")
    ]
    return {**world.truth, "port": port, "photos": photos, "items": items, "forbidden": forbidden}


def write_truth(world: World, folder: Path, port: int, cache: RenderCache | None = None) -> dict[str, Any]:
    """Write truth.json and return it; one that is there for the same world and port is read instead."""
    path = folder / "truth.json"
    wanted = {**{key: world.truth[key] for key in ("seed", "scale", "shop_scale", "version")}, "port": port}
    if path.exists():
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if {key: known.get(key) for key in wanted} == wanted:
            return known
    table = truth_table(world, port, cache)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")
    temporary.replace(path)
    return table

"""Writes the declaration of every site, one TOML each, as a user of the crawler would."""

from __future__ import annotations

import json
from pathlib import Path

from sampleweb.sites import Site
from sampleweb.world import World


def source_text(site: Site, port: int) -> str:
    """Give the declaration of one site.

    Args:
        site: of the sample web.
        port: that it is served on.
    """
    quoted = json.dumps  # a TOML basic string is written like a JSON string
    low, high = int(site.expected_count * 0.7), int(site.expected_count * 1.5) + 1
    return (
        "[source]\n"
        f"name = {quoted(site.name)}\n"
        f"title = {quoted(site.title, ensure_ascii=False)}\n"
        f"kind = {quoted(site.kind)}\n"
        f"url = {quoted(f'http://{site.host}:{port}{site.start}')}\n"
        f"label = {quoted(site.label)}\n"
        f"organisation = {quoted(site.organisation)}\n"
        'render = "auto"\n'
        "allow_loopback = true\n"
        "delay_s = 0.01\n\n"
        "[source.expected]\n"
        f"min = {low}\n"
        f"max = {high}\n"
    )


def write_sources(world: World, folder: Path, port: int) -> list[Path]:
    """Write `<name>.toml` for every site.

    Args:
        world: whose sites are declared.
        folder: made if missing.
        port: that they are served on.

    Returns:
        The files, in the order of the sites.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for site in world.sites:
        path = folder / f"{site.name}.toml"
        path.write_text(source_text(site, port), encoding="utf-8")
        paths.append(path)
    return paths

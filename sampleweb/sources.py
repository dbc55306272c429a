"""Writes the declarations of a world's sites, as a user would."""

from __future__ import annotations

from pathlib import Path

from sampleweb.world import Site, World


def source_toml(site: Site, port: int) -> str:
    """Write the declaration of one site; a shop's names its categories."""
    label = f'label = "{site.label}"\n' if site.label else ""
    categories = "".join(f'{name} = "{path}"\n' for name, path in site.categories.items())
    return f"""[source]
name = "{site.name}"
title = "{site.title}"
kind = "{site.kind}"
url = "http://{site.host}:{port}{site.start}"
{label}organisation = "{site.organisation}"
render = "auto"
allow_loopback = true
delay_s = 0.01

[source.expected]
min = {site.expected_min}
max = {site.expected_max}
""" + (f"\n[source.categories]\n{categories}" if categories else "")


def write_sources(world: World, folder: Path, port: int) -> list[str]:
    """Write `<name>.toml` for each site that is meant to be collected; returns the names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for site in world.sites:
        if site.is_collected:
            (folder / f"{site.name}.toml").write_text(source_toml(site, port), encoding="utf-8")
            names.append(site.name)
    return names

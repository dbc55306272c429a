"""New versions of the releases that showed a person, and tombstones where the old ones stood."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from catalog import files, tables
from catalog.errors import GleaneryError
from catalog.manifests import MANIFEST
from catalog.recipe import load_recipe
from catalog.release_format import TOMBSTONE, file_sha256
from curation.curate import curate
from curation.places import Places
from curation.release.build import build_release
from curation.takedown.trace import Trace


def reissue(places: Places, trace: Trace, now: str) -> dict[str, str]:
    """Build the affected recipes anew.

    Returns:
        Recipe -> new version, or `(none: ...)` with what stands against it; the old ones end all the same.
    """
    outcome = {}
    for recipe in trace.recipes:
        try:
            wanted = load_recipe(recipe, places.root.recipes)
            curated = curate(wanted, places.catalog, places.root, places.config)
            outcome[recipe] = build_release(curated, places.catalog, places.blobs, places.root, now).version
        except GleaneryError as error:
            outcome[recipe] = f"(none: {type(error).__name__}: {error})"
    return outcome


def bury(places: Places, trace: Trace, reissued: Mapping[str, str], reason: str, now: str) -> int:
    """Empty the old versions, leaving a tombstone that says why and what stands in their place; again is harmless.

    The tombstone comes first: from then on nobody opens the release, also if the rest is cut off.
    """
    for recipe, version in trace.releases:
        folder = places.root.release_folder(recipe, version)
        if not (folder / TOMBSTONE).exists() and folder.exists():
            files.write_text(
                folder / TOMBSTONE, _tombstone(places, recipe, version, reissued.get(recipe, ""), reason, now)
            )
        for path in sorted(folder.iterdir()) if folder.exists() else ():
            if path.name != TOMBSTONE:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        row = tables.releases
        here = (row.c.recipe == recipe) & (row.c.version == version)
        with places.catalog.begin() as connection:
            connection.execute(update(row).where(here).values(state="tombstoned", summary={}))
    return len(trace.releases)


def _tombstone(places: Places, recipe: str, version: str, later: str, reason: str, now: str) -> str:
    manifest = places.root.release_folder(recipe, version) / MANIFEST
    content: dict[str, Any] = {
        "recipe": recipe,
        "version": version,
        "manifest_sha256": file_sha256(manifest) if manifest.exists() else None,
        "ended_at": now,
        "reason": reason,
        "replaced_by": None if later.startswith("(") else later,
        "note": "A takedown ended this release. Use the later version, and remove copies of this one.",
    }
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

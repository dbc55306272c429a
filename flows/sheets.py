"""Contact sheets: pictures that were kept, and those that each reason dropped, a page at a glance.

Curation leaves an index of ids; the web app draws a sheet when it is asked for. So no copy of a picture lies anywhere,
and what a takedown removed is gone from the sheets at once.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image, ImageDraw, ImageOps

from catalog import files
from catalog.config import Config
from catalog.errors import BadImage
from curation.contract import Curated, DecodeNeed
from curation.decode import decode_image

KEPT = "kept"
_TILE_PX = 112
_COLUMNS, _ROWS = 10, 6
_BACKGROUND, _MISSING = (250, 250, 250), (222, 222, 222)


def index_path(config: Config, recipe: str) -> Path:
    """Where the index of a recipe's sheets stands."""
    return config.data_root.services / "sheets" / f"{recipe}.json"


def write_index(config: Config, curated: Curated) -> list[str]:
    """Write which pictures stand on which sheet; returns the names of the sheets, `kept` first, then by reason."""
    samples = curated.tables["samples"]
    dropped = curated.decisions[curated.decisions["outcome"] != "keep"]
    sheets = {KEPT: _chosen(samples[samples["sample_id"].isin(curated.kept()["sample_id"])])}
    for reason, rows in dropped.groupby("reason"):
        sheets[str(reason)] = _chosen(rows)
    index = {name: images for name, images in sheets.items() if images}
    path = index_path(config, curated.recipe.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, json.dumps(index, indent=1) + "\n")
    return list(index)


def read_index(config: Config, recipe: str) -> dict[str, list[str]]:
    """Read which pictures stand on which sheet; empty where the recipe was never curated by a flow."""
    path = index_path(config, recipe)
    found: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _chosen(rows: pd.DataFrame) -> list[str]:
    """Take as many images as a sheet holds, spread evenly over all there are."""
    ids: list[Any] = sorted(rows["image_id"].dropna().unique())
    count = _COLUMNS * _ROWS
    return [str(ids[position * len(ids) // count]) for position in range(count)] if len(ids) > count else ids


def draw_sheet(image_ids: Sequence[str], read_blob: Callable[[str], bytes]) -> bytes:
    """Draw a sheet.

    Args:
        image_ids: at most 60.
        read_blob: gives the bytes of an image; KeyError where there are none any more.

    Returns:
        JPEG, 10 tiles wide; a picture that is gone or cannot be read is a grey tile with a cross.
    """
    rows = max(1, -(-len(image_ids) // _COLUMNS))
    sheet = Image.new("RGB", (_COLUMNS * _TILE_PX, rows * _TILE_PX), _BACKGROUND)
    for position, image_id in enumerate(image_ids):
        place = (position % _COLUMNS * _TILE_PX, position // _COLUMNS * _TILE_PX)
        sheet.paste(_tile(image_id, read_blob), (place[0] + 2, place[1] + 2))
    stream = io.BytesIO()
    sheet.save(stream, "JPEG", quality=85)
    return stream.getvalue()


def _tile(image_id: str, read_blob: Callable[[str], bytes]) -> Image.Image:
    size = (_TILE_PX - 4, _TILE_PX - 4)
    try:
        rgb = decode_image(image_id, read_blob(image_id), DecodeNeed(min_side_px=_TILE_PX)).rgb
    except (KeyError, BadImage):
        tile = Image.new("RGB", size, _MISSING)
        ImageDraw.Draw(tile).line([(0, 0), size], fill=(160, 160, 160), width=2)
        return tile
    return ImageOps.pad(Image.fromarray(rgb), size, color=_BACKGROUND)

"""A curated data set made by hand: drawn pictures, rows as the stages give them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image, ImageDraw

from catalog import ids
from catalog.blobs import BlobStore
from catalog.db import Catalog
from catalog.paths import DataRoot
from catalog.recipe import Recipe, parse_recipe
from curation.contract import DECISION_COLUMNS, SAMPLE_COLUMNS, SIGHTING_COLUMNS, Curated
from curation.sightings import Sightings

RECIPE = """
[recipe]
title = "Garments"
purpose = "Find the garment."
sources = ["shop*"]
subject_kind = "item"
slots = ["seller", "buyer"]
[stages.noise]
slots = ["buyer"]
[stages.groups]
same_item = true
[splits]
kind = "ratios"
ratios = { train = 0.6, validation = 0.2, test = 0.2 }
seed = 1
[release]
image = "original"
size_px = 64
exports = ["class_folders", "index_csv"]
"""

MISSING = dict.fromkeys(SIGHTING_COLUMNS, "") | {"rank": 0, "is_former": False, "attributes": "{}"}
SUBJECT_COLUMNS = (
    "subject_id", "source", "organisation", "label", "kind", "name", "role", "role_class", "is_former", "profile_url",
    "attributes",
)  # fmt: skip


def sightings_of(rows: list[dict[str, Any]]) -> Sightings:
    """Sightings and subjects of rows that may have any of SIGHTING_COLUMNS."""
    filled = [{**MISSING, "sighting_id": f"s{number:03}", **row} for number, row in enumerate(rows)]
    known = pd.DataFrame(filled, columns=list(SIGHTING_COLUMNS))
    known = known.astype(dict.fromkeys(SIGHTING_COLUMNS, "str") | {"rank": "int64", "is_former": "bool"})
    seen = known[[name for name in SIGHTING_COLUMNS if name not in SUBJECT_COLUMNS[1:]]]
    subjects = known[list(SUBJECT_COLUMNS)].drop_duplicates("subject_id")
    return Sightings.of(*(pa.Table.from_pandas(table, preserve_index=False) for table in (seen, subjects)))


@dataclass
class World:
    """A data root with a catalog, and what a curation made of it."""

    root: DataRoot
    catalog: Catalog
    blobs: BlobStore
    curated: Curated

    def with_recipe(self, **changes: Any) -> World:
        return self.but(recipe=replace(self.curated.recipe, **changes))

    def but(self, **changes: Any) -> World:
        return replace(self, curated=replace(self.curated, **changes))

    def with_table(self, name: str, frame: pd.DataFrame) -> World:
        return self.but(tables={**self.curated.tables, name: frame})


def draw_jpeg(seed: int, size: tuple[int, int] = (80, 60)) -> bytes:
    """A blurred random picture: every seed another perceptual hash."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8))
    image = small.resize(size, Image.Resampling.BICUBIC)
    ImageDraw.Draw(image).ellipse((10, 10, 30, 40), fill=tuple(int(v) for v in rng.integers(0, 255, 3)))
    out = BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def decision_row(sample: pd.Series, stage: str, outcome: str, reason: str) -> dict[str, Any]:
    values = [sample["sample_id"], sample["image_id"], sample["subject_id"], stage, outcome, reason, "{}"]
    return dict(zip(DECISION_COLUMNS, values, strict=True))


def make_world(
    folder: Path,
    items_count: int = 10,
    per_item: int = 3,
    label_of: Callable[[int], str] = lambda item: ("skirt", "coat")[item % 2],
    recipe: Recipe | None = None,
) -> World:
    """Items with one seller's and some buyers' photos; items 0-5 in train, 6-7 in validation, 8-9 in test, of ten."""
    blobs = BlobStore(folder / "blobs")
    rows, thumbs = [], []
    for item in range(items_count):
        subject = ids.subject_id("shop-a", f"item {item}")
        for number in range(per_item):
            body = draw_jpeg(item * 100 + number)
            image = blobs.put(body)
            thumbs.append((image, body))
            rows.append(
                {
                    "sample_id": ids.sample_id(image, None, subject), "image_id": image, "subject_id": subject,
                    "sighting_id": f"sight_{item}_{number}", "source": "shop-a", "organisation": "",
                    "slot": "seller" if number == 0 else "buyer", "label": label_of(item), "target": float("nan"),
                    "name": f"Garment {item}", "image_url": f"http://127.0.0.1/i/{item}/{number}.jpg",
                    "page_url": f"http://127.0.0.1/item/{item}", "attributes": json.dumps({"item_id": str(item)}),
                    "face_index": -1, "turn_deg": 0, "box_x0": -1, "box_y0": -1, "box_x1": -1, "box_y1": -1,
                }
            )  # fmt: skip
    samples = pd.DataFrame(rows)[list(SAMPLE_COLUMNS)].sort_values("sample_id", ignore_index=True)
    item_of = samples["attributes"].map(lambda text: int(json.loads(text)["item_id"]))
    parts = ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
    part_of = {item: parts[item * 10 // items_count] for item in range(items_count)}
    tables = {
        "samples": samples,
        "groups": pd.DataFrame({"sample_id": samples["sample_id"], "group_id": "group_" + item_of.astype("str")}),
        "splits": pd.DataFrame({"sample_id": samples["sample_id"], "split": item_of.map(part_of)}),
    }
    curated = Curated(
        recipe=recipe or parse_recipe("garments", RECIPE, "test"),
        sightings=sightings_of(samples.to_dict("records")),
        signals={"thumbnails": pd.DataFrame(thumbs, columns=["image_id", "jpeg"]).drop_duplicates("image_id")},
        tables=tables,
        decisions=pd.DataFrame(columns=list(DECISION_COLUMNS), dtype="str"),
        facts={},
        stage_keys={"splits": "0" * 16},
        counts={},
    )
    return World(DataRoot(folder), Catalog(f"sqlite:///{folder / 'catalog.db'}"), blobs, curated)

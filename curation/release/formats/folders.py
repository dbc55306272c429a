"""Folders of pictures: by class, as Keras and torchvision read them, and with metadata.csv, as Hugging Face does."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd

from catalog.release_format import CARD, INDEX, Release
from curation.release.formats.contract import Planned, pictures_of, released_rows, rows_key
from curation.release.layout import class_folder

METADATA_COLUMNS = (
    "sample_id",
    "label",
    "target",
    "subject_id",
    "group_id",
    "slot",
    "is_clean",
    "image_url",
    "page_url",
)


def class_folders(release: Release, shard_samples: int) -> list[Planned]:
    """Plan `<split>/<class>/<sample_id>.jpg`, and `classes.csv`, which says the label of each folder.

    Read by Keras' `flow_from_directory` and torchvision's `ImageFolder`, split by split.
    """
    rows = released_rows(release)
    classes = pd.DataFrame({"label": sorted(rows["label"].unique())})
    classes["folder"] = classes["label"].map(class_folder)
    pictures = pictures_of(rows, lambda row: f"{row.split}/{class_folder(row.label)}/{row.sample_id}.jpg")
    key = rows_key("classes", classes)
    return [*pictures, Planned("classes.csv", key, partial(_write_csv, classes[["folder", "label"]])), *_card(release)]


def imagefolder(release: Release, shard_samples: int) -> list[Planned]:
    """Plan `<split>/<sample_id>.jpg` and `<split>/metadata.csv`, as `datasets` reads with `imagefolder`."""
    rows = released_rows(release)
    planned = pictures_of(rows, lambda row: f"{row.split}/{row.sample_id}.jpg")
    for split, part in rows.groupby("split", sort=True):
        table = part[list(METADATA_COLUMNS)]
        table = pd.concat([(table["sample_id"] + ".jpg").rename("file_name"), table], axis=1)
        key = rows_key("metadata", table)
        planned.append(Planned(f"{split}/metadata.csv", key, partial(_write_csv, table)))
    return planned + _card(release)


def index_csv(release: Release, shard_samples: int) -> list[Planned]:
    """Plan `index.csv` (id, category, image_url, name) and the pictures as `<sample_id>.jpg` beside it."""
    rows = released_rows(release)
    table = rows[["sample_id", "label", "image_url"]].set_axis(["id", "category", "image_url"], axis=1)
    table["name"] = rows.get("name", "")
    key = rows_key("index", table)
    pictures = pictures_of(rows, lambda row: f"images/{row.sample_id}.jpg")
    return [*pictures, Planned(INDEX, key, partial(_write_csv, table)), *_card(release)]


def _card(release: Release) -> list[Planned]:
    return [Planned(CARD, release.manifest["files"][CARD]["sha256"], source=CARD)]


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, lineterminator="\n")

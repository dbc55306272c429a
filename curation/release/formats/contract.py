"""What a format says: which files there shall be, and how each is made; `export` writes those that changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from catalog.ids import digest
from catalog.release_format import Release

SHARD_SAMPLES = 4096
"""Usual size of a shard: 25 MB of 128 px crops."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One file of an export."""

    path: str
    """Relative to the export's folder."""
    key: str
    """Names the content: equal keys, equal bytes."""
    write: Callable[[Path], None] | None = None
    """Writes it; None where it is a file of the release."""
    source: str = ""
    """That file, relative to the release."""


Format = Callable[[Release, int], list[Planned]]
"""(release, samples per shard) -> what there shall be."""


def released_rows(release: Release) -> pd.DataFrame:
    """Read the samples with what exports tell of them: also fold, class_index and the picture's sha256.

    `class_index` counts the labels in sorted order; -1 where there is no label.
    """
    samples, splits = release.samples(), release.splits()
    labels = {label: number for number, label in enumerate(class_names(samples))}
    folds = splits.set_index("sample_id")["fold"] if "fold" in splits else None
    files = release.manifest["files"]
    return samples.assign(
        fold=-1 if folds is None else samples["sample_id"].map(folds).astype("int64"),
        class_index=samples["label"].map(labels).fillna(-1).astype("int64"),
        sha256=[files[path]["sha256"] for path in samples["path"]],
    )


def pictures_of(rows: pd.DataFrame, path_of: Callable[[Any], str]) -> list[Planned]:
    """Plan a file per released picture.

    Args:
        rows: of `released_rows`.
        path_of: says for a row where its picture stands in the export.
    """
    return [Planned(path_of(row), str(row.sha256), source=str(row.path)) for row in rows.itertuples()]


def class_names(samples: pd.DataFrame) -> list[str]:
    """List the labels in sorted order."""
    return sorted(set(samples["label"]) - {""})


def sharded(rows: pd.DataFrame, shard_samples: int) -> list[tuple[str, int, int, pd.DataFrame]]:
    """Cut each split into shards by sample id, so that new samples change only the shards they fall into.

    Ids are hashes, so shards are about equal; their number is a power of two and doubles as the data grows.

    Returns:
        (split, number of the shard, of how many, its rows); a shard may be empty.
    """
    found = []
    for split, part in rows.groupby("split", sort=True):
        count = 1
        while len(part) > count * shard_samples:
            count *= 2
        place = part["sample_id"].map(lambda sample_id, count=count: int(sample_id[:8], 16) * count >> 32)
        found += [(str(split), shard, count, part[place == shard]) for shard in range(count)]
    return found


def rows_key(kind: str, rows: pd.DataFrame, *further: object) -> str:
    """Name the content that a format makes of some rows; where their pictures stand in the release is no content."""
    values = pd.util.hash_pandas_object(rows.drop(columns="path", errors="ignore"), index=False).to_numpy()
    return digest([kind, values.tobytes().hex(), list(rows.columns), *map(str, further)], 32)

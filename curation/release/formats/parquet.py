"""Parquet with the pictures inside, as `datasets.load_dataset(folder)` reads it offline."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.release_format import CARD, Release
from curation.release.formats.contract import Planned, class_names, released_rows, rows_key, sharded

_TEXTS = ("sample_id", "subject_id", "group_id", "slot", "source", "image_url", "page_url", "attributes")
_ROW_GROUP = 256
"""Rows read together: a picture may be had without reading a whole file."""


def parquet(release: Release, shard_samples: int) -> list[Planned]:
    """Plan `data/<split>-00000-of-00004.parquet`, ...: the picture's bytes, label, target, ids and addresses."""
    rows = released_rows(release)
    labels = class_names(rows)
    planned = [
        Planned(
            f"data/{split}-{number:05d}-of-{count:05d}.parquet",
            rows_key("parquet", part, labels),
            partial(_write, release.folder, part, labels),
        )
        for split, number, count, part in sharded(rows, shard_samples)
    ]
    return [*planned, Planned("README.md", release.manifest["files"][CARD]["sha256"], source=CARD)]


def _write(folder: Path, rows: pd.DataFrame, labels: list[str], path: Path) -> None:
    schema = _schema(labels)
    with pq.ParquetWriter(path, schema, compression={name: _compression(name) for name in schema.names}) as writer:
        for start in range(0, max(1, len(rows)), _ROW_GROUP):
            part = rows.iloc[start : start + _ROW_GROUP]
            images = [{"bytes": (folder / name).read_bytes(), "path": Path(name).name} for name in part["path"]]
            columns: dict[str, Any] = {"image": images, "label": part["class_index"] if labels else part["label"]}
            columns |= {name: part[name] for name in schema.names if name not in columns}
            arrays = [pa.array(columns[name], schema.field(name).type) for name in schema.names]
            writer.write_table(pa.table(arrays, schema=schema))


def _compression(name: str) -> str:
    return "NONE" if name == "image" else "ZSTD"  # JPEG does not shrink further


def _schema(labels: list[str]) -> pa.Schema:
    """Arrow types, and what `datasets` calls features; its features are written down, so that it need not guess."""
    fields = [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("label", pa.int64() if labels else pa.string()),
        ("target", pa.float64()),
        ("fold", pa.int64()),
        ("is_clean", pa.bool_()),
        *[(name, pa.string()) for name in _TEXTS],
    ]
    features: dict[str, Any] = {name: {"dtype": str(kind), "_type": "Value"} for name, kind in fields[2:]}
    features["image"] = {"_type": "Image"}
    features["label"] = {"names": labels, "_type": "ClassLabel"} if labels else {"dtype": "string", "_type": "Value"}
    features["target"]["dtype"] = "float64"
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema(fields, metadata=metadata)

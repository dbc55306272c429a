"""WebDataset shards: plain tar files, `<sample_id>.jpg`, `.cls` and `.json` per sample, and an index of offsets.

The tar headers are laid out here (POSIX ustar) and not by `tarfile`, which takes several times as long per member
(benchmarks/bench_export.py).
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from catalog.release_format import CARD, Release
from catalog.shards import INDEX
from curation.release.formats.contract import Planned, class_names, released_rows, rows_key, sharded

_BLOCK = 512
_MODE_OWNER = b"0000644\0" + b"0000000\0" * 2
_TAIL = b"0" + bytes(100) + b"ustar\00000" + bytes(247)
"""Type (a file), no link, magic, no names of owners, no prefix."""
_FIXED_SUM = sum(_MODE_OWNER) + sum(b"00000000000\0") + 8 * ord(" ") + sum(_TAIL)
"""Of all header bytes but name and size; the checksum itself counts as blanks."""
_END = bytes(2 * _BLOCK)


def webdataset(release: Release, shard_samples: int) -> list[Planned]:
    """Plan `<split>-00000.tar`, ..., and `index.parquet`, which `catalog.shards.ShardSet` reads by number."""
    rows = released_rows(release)
    planned, index = [], []
    for split, number, count, part in sharded(rows, shard_samples):
        name = f"{split}-{number:05d}.tar"
        key = rows_key("webdataset", part, count)
        planned.append(Planned(name, key, partial(_write_shard, release.folder, part)))
        index.append(_indexed(part, name, release))
    table = pd.concat(index, ignore_index=True)
    key = rows_key("webdataset-index", table)
    classes = class_names(rows)
    return [
        *planned,
        Planned(INDEX, key, lambda path: table.to_parquet(path, index=False)),
        Planned(
            "classes.json",
            rows_key("classes", pd.DataFrame({"label": classes, "path": ""})),
            partial(_write_json, classes),
        ),
        Planned(CARD, release.manifest["files"][CARD]["sha256"], source=CARD),
    ]


def member(name: str, body: bytes) -> bytes:
    """Lay out one file of a tar: header, body, padding.

    Args:
        name: ASCII, fewer than 100 characters.
        body: less than 8 GiB.
    """
    encoded = name.encode("ascii")
    size = b"%011o\0" % len(body)
    checksum = _FIXED_SUM + sum(encoded) + sum(size)
    header = encoded.ljust(100, b"\0") + _MODE_OWNER + size + b"00000000000\0" + b"%06o\0 " % checksum + _TAIL
    return header + body + bytes(-len(body) % _BLOCK)


def sample_members(sample_id: str, body: bytes, class_index: int, facts: dict[str, Any]) -> bytes:
    """Lay out the members of one sample; the picture comes first, so its bytes begin at offset 512."""
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()
    label = b"%d" % class_index
    return member(f"{sample_id}.jpg", body) + member(f"{sample_id}.cls", label) + member(f"{sample_id}.json", text)


def _facts(row: Any) -> dict[str, Any]:
    target = None if row.target != row.target else row.target
    return {
        "sample_id": row.sample_id, "label": row.label, "target": target, "subject_id": row.subject_id,
        "group_id": row.group_id, "split": row.split, "fold": row.fold, "is_clean": bool(row.is_clean),
        "image_url": row.image_url, "page_url": row.page_url,
    }  # fmt: skip


def _write_shard(folder: Path, rows: pd.DataFrame, path: Path) -> None:
    with path.open("wb", buffering=1 << 20) as stream:
        row: Any
        for row in rows.itertuples():
            body = (folder / row.path).read_bytes()
            stream.write(sample_members(row.sample_id, body, row.class_index, _facts(row)))
        stream.write(_END)


def _indexed(rows: pd.DataFrame, shard: str, release: Release) -> pd.DataFrame:
    """Say where each picture stands, from the sizes alone."""
    offsets, sizes, at = [], [], 0
    files = release.manifest["files"]
    for row in rows.itertuples():
        size = int(files[row.path]["size_bytes"])
        offsets.append(at + _BLOCK)
        sizes.append(size)
        facts = len(json.dumps(_facts(row), ensure_ascii=False, separators=(",", ":")).encode())
        at += 3 * _BLOCK + sum(-(-length // _BLOCK) * _BLOCK for length in (size, len(str(row.class_index)), facts))
    columns = rows[["sample_id", "split", "label", "class_index"]]
    return columns.assign(shard=shard, offset=offsets, size_bytes=sizes).reset_index(drop=True)


def _write_json(value: Any, path: Path) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

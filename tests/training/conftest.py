"""A tiny release, written by hand as the format says, and settings that train it in a second."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from catalog.paths import DataRoot
from catalog.release_format import SAMPLE_COLUMNS, Release, file_sha256, open_release

CLASSES = ("cs", "econ", "german", "mechanical")
PURPOSE = "The label is planted: a bright bar whose place tells the class, to see that training works at all."


def write_release(
    folder: Path,
    *,
    per_class: dict[str, int] | None = None,
    classes: tuple[str, ...] = CLASSES,
    slots: tuple[str, ...] = ("portrait",),
    targets: dict[str, float] | None = None,
    purpose: str = PURPOSE,
    seed: int = 3,
) -> Release:
    """Write a release whose classes are told by where a bright bar stands; slots take turns."""
    generator = np.random.default_rng(seed)
    rows = []
    for split, count in (per_class or {"train": 6, "validation": 3, "test": 6}).items():
        for index, label in enumerate(classes):
            for number in range(count):
                sample_id = hashlib.sha256(f"{seed} {split} {label} {number}".encode()).hexdigest()
                pixels = generator.integers(0, 90, (72, 72, 3), dtype=np.uint8)
                # Unchanged by a mirror: classes differ in height only.
                pixels[6 + 16 * index : 18 + 16 * index, 12:60] += 150
                path = f"images/{split}/{label}/{sample_id}.png"
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(folder / path)
                rows.append(
                    {
                        "sample_id": sample_id, "image_id": sample_id, "subject_id": f"subj_{sample_id[:16]}",
                        "group_id": f"group_{sample_id[:16]}", "split": split, "label": label,
                        "target": (targets or {}).get(label, float("nan")),
                        "path": path, "slot": slots[number % len(slots)], "source": "planted",
                        "image_url": "", "page_url": "", "box_x0": -1,
                        "box_y0": -1, "box_x1": -1, "box_y1": -1, "width_px": 72, "height_px": 72, "is_clean": True,
                        "is_leaking_copy": False, "attributes": "{}",
                    }
                )  # fmt: skip
    samples = pd.DataFrame(rows, columns=list(SAMPLE_COLUMNS)).sort_values("sample_id", ignore_index=True)
    samples.to_parquet(folder / "samples.parquet")
    samples[["sample_id", "group_id", "split"]].to_parquet(folder / "splits.parquet")
    files = {name: {"sha256": file_sha256(folder / name)} for name in ("samples.parquet", "splits.parquet")}
    manifest = {"format_version": 1, "recipe": folder.parent.name, "purpose": purpose, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest, sort_keys=True))
    return open_release(folder)


@pytest.fixture
def make_release(tmp_path: Path) -> Callable[..., Release]:
    """Give the writer of tiny releases; each call another version."""
    made: list[Release] = []

    def make(**settings: object) -> Release:
        folder = tmp_path / "releases" / "planted" / f"2026-11-21.{len(made) + 1}"
        made.append(write_release(folder, **settings))  # type: ignore[arg-type]
        return made[-1]

    return make


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    """Give an empty data root."""
    return DataRoot(tmp_path / "store")

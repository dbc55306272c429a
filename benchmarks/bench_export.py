"""Writing crops into shards and reading them back shuffled, as a training loop does.

Peer: the webdataset package's TarWriter and its reader with `shuffle(1000)` and `decode("rgb8")`; both sides write the
same members (jpg, cls, json) to the same disk, and give the same arrays to the same number of processes (one).

    python -m benchmarks.bench_export [--pictures 20000]
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import simplejpeg
import webdataset
from PIL import Image

from catalog.shards import INDEX, ShardSet
from curation.release.formats.webdataset import sample_members

RESULTS = Path(__file__).parent / "results" / "export.json"
SIDE_PX, SHARD_SAMPLES, ROUNDS = 128, 4096, 3
GOALS = {"write": 4.0, "read": 2.0}

Sample = tuple[str, bytes, int, dict[str, Any]]


def draw(count: int) -> list[Sample]:
    """Make crops of about 6 KB: a few hundred different ones, repeated."""
    random = np.random.default_rng(0)
    bodies = []
    for _ in range(256):
        small = Image.fromarray(random.integers(0, 255, (24, 24, 3), dtype=np.uint8))
        out = BytesIO()
        small.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC).save(out, "JPEG", quality=92)
        bodies.append(out.getvalue())
    ids = [f"{row:064x}" for row in range(count)]
    facts = [{"sample_id": name, "label": f"class {row % 4}", "split": "train"} for row, name in enumerate(ids)]
    return [(name, bodies[row % 256], row % 4, facts[row]) for row, name in enumerate(ids)]


def shards_of(samples: list[Sample]) -> Iterator[tuple[str, list[Sample]]]:
    """Cut into shards."""
    for start in range(0, len(samples), SHARD_SAMPLES):
        yield f"train-{start // SHARD_SAMPLES:05d}.tar", samples[start : start + SHARD_SAMPLES]


def write_ours(samples: list[Sample], folder: Path) -> None:
    """Write shards and their index."""
    index = []
    for name, part in shards_of(samples):
        with (folder / name).open("wb", buffering=1 << 20) as stream:
            for sample_id, body, label, facts in part:
                index.append((sample_id, "train", facts["label"], label, name, stream.tell() + 512, len(body)))
                stream.write(sample_members(sample_id, body, label, facts))
            stream.write(bytes(1024))
    columns = ["sample_id", "split", "label", "class_index", "shard", "offset", "size_bytes"]
    pd.DataFrame(index, columns=columns).to_parquet(folder / INDEX)


def write_theirs(samples: list[Sample], folder: Path) -> None:
    """Write shards by the package's writer."""
    for name, part in shards_of(samples):
        with webdataset.TarWriter(str(folder / name)) as writer:
            for sample_id, body, label, facts in part:
                writer.write({"__key__": sample_id, "jpg": body, "cls": label, "json": facts})


def read_ours(folder: Path) -> int:
    """Read every picture once in random order and decode it."""
    shards, total = ShardSet(folder, "train"), 0
    for row in np.random.default_rng(1).permutation(len(shards)).tolist():
        body, label = shards[row]
        total += simplejpeg.decode_jpeg(body).shape[0] + label
    return total


def read_theirs(folder: Path) -> int:
    """Read every picture once through a shuffle buffer and decode it."""
    paths, total = sorted(str(path) for path in folder.glob("*.tar")), 0
    data = webdataset.WebDataset(paths, shardshuffle=len(paths), seed=1, empty_check=False)
    for image, label in data.shuffle(1000).decode("rgb8").to_tuple("jpg", "cls"):
        total += image.shape[0] + label
    return total


def timed(work: Callable[[], Any]) -> float:
    """CPU seconds of a call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def measure(count: int) -> dict[str, Any]:
    """Write and read both ways, in turn, several rounds; gives rates and the median of the ratios."""
    samples = draw(count)
    rows: dict[str, list[float]] = {"write_ours": [], "write_theirs": [], "read_ours": [], "read_theirs": []}
    home = Path(tempfile.mkdtemp(prefix="gleanery-bench-export-"))
    try:
        for turn in range(ROUNDS):
            for side, write, read in (("ours", write_ours, read_ours), ("theirs", write_theirs, read_theirs)):
                folder = home / f"{side}-{turn}"
                folder.mkdir()
                rows[f"write_{side}"].append(timed(lambda write=write, folder=folder: write(samples, folder)))
                rows[f"read_{side}"].append(timed(lambda read=read, folder=folder: read(folder)))
                shutil.rmtree(folder)
    finally:
        shutil.rmtree(home)
    ratios = {
        what: statistics.median(b / a for a, b in zip(rows[f"{what}_ours"], rows[f"{what}_theirs"], strict=True))
        for what in GOALS
    }
    return {
        "pictures": count,
        "mean_bytes": round(statistics.mean(len(body) for _, body, _, _ in samples)),
        "pictures_per_cpu_s": {name: round(count / statistics.median(values)) for name, values in rows.items()},
        "ratios": {what: round(ratio, 2) for what, ratio in ratios.items()},
        "goals": GOALS,
    }


def main() -> int:
    """Print the figures, keep them, and fail below a goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=20_000)
    figures = measure(parser.parse_args().pictures)
    print(json.dumps(figures, indent=1))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if all(figures["ratios"][what] >= goal for what, goal in GOALS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())

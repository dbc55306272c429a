"""Reading a folder of photos and hashing it: against Pillow + imagehash, imagededup, and the decoder alone.

    python -m benchmarks.bench_hash [--photos 300] [--rounds 3] [--full]

One thread each but end to end, where both have one worker, then both two. Prints ratios of one run and stores them in
results/hash.json. `--full` takes 3,000 photos, and 9,000 end to end.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import timing

timing.pin_threads()

import numpy as np  # noqa: E402
import simplejpeg  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from PIL import Image  # noqa: E402

from benchmarks.engine_runs import Stages, main_over_photos, measure, recipe_of, store  # noqa: E402
from benchmarks.photos import photo_folder, photos  # noqa: E402
from curation.contract import DecodeNeed  # noqa: E402
from curation.decode import decode_image  # noqa: E402
from curation.executors import Executor, InlineExecutor, ProcessExecutor  # noqa: E402
from curation.ops.hamming import self_pairs  # noqa: E402
from curation.ops.phash import hash_views  # noqa: E402

END_TO_END = ((1, 1), (1, 2), (3, 2))
"""Folders so many times as large, and workers: these start once, however many photos there are."""

HASHES: Stages = {"hashes": {}}
GREY_HASHES: Stages = {"hashes": {"colours": False}}
"""What imagededup looks at."""
HASHES_AND_QUALITY: Stages = {"hashes": {}, "quality": {}}


def decode_scaled(paths: list[Path], colours: str) -> None:
    """Read and decode at the scale that hashes need, and do nothing with it."""
    for path in paths:
        body = path.read_bytes()
        height, width, _, _ = simplejpeg.decode_jpeg_header(body)
        factor = next((one for one in (8, 4, 2) if min(height, width) // one >= 128), 1)
        simplejpeg.decode_jpeg(body, colours, min_height=-(-height // factor), min_width=-(-width // factor))


def hash_pillow(paths: list[Path]) -> list[int]:
    """Do what a script with imagehash does."""
    import imagehash  # here, as workers of ours import this file too

    return [int(str(imagehash.phash(Image.open(path))), 16) for path in paths]


def hash_own(paths: list[Path]) -> list[int]:
    """Decode and take the one hash that imagehash gives (ours come in nine views), some at a time as the engine does.

    Hashing picture by picture costs twice as much: a decode empties the processor's caches.
    """
    need = DecodeNeed(min_side_px=128, has_colours=False)
    hashes = []
    for start in range(0, len(paths), 16):
        lumas = [decode_image("", path.read_bytes(), need).luma() for path in paths[start : start + 16]]
        hashes.extend(hash_views(luma)[0]["phash"] for luma in lumas)
    return hashes


def measured(folder: Path, stages: Stages, executor: Executor) -> NDArray[np.uint64]:
    """Run the engine over blobs into fresh derived folders; gives the pHashes."""
    # Here, as workers import this file too, and never need the engine.
    from curation.engine import Signals, plan_measures

    with tempfile.TemporaryDirectory(dir=folder) as derived:
        ids = measure(folder, derived, stages, executor)
        return Signals(plan_measures(recipe_of(stages)), derived, ids)["hashes"]["phash"].to_numpy(np.uint64)


def deduplicated(folder: Path, workers: int) -> int:
    """Hash with worker processes and join, as imagededup does."""
    return len(self_pairs(measured(folder, GREY_HASHES, ProcessExecutor(workers)), 8))


def end_to_end(count: int, workers: int, rounds: int) -> dict[str, Any]:
    """Find the duplicates of a folder, ours and imagededup in turn: seconds of each run, ratio of the medians."""
    source = photo_folder(count)
    with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
        folder = Path(scratch)
        store(folder, photos(source))
        peer, own = [], []
        for _ in range(rounds):
            peer.append(timing.run_peer("imagededup", source, workers))
            own.append(timing.timed(lambda: deduplicated(folder, workers)))
    ratio = {
        clock: float(np.median([one[clock] for one in peer]) / np.median([one[clock] for one in own]))
        for clock in ("wall_s", "cpu_s")
    }
    return {"imagededup": peer, "own": own, "ratio": ratio}


def run(count: int, rounds: int) -> bool:
    """Measure, print, store; tells whether the goals are met."""
    source = photo_folder(count)
    paths = photos(source)
    inline = InlineExecutor()
    with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
        folder = Path(scratch)
        store(folder, paths)
        hash_own(paths[:20])
        seconds = timing.alternating(
            {
                "Pillow + imagehash": lambda: hash_pillow(paths),
                "decoder alone, grey": lambda: decode_scaled(paths, "GRAY"),
                "decoder alone, RGB": lambda: decode_scaled(paths, "RGB"),
                "own: decode and pHash": lambda: hash_own(paths),
                "own engine: hashes, no colours": lambda: measured(folder, GREY_HASHES, inline),
                "own engine: hashes": lambda: measured(folder, HASHES, inline),
                "own engine: hashes and quality": lambda: measured(folder, HASHES_AND_QUALITY, inline),
            },
            rounds,
        )
    whole = {
        f"{times * count} photos, {workers} workers": end_to_end(times * count, workers, max(1, rounds - 1))
        for times, workers in END_TO_END
    }
    distances = [(a ^ b).bit_count() for a, b in zip(hash_pillow(paths), hash_own(paths), strict=True)]
    bare = seconds["decoder alone, RGB"]
    goals = {
        "pHash against Pillow + imagehash": (
            seconds["Pillow + imagehash"] / seconds["own: decode and pHash"],
            ">=",
            5.0,
        ),
        **{
            f"duplicates against imagededup, CPU: {name}": (one["ratio"]["cpu_s"], ">=", 7.0)
            for name, one in whole.items()
        },
        "hashes of the decoder's speed": (bare / seconds["own engine: hashes"], ">=", 0.85),
        "hashes and quality of the decoder's speed": (bare / seconds["own engine: hashes and quality"], ">=", 0.6),
        "within 2 bits of imagehash": (float(np.mean(np.array(distances) <= 2)), ">=", 0.995),
        "99th percentile, bits": (float(np.percentile(distances, 99)), "<=", 2.0),
        "median, bits": (float(np.median(distances)), "<=", 0.0),
    }
    timing.print_speeds(
        f"{count} photos, one thread, CPU time, median of {rounds}",
        {name: (count, spent) for name, spent in seconds.items()},
        {"x imagehash": "Pillow + imagehash", "of the decoder": "decoder alone, RGB"},
    )
    is_met = timing.print_goals(goals)
    timing.keep(
        "hash",
        {
            "photos": count, "rounds": rounds, "photos_per_cpu_s": {name: count / s for name, s in seconds.items()},
            "end_to_end": whole,
            "goals": timing.as_json(goals),
        },
    )  # fmt: skip
    return is_met


if __name__ == "__main__":
    sys.exit(main_over_photos(__doc__, run, 300, 3000))

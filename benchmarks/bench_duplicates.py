"""All pairs of hashes within 10 bits: against faiss IndexBinaryFlat, and how the cost grows.

    python -m benchmarks.bench_duplicates [--full]

faiss searches a sample of the queries on one thread, which is scaled up; ours is its CPU time over all threads.
`--full` joins ten million too. Prints one run and stores it in results/duplicates.json.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import timing
from curation.ops.hamming import self_pairs

RADIUS_BITS = 10
_FAISS_PRODUCT = 2_000_000_000
"""Comparisons of the sample that faiss is timed on: a second or two."""
_COPIED_BITS = np.uint64(0x2AAAAAAAAAAA)
"""Bits that mostly follow their neighbour: distances then spread as those of photos do (4.7 bits, not 4)."""


def planted_hashes(count: int) -> NDArray[np.uint64]:
    """Make hashes as photos have them: 30 % in clusters of all sizes, some blank ones, bits that correlate."""
    random = np.random.default_rng([6, count])

    def words(size: int) -> NDArray[np.uint64]:
        return random.integers(0, 2**64, size, dtype=np.uint64)

    hashes = words(count)
    rare = words(count) & words(count) & words(count)
    hashes = (hashes & ~_COPIED_BITS) | (((hashes << np.uint64(1)) ^ rare) & _COPIED_BITS)
    members = random.choice(count, int(0.3 * count), replace=False)
    sizes = np.minimum(random.zipf(2.5, len(members)) + 1, 2000)
    heads = np.repeat(members, sizes)[: len(members)]
    rare = words(len(members)) & words(len(members)) & words(len(members)) & words(len(members))
    hashes[members] = hashes[heads] ^ (rare & words(len(members)))
    hashes[random.choice(count, max(1, count // 2000), replace=False)] = 0
    return hashes | np.uint64(1 << 63)


def join(count: int) -> dict[str, Any]:
    """Join in a fresh process, so that its peak memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return dict(pool.apply(_join, (count,)))


def _join(count: int) -> dict[str, Any]:
    self_pairs(planted_hashes(12_000), RADIUS_BITS)  # compiles
    hashes = planted_hashes(count)
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun, begun_cpu = time.perf_counter(), time.process_time()
    pairs = self_pairs(hashes, RADIUS_BITS)
    return {
        "wall_s": time.perf_counter() - begun,
        "cpu_s": time.process_time() - begun_cpu,
        "pairs": len(pairs),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "before_mb": before_mb,
    }


def faiss(count: int) -> dict[str, Any]:
    """Time faiss on a sample of the queries and scale up."""
    queries = min(count, max(100, _FAISS_PRODUCT // count))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hashes.npy"
        np.save(path, planted_hashes(count))
        found = timing.run_peer("faiss", path, RADIUS_BITS, queries)
    return {**found, "queries": queries, "cpu_s": found["cpu_s"] * count / queries}


def main() -> int:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="join ten million too (minutes)")
    options = parser.parse_args()
    counts = [100_000, 1_000_000, *([10_000_000] if options.full else [])]
    own = {count: join(count) for count in counts}
    peer = {count: faiss(count) for count in counts[:2]}
    million = own[1_000_000]
    goals = {
        "1M against faiss, CPU": (peer[1_000_000]["cpu_s"] / million["cpu_s"], ">=", 70.0),
        "1M peak MB": (million["peak_mb"], "<=", 400.0),
        "growth exponent 100k to 1M, CPU": (math.log10(million["cpu_s"] / own[100_000]["cpu_s"]), "<=", 1.25),
    }
    if options.full:
        goals["10M wall s"] = (own[10_000_000]["wall_s"], "<=", 150.0)
        goals["10M peak MB"] = (own[10_000_000]["peak_mb"], "<=", 4096.0)
    rows = [
        (
            f"{count:,}",
            one["cpu_s"],
            one["wall_s"],
            one["peak_mb"],
            one["pairs"],
            peer.get(count, {}).get("cpu_s", "-"),
        )
        for count, one in own.items()
    ]
    header = ("hashes", "CPU s", "wall s", "peak MB", "pairs", "faiss CPU s (scaled up)")
    timing.print_table(f"all pairs within {RADIUS_BITS} bits", header, rows)
    is_met = timing.print_goals(goals)
    figures = {"own": {str(n): one for n, one in own.items()}, "faiss": {str(n): one for n, one in peer.items()}}
    timing.keep("duplicates", {**figures, "radius_bits": RADIUS_BITS, "goals": timing.as_json(goals)})
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())

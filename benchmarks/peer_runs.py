"""Contestants that run in the peers' own environment: one per call, the last line printed is a JSON object.

python peer_runs.py imagededup FOLDER WORKERS | cleanvision FOLDER WORKERS | faiss HASHES.npy RADIUS QUERIES
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import sys
import time
from typing import Any


def cpu_seconds() -> float:
    """CPU time of this process and of its children that ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def imagededup(folder: str, workers: str) -> dict[str, Any]:
    """Hash a folder and list all pairs within 8 bits."""
    from imagededup.methods import PHash

    hasher = PHash(verbose=False)

    def work() -> dict[str, Any]:
        encodings = hasher.encode_images(image_dir=folder, num_enc_workers=int(workers))
        found = hasher.find_duplicates(encoding_map=encodings, max_distance_threshold=8, num_dist_workers=int(workers))
        return {"pairs": sum(map(len, found.values())) // 2}

    return timed(work)


def cleanvision(folder: str, workers: str) -> dict[str, Any]:
    """Find all issues that it knows by itself."""
    from cleanvision import Imagelab

    def work() -> dict[str, Any]:
        lab = Imagelab(data_path=folder)
        lab.find_issues(n_jobs=int(workers), verbose=False)
        return {"issues": int(lab.issues.filter(like="is_").to_numpy().sum())}

    return timed(work)


def faiss(path: str, radius: str, queries: str) -> dict[str, Any]:
    """Range search of the first queries among all hashes, on one thread."""
    import faiss as library
    import numpy as np

    library.omp_set_num_threads(1)
    hashes = np.load(path)
    codes = np.ascontiguousarray(hashes.view(np.uint8).reshape(len(hashes), 8))

    def work() -> dict[str, Any]:
        index = library.IndexBinaryFlat(64)
        index.add(codes)
        limits, _, _ = index.range_search(codes[: int(queries)], int(radius) + 1)
        return {"hits": int(limits[-1])}

    return timed(work)


def timed(work: Any) -> dict[str, Any]:
    """Run once, importing left out."""
    begun, begun_cpu = time.perf_counter(), cpu_seconds()
    with contextlib.redirect_stdout(io.StringIO()):
        answer = work()
    return {**answer, "wall_s": time.perf_counter() - begun, "cpu_s": cpu_seconds() - begun_cpu}


if __name__ == "__main__":
    print(
        json.dumps({"imagededup": imagededup, "cleanvision": cleanvision, "faiss": faiss}[sys.argv[1]](*sys.argv[2:]))
    )

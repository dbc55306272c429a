"""The whole chain over photos of mixed sizes, and the tables over planted rows.

    python -m benchmarks.bench_curation [--photos 60] [--rows 20000] [--full]

Chain: hashes, quality, faces and crops in one pass of two workers, against imagededup, CleanVision and autocrop's
Cropper one after the other over the same files at the same number of workers; and the same chain over a third of the
photos, for growth and memory. Tables: signals of that many images are planted, and `curate` runs over them: first,
again with nothing new, and with one per cent new. `--full` takes 3,000 and 1,000 photos and 1,000,000 rows.

Prints one run, stores it in results/curation.json and draws results/curation.png.
"""

from __future__ import annotations

import argparse
import math
import resource
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import timing

timing.pin_threads()

from benchmarks.photos import cache_folder, photo_folder, photos  # noqa: E402
from benchmarks.planted import PLANTED_RECIPE, plant  # noqa: E402
from catalog.blobs import BlobStore  # noqa: E402
from catalog.config import Config  # noqa: E402
from catalog.db import Catalog  # noqa: E402
from catalog.recipe import Recipe  # noqa: E402
from curation.curate import curate  # noqa: E402
from curation.engine import measure_images, plan_measures  # noqa: E402
from curation.executors import InlineExecutor, ProcessExecutor  # noqa: E402

WORKERS = 2
CHAIN = Recipe(
    name="chain", title="", purpose="", sources=("*",), subject_kind="person", slots=("portrait",),
    stages={"hashes": {}, "quality": {}, "faces": {}, "crops": {"size_px": 128}},
)  # fmt: skip


def crop_file(path: Path) -> bool:
    """Crop the largest face of one file as autocrop does."""
    import cv2
    from autocrop import Cropper

    cv2.setNumThreads(1)
    return Cropper(width=128, height=128, face_percent=60).crop(str(path)).image is not None


def crop_all(paths: list[Path]) -> None:
    """Run autocrop over files in as many processes as all contestants have."""
    with ProcessPoolExecutor(WORKERS) as pool:
        list(pool.map(crop_file, paths, chunksize=4))


def measure_all(folder: Path) -> None:
    """Run the chain over a folder of blobs into a fresh derived folder."""
    plan = plan_measures(CHAIN)
    with tempfile.TemporaryDirectory(dir=folder) as derived:
        ids = [path.name for path in (folder / "blobs").glob("*/*")]
        measure_images(plan, ids, str(folder / "blobs"), derived, ProcessExecutor(WORKERS))


def chain(count: int) -> dict[str, Any]:
    """Time our chain and the three peers over the same photos."""
    source = photo_folder(count)
    paths = photos(source)
    with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
        folder, few = Path(scratch) / "all", Path(scratch) / "few"
        for target, chosen in ((folder, paths), (few, paths[: count // 3])):
            blobs = BlobStore(target / "blobs")
            for path in chosen:
                blobs.put(path.read_bytes())
        small = timing.timed(lambda: measure_all(few))
        small_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        own = timing.timed(lambda: measure_all(folder))
        own_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    peers = {
        "imagededup": timing.run_peer("imagededup", source, WORKERS),
        "cleanvision": timing.run_peer("cleanvision", source, WORKERS),
        "autocrop": timing.timed(lambda: crop_all(paths)),
    }
    return {
        "photos": count, "own": own, "own_third": small, "worker_peak_mb": [small_mb, own_mb], "peers": peers,
        "ratio": {clock: sum(peer[clock] for peer in peers.values()) / own[clock] for clock in ("cpu_s", "wall_s")},
        "growth_exponent": math.log(own["cpu_s"] / small["cpu_s"]) / math.log(count / (count // 3)),
    }  # fmt: skip


def tables(count: int) -> dict[str, Any]:
    """Time curation over planted signals: first, with nothing new, with one per cent new."""
    root = cache_folder() / f"planted-{count}"
    shutil.rmtree(root, ignore_errors=True)
    config = Config(root=root, executor="inline")
    found: dict[str, Any] = {"rows": count}
    with Catalog(config.catalog_url) as catalog:
        plant(catalog, config.data_root, 0, count)
        for name in ("first", "nothing_new"):
            found[f"{name}_s"], kept = _curated(catalog, config)
        plant(catalog, config.data_root, count, count + count // 100)
        found["one_percent_new_s"], _ = _curated(catalog, config)
    found |= {"kept": kept, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    shutil.rmtree(root)
    return found


def _curated(catalog: Catalog, config: Config) -> tuple[float, int]:
    begun = time.process_time()
    outcome = curate(PLANTED_RECIPE, catalog, config.data_root, config, InlineExecutor())
    return time.process_time() - begun, outcome.counts["kept_count"]


def draw(figures: dict[str, Any], path: Path) -> None:
    """Draw both parts side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    peers = figures["chain"]["peers"]
    bottom = 0.0
    for name, one in peers.items():
        left.bar("one after the other", one["cpu_s"], bottom=bottom, label=name)
        bottom += one["cpu_s"]
    left.bar("gleanery", figures["chain"]["own"]["cpu_s"], color="black")
    left.set(
        ylabel="CPU seconds", title=f"{figures['chain']['photos']} photos, {figures['chain']['ratio']['cpu_s']:.1f}x"
    )
    left.legend(fontsize="small")
    rows = [one["rows"] for one in figures["tables"]]
    for name, label in (("first_s", "first run"), ("nothing_new_s", "nothing new"), ("one_percent_new_s", "1 % new")):
        right.loglog(rows, [one[name] for one in figures["tables"]], "o-", label=label)
    right.set(xlabel="planted images", ylabel="CPU seconds", title="tables")
    right.legend(fontsize="small")
    figure.savefig(path, dpi=110)


def main() -> int:
    """Measure, print, store, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--full", action="store_true", help="3,000 photos, 1,000,000 rows")
    options = parser.parse_args()
    count, rows = (3000, 1_000_000) if options.full else (options.photos, options.rows)
    found = chain(count)
    grown = [tables(rows // 10), tables(rows)]
    first, last = grown
    goals = {
        "whole chain against the three peers, CPU": (found["ratio"]["cpu_s"], ">=", 5.0),
        "chain: growth exponent": (found["growth_exponent"], "<=", 1.25),
        "tables: growth exponent": (math.log10(last["first_s"] / first["first_s"]), "<=", 1.25),
        "nothing new, s": (last["nothing_new_s"], "<=", 10.0),
        "one per cent new, s": (last["one_percent_new_s"], "<=", 10 + last["first_s"]),
    }
    spent = {**found["peers"], "own chain": found["own"]}
    timing.print_table(
        f"{count} photos, {WORKERS} workers", ("what", "CPU s", "wall s"),
        [(name, one["cpu_s"], one["wall_s"]) for name, one in spent.items()],
    )  # fmt: skip
    names = ("rows", "first_s", "nothing_new_s", "one_percent_new_s", "kept", "peak_mb")
    timing.print_table("tables, CPU", names, [tuple(one[name] for name in names) for one in grown])
    print(f"peak MB of a worker, a third and all of the photos: {found['worker_peak_mb']}")
    is_met = timing.print_goals(goals)
    figures = {"chain": found, "tables": grown, "goals": timing.as_json(goals)}
    timing.keep("curation", figures)
    draw(figures, timing.RESULTS / "curation.png")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())

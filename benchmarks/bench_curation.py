"""The whole chain over photos of mixed sizes, and the tables over planted rows.

    python -m benchmarks.bench_curation [peers] [growth] [tables] [--photos 60] [--growth 4] [--rows 20000] [--full]

Peers: hashes, quality, faces and crops in one pass of two workers, against imagededup, CleanVision and autocrop's
Cropper one after the other over the same files at the same number of workers. Growth: the same chain over `growth`
times as many photos (the same ones, told apart by a comment in the file), for growth and memory: first, again with
nothing new, and with one per cent new. Tables: catalog rows and signals of that many images are planted, and `curate`
runs over them in the same three ways, each in a process of its own; tables are made anew where anything is new, from
comparisons that are kept.
`--full` takes 3,000 and 30,000 photos and 1,000,000 rows; all parts take most of an hour, so each is kept in
results/curation.json as soon as it is done, and may be run alone. results/curation.png draws all three.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import timing

timing.pin_threads()

from benchmarks.engine_runs import Stages, measure, store  # noqa: E402
from benchmarks.photos import cache_folder, photo_folder, photos  # noqa: E402
from benchmarks.planted import PLANTED_RECIPE, plant  # noqa: E402
from catalog.config import Config  # noqa: E402
from catalog.db import Catalog  # noqa: E402
from curation.curate import curate  # noqa: E402
from curation.executors import InlineExecutor, ProcessExecutor  # noqa: E402
from curation.funnel import funnel, reason_counts  # noqa: E402

WORKERS = 2
RUNS = {"first": "first run", "nothing_new": "nothing new", "one_percent_new": "1 % new"}
"""Name of each run -> its label."""
CHAIN: Stages = {"hashes": {}, "quality": {}, "faces": {}, "crops": {"size_px": 128}}


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


def measure_all(folder: Path, derived: Path) -> None:
    """Run the chain over a folder of blobs; what `derived` has is not measured again."""
    measure(folder, derived, CHAIN, ProcessExecutor(WORKERS))


def peak_mb() -> float:
    """Most memory that one process among those that ended has held."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def told_apart(body: bytes, number: int) -> bytes:
    """Give a JPEG another name by its content: a comment behind its first marker. The pixels cost what they cost."""
    return body[:2] + b"\xff\xfe\x00\x06" + number.to_bytes(4, "big") + body[2:]


def against_peers(count: int) -> dict[str, Any]:
    """Time our chain and the three peers over the same photos."""
    source = photo_folder(count)
    paths = photos(source)
    with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
        folder = Path(scratch)
        store(folder, paths)
        own = timing.timed(lambda: measure_all(folder, folder / "derived"))
    peers = {
        "imagededup": timing.run_peer("imagededup", source, WORKERS),
        "cleanvision": timing.run_peer("cleanvision", source, WORKERS),
        "autocrop": timing.timed(lambda: crop_all(paths)),
    }
    ratio = {clock: sum(peer[clock] for peer in peers.values()) / own[clock] for clock in ("cpu_s", "wall_s")}
    return {"photos": count, "own": own, "peers": peers, "ratio": ratio}


def growth_of_chain(count: int, growth: int) -> dict[str, Any]:
    """Time our chain over photos, and over so many times as many: first, with nothing new, with one per cent new."""
    source = photo_folder(count)
    paths = photos(source)
    found: dict[str, Any] = {"photos": [count, growth * count]}
    with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
        once, grown = Path(scratch) / "once", Path(scratch) / "grown"
        store(once, paths)
        found["once"] = timing.timed(lambda: measure_all(once, once / "derived"))
        once_mb = peak_mb()
        for number in range(growth):
            store(grown, paths, partial(told_apart, number=number))
        for name in RUNS:
            if name == "one_percent_new":
                store(grown, paths[: max(1, growth * len(paths) // 100)], partial(told_apart, number=growth))
            found[name] = timing.timed(lambda: measure_all(grown, grown / "derived"))
    exponent = math.log(found["first"]["cpu_s"] / found["once"]["cpu_s"]) / math.log(growth)
    return {**found, "exponent": exponent, "worker_peak_mb": [once_mb, peak_mb()]}


def growth_of_tables(count: int) -> list[dict[str, Any]]:
    """Time curation over a tenth of the rows and over all."""
    return [tables(count // 10), tables(count)]


def tables(count: int) -> dict[str, Any]:
    """Time curation over planted signals: first, with nothing new, with one per cent new."""
    root = cache_folder() / f"planted-{count}"
    shutil.rmtree(root, ignore_errors=True)
    config = Config(root=root)
    found: dict[str, Any] = {"rows": count}
    with Catalog(config.catalog_url) as catalog:
        begun = time.process_time()
        plant(catalog, config.data_root, 0, count)
        found["planted_s"] = time.process_time() - begun
        for name in ("first", "nothing_new"):
            found[name] = in_a_process(root)
        plant(catalog, config.data_root, count, count + count // 100)
        found["one_percent_new"] = in_a_process(root)
    shutil.rmtree(root)
    return found


def in_a_process(root: Path) -> dict[str, float]:
    """Curate planted rows in a process of its own, as the command does: all seconds from its start to its end."""
    begun = time.perf_counter()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = pool.submit(curate_planted, root).result()
    return {**found, "wall_s": time.perf_counter() - begun}


def curate_planted(root: Path) -> dict[str, float]:
    """Curate and count what the command shows."""
    config = Config(root=root, executor="inline")
    with Catalog(config.catalog_url) as catalog:
        outcome = curate(PLANTED_RECIPE, catalog, config.data_root, config, InlineExecutor())
        kept = funnel(outcome, catalog).set_index("step")["count"]["kept"]
        reason_counts(outcome)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_s": time.process_time(), "kept": int(kept), "peak_mb": peak}


def draw(figures: dict[str, Any], path: Path) -> None:
    """Draw the peers, the growth with photos, and the growth of the tables."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    whole, grown = figures["peers"], figures["growth"]
    bottom = 0.0
    for name, one in whole["peers"].items():
        left.bar("one after the other", one["cpu_s"], bottom=bottom, label=name)
        bottom += one["cpu_s"]
    left.bar("gleanery", whole["own"]["cpu_s"], color="black")
    left.set(ylabel="CPU seconds", title=f"{whole['photos']} photos, {whole['ratio']['cpu_s']:.1f}x")
    left.legend(fontsize="small")
    middle.loglog(grown["photos"], [grown[name]["cpu_s"] for name in ("once", "first")], "o-")
    for name, label in (("nothing_new", "nothing new"), ("one_percent_new", "1 % new")):
        middle.loglog(grown["photos"][1], grown[name]["cpu_s"], "o", label=label)
    middle.set_xticks(grown["photos"], [f"{count:,}" for count in grown["photos"]], minor=False)
    middle.minorticks_off()
    middle.set(xlabel="photos", ylabel="CPU seconds", title=f"chain, exponent {grown['exponent']:.2f}")
    middle.legend(fontsize="small")
    rows = [one["rows"] for one in figures["tables"]]
    for name, label in RUNS.items():
        right.loglog(rows, [one[name]["cpu_s"] for one in figures["tables"]], "o-", label=label)
    right.set(xlabel="planted images", ylabel="CPU seconds", title="tables")
    right.legend(fontsize="small")
    figure.savefig(path, dpi=110)


def goals_of(part: str, found: Any) -> timing.Goals:
    """Say of one part what was reached and what is asked."""
    if part == "peers":
        return {"whole chain against the three peers, CPU": (found["ratio"]["cpu_s"], ">=", 5.0)}
    if part == "growth":
        once_mb, grown_mb = found["worker_peak_mb"]
        return {
            "chain: growth exponent": (found["exponent"], "<=", 1.25),
            "chain: memory of a worker, grown to once": (grown_mb / once_mb, "<=", 1.25),
            "chain: nothing new, CPU s": (found["nothing_new"]["cpu_s"], "<=", 10.0),
            "chain: one per cent new, CPU s": (
                found["one_percent_new"]["cpu_s"], "<=", 10 + 0.03 * found["first"]["cpu_s"],
            ),
        }  # fmt: skip
    first, last = found
    return {
        "catalog and signals: growth exponent": (math.log10(last["planted_s"] / first["planted_s"]), "<=", 1.25),
        "tables: growth exponent": (math.log10(last["first"]["cpu_s"] / first["first"]["cpu_s"]), "<=", 1.25),
        "tables: nothing new, s by the clock": (last["nothing_new"]["wall_s"], "<=", 10.0),
    }


def tell(part: str, found: Any) -> None:
    """Print the table of one part."""
    if part == "tables":
        names = ("cpu_s", "wall_s", "peak_mb", "kept")
        for one in found:
            rows = [(label, *(one[run][name] for name in names)) for run, label in RUNS.items()]
            title = f"tables, {one['rows']} rows, planted in {one['planted_s']:.0f} s"
            timing.print_table(title, ("run", *names), rows)
        return
    spent = {**found["peers"], "own": found["own"]} if part == "peers" else found
    rows = [(name, one["cpu_s"], one["wall_s"]) for name, one in spent.items() if isinstance(one, dict)]
    timing.print_table(f"{found['photos']} photos, {WORKERS} workers", ("what", "CPU s", "wall s"), rows)
    if part == "growth":
        print(f"peak MB of a worker, once and grown: {found['worker_peak_mb']}")


def main() -> int:
    """Measure, print, store, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="peers, growth, tables; all without any")
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--growth", type=int, default=4)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--full", action="store_true", help="3,000 photos and 30,000, 1,000,000 rows")
    options = parser.parse_args()
    if options.full:
        options.photos, options.growth, options.rows = 3000, 10, 1_000_000
    measures: dict[str, Callable[[], Any]] = {
        "peers": lambda: against_peers(options.photos),
        "growth": lambda: growth_of_chain(options.photos, options.growth),
        "tables": lambda: growth_of_tables(options.rows),
    }
    if unknown := set(options.parts) - set(measures):
        parser.error(f"no part {', '.join(sorted(unknown))}: expected {', '.join(measures)}")
    path = timing.RESULTS / "curation.json"
    figures = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    is_met = True
    for part in options.parts or measures:
        figures[part] = measures[part]()
        timing.keep("curation", figures)
        tell(part, figures[part])
        goals = goals_of(part, figures[part])
        is_met = timing.print_goals(goals) and is_met
        figures.setdefault("goals", {}).update(timing.as_json(goals))
        timing.keep("curation", figures)
    if all(part in figures for part in measures):
        draw(figures, timing.RESULTS / "curation.png")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())

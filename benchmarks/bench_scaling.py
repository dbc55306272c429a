"""What a million images cost: processor time and bytes per image of curation, at two sizes.

Run `python -m benchmarks.bench_scaling [--images 400 1600]`. Portraits are drawn, imported and curated with the stages
of the recipe `majors`, each size in a process of its own; processor time does not depend on what else the machine
does. The slope between the sizes is what one more image costs; the rest is starting up. Deciding is no slope, neither
its time (drawn portraits look alike, so that most of it goes into comparing pairs) nor its memory: bench_curation
measures both at a million rows. Writes benchmarks/results/scaling.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

RESULTS = REPOSITORY / "benchmarks" / "results" / "scaling.json"
RECIPE = """
[recipe]
title = "Drawn portraits"
sources = ["drawn"]
subject_kind = "person"
slots = ["portrait"]
[stages.quality]
[stages.hashes]
[stages.faces]
[stages.crops]
size_px = 128
face_frac = 0.6
[stages.thumbnails]
[stages.samples]
region = "face"
min_side_px = 48
min_face_px = 32
[stages.duplicates]
copy_prob = 0.95
[stages.labels]
[stages.groups]
[splits]
kind = "ratios"
ratios = { train = 0.7, validation = 0.2, test = 0.1 }
stratify = ["label"]
seed = 1
"""
CURATE = """
import json, os, resource
from catalog.config import load_config
from flows import steps
def cpu_s(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime
config = load_config(os.environ)
curated = steps.curate_recipe(config, "drawn")
decide_s = cpu_s(resource.RUSAGE_SELF)
measure_s = cpu_s(resource.RUSAGE_CHILDREN)
steps.curate_recipe(config, "drawn")
print(json.dumps({"measure_cpu_s": measure_s, "decide_cpu_s": decide_s,
                  "again_cpu_s": cpu_s(resource.RUSAGE_SELF) - decide_s, "kept": curated.counts["kept_count"],
                  "decide_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""
"""Measuring runs in a worker process, deciding in the one that is asked: so each is counted by itself."""


def draw_portraits(folder: Path, count: int) -> None:
    """Draw portraits as two class folders."""
    from sampleweb.pictures import Picture, render

    for number in range(count):
        path = folder / ("cs", "econ")[number % 2] / f"{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        body, _ = render(Picture(kind="portrait", seed=(9, number, 0), field="cs", size=(320, 400)))
        path.write_bytes(body)


def measure(folder: Path, count: int) -> dict[str, Any]:
    """Curate so many portraits in one process, and a second time with nothing new."""
    root = folder / f"root-{count}"
    environment = {**os.environ, "GLEANERY_ROOT": str(root), "GLEANERY_WORKERS": "1", "OMP_NUM_THREADS": "1"}
    draw_portraits(folder / str(count), count)
    (root / "recipes").mkdir(parents=True)
    (root / "recipes" / "drawn.toml").write_text(RECIPE)
    importing = [sys.executable, "-m", "flows.cli", "import", str(folder / str(count)), "--layout", "classes"]
    quiet: dict[str, Any] = {"cwd": REPOSITORY, "env": environment, "check": True}
    subprocess.run([*importing, "--name", "drawn"], stdout=subprocess.DEVNULL, **quiet)
    done = subprocess.run([sys.executable, "-c", CURATE], stdout=subprocess.PIPE, text=True, **quiet)
    sizes = {
        f"{part}_bytes": sum(path.stat().st_size for path in (root / part).rglob("*") if path.is_file())
        for part in ("blobs", "derived")
    }
    catalog_bytes = (root / "catalog.db").stat().st_size
    return {"images": count, **json.loads(done.stdout), **sizes, "catalog_bytes": catalog_bytes}


def per_image(small: dict[str, Any], large: dict[str, Any]) -> dict[str, float]:
    """What one more image costs."""
    more = large["images"] - small["images"]
    names = (
        "measure_cpu_s",
        "blobs_bytes",
        "derived_bytes",
        "catalog_bytes",
    )
    return {name: (large[name] - small[name]) / more for name in names}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs=2, default=(400, 1600))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gleanery-scaling-") as name:
        small, large = (measure(Path(name), count) for count in sorted(arguments.images))
    one = per_image(small, large)
    result = {
        "sizes": [small, large],
        "per_million": {
            "measure_cpu_hours": round(one["measure_cpu_s"] * 1e6 / 3600, 1),
            "blobs_gib": round(one["blobs_bytes"] * 1e6 / 2**30, 1),
            "derived_gib": round(one["derived_bytes"] * 1e6 / 2**30, 1),
            "catalog_gib": round(one["catalog_bytes"] * 1e6 / 2**30, 1),
        },
    }
    print(json.dumps(result, indent=1))
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

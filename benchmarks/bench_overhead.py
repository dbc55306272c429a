"""What Prefect costs: `gleanery curate` under it beside the same without it, and a flow with nothing new to do.

Run `python -m benchmarks.bench_overhead [--images 20000]`. It imports drawn pictures once, then curates two fresh
derived folders in turn, first plain, then as a run of the deployment `curate/curate` on real services, for a few
rounds; and starts the deployment once more with nothing new. Writes benchmarks/results/overhead.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

RESULTS = REPOSITORY / "benchmarks" / "results" / "overhead.json"
RECIPE = """
[recipe]
title = "Drawn pictures"
sources = ["drawn"]
subject_kind = "person"
slots = ["portrait"]
[stages.quality]
[stages.hashes]
[stages.thumbnails]
[stages.samples]
region = "image"
[stages.duplicates]
"""
SIDE_PX = 160


def draw_pictures(folder: Path, count: int) -> None:
    """Draw pictures that differ, as class folders of a hundred."""
    rng = np.random.default_rng(1)
    for number in range(count):
        coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        path = folder / f"class{number // 100:04d}" / f"{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC).save(path, quality=88)


class Bench:
    """A data root with pictures, and services of its own."""

    def __init__(self, folder: Path, count: int) -> None:
        from sampleweb.server import free_port

        self.root = folder / "root"
        self.environment = {
            **os.environ,
            "GLEANERY_ROOT": str(self.root),
            "GLEANERY_PREFECT_PORT": str(free_port()),
            "GLEANERY_WEB_PORT": str(free_port()),
        }
        draw_pictures(folder / "pictures", count)
        (self.root / "recipes").mkdir(parents=True)
        (self.root / "recipes" / "drawn.toml").write_text(RECIPE)
        self.run("import", str(folder / "pictures"), "--layout", "classes", "--name", "drawn")

    def run(self, *arguments: str) -> None:
        """Run a command; raises CalledProcessError with what it said where it fails."""
        command = [sys.executable, "-m", "flows.cli", *arguments]
        subprocess.run(command, cwd=REPOSITORY, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def forget(self) -> None:
        """Throw the derived results away."""
        shutil.rmtree(self.root / "derived", ignore_errors=True)

    def plain_s(self) -> float:
        """Curate without Prefect, as a command."""
        started_s = time.monotonic()
        self.run("curate", "drawn", "--json")
        return time.monotonic() - started_s

    def flow_s(self) -> float:
        """Curate as a run of the deployment, from the request to the end of the run."""
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry

        web = requests.Session()  # the server says 503 while its SQLite is busy
        again = Retry(total=30, backoff_factor=0.3, backoff_max=5, status_forcelist=[503], allowed_methods=None)
        web.mount("http://", HTTPAdapter(max_retries=again))
        api = f"http://127.0.0.1:{self.environment['GLEANERY_PREFECT_PORT']}/api"
        deployment = web.get(f"{api}/deployments/name/curate/curate", timeout=30).json()["id"]
        started_s = time.monotonic()
        order = {"parameters": {"recipe": "drawn"}}
        run = web.post(f"{api}/deployments/{deployment}/create_flow_run", json=order, timeout=30).json()["id"]
        while True:
            state = web.get(f"{api}/flow_runs/{run}", timeout=60).json()["state"]
            if state["type"] == "COMPLETED":
                return time.monotonic() - started_s
            if state["type"] in ("FAILED", "CRASHED", "CANCELLED"):
                raise RuntimeError(f"the run ended as {state}")
            time.sleep(0.2)


def measure(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """Measure in turn, so that a busy machine is busy for both."""
    bench = Bench(folder, count)
    bench.run("up", "--detach")
    try:
        plain, flow = [], []
        for _ in range(rounds):
            bench.forget()
            plain.append(bench.plain_s())
            bench.forget()
            flow.append(bench.flow_s())
        nothing_new = [bench.flow_s() for _ in range(rounds)]
        plain_again = [bench.plain_s() for _ in range(rounds)]
    finally:
        bench.run("down")
    base, under = statistics.median(plain), statistics.median(flow)
    return {
        "images": count,
        "rounds": rounds,
        "cores": len(os.sched_getaffinity(0)),
        "load_at_end": round(os.getloadavg()[0], 1),
        "plain_s": [round(value, 1) for value in plain],
        "flow_s": [round(value, 1) for value in flow],
        "overhead_s": round(under - base, 1),
        "allowed_s": round(0.05 * base + 10, 1),
        "flow_with_nothing_new_s": [round(value, 1) for value in nothing_new],
        "plain_with_nothing_new_s": [round(value, 1) for value in plain_again],
        "is_within_goal": under - base <= 0.05 * base + 10 and statistics.median(nothing_new) < 15,
    }


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gleanery-overhead-") as name:
        result = measure(Path(name), arguments.images, arguments.rounds)
    print(json.dumps(result, indent=1))
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

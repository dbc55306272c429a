"""What Prefect costs: `gleanery curate` under it beside the same without it, and a flow with nothing new to do.

Run `python -m benchmarks.bench_overhead [--images 20000]`. It imports drawn pictures once, then curates two fresh
derived folders in turn, first plain, then as a run of the deployment `curate/curate` on real services, for a few
rounds; then both again with nothing new. Takes wall and processor seconds, as a busy machine stretches the first.
Writes benchmarks/results/overhead.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from catalog.config import load_config  # noqa: E402
from flows.services import load_state  # noqa: E402
from tests.e2e.command_line import command_line  # noqa: E402
from tests.e2e.prefect_server import PrefectServer  # noqa: E402

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


@dataclass(frozen=True)
class Cost:
    """What one curation took."""

    wall_s: float
    cpu_s: float
    """Of all processes that worked on it; under Prefect also of server, workers and web app meanwhile."""


class Bench:
    """A data root with pictures, and services of its own."""

    def __init__(self, folder: Path, count: int) -> None:
        self.line = command_line(folder / "root")
        draw_pictures(folder / "pictures", count)
        (self.line.root / "recipes").mkdir(parents=True)
        (self.line.root / "recipes" / "drawn.toml").write_text(RECIPE)
        self.line.run("import", str(folder / "pictures"), "--layout", "classes", "--name", "drawn")

    def forget(self) -> None:
        """Throw the derived results away."""
        shutil.rmtree(self.line.root / "derived", ignore_errors=True)

    def plain(self) -> Cost:
        """Curate without Prefect, as a command."""
        started_s, before_s = time.monotonic(), _children_cpu_s()
        self.line.run("curate", "drawn", "--json")
        return Cost(time.monotonic() - started_s, _children_cpu_s() - before_s)

    def flow(self) -> Cost:
        """Curate as a run of the deployment, from the request to the end of the run."""
        server = PrefectServer.of(self.line)
        started_s, before_s = time.monotonic(), self._services_cpu_s()
        state = server.ended(server.start("curate/curate", recipe="drawn"), patience_s=3600)
        wall_s = time.monotonic() - started_s
        if state["type"] != "COMPLETED":
            raise RuntimeError(f"the run ended as {state}")
        while _has_children(self._services()["worker-cpu"]):
            time.sleep(0.1)  # the run's processor time counts once its worker has seen it end
        return Cost(wall_s, self._services_cpu_s() - before_s)

    def _services(self) -> dict[str, int]:
        state = load_state(load_config(self.line.environment, self.line.root))
        services: dict[str, int] = state["services"] if state else {}
        return services

    def _services_cpu_s(self) -> float:
        return sum(_cpu_s(pid) for pid in self._services().values())


def _has_children(pid: int) -> bool:
    """Tell whether a process has children, ended ones among them that it has not seen end."""
    return any((thread / "children").read_text().strip() for thread in Path(f"/proc/{pid}/task").iterdir())


def _cpu_s(pid: int) -> float:
    """Processor seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """Measure in turn, so that a busy machine is busy for both."""
    bench = Bench(folder, count)
    bench.line.run("up", "--detach")
    costs: dict[str, list[Cost]] = {"plain": [], "flow": [], "plain_with_nothing_new": [], "flow_with_nothing_new": []}
    try:
        for _ in range(rounds):
            bench.forget()
            costs["plain"].append(bench.plain())
            bench.forget()
            costs["flow"].append(bench.flow())
        for _ in range(3):
            costs["plain_with_nothing_new"].append(bench.plain())
            costs["flow_with_nothing_new"].append(bench.flow())
    finally:
        bench.line.run("down")
    wall = {name: statistics.median(cost.wall_s for cost in taken) for name, taken in costs.items()}
    cpu = {name: statistics.median(cost.cpu_s for cost in taken) for name, taken in costs.items()}
    return {
        "images": count,
        "rounds": rounds,
        "cores": len(os.sched_getaffinity(0)),
        "load_at_end": round(os.getloadavg()[0], 1),
        "wall_s": {name: [round(cost.wall_s, 1) for cost in taken] for name, taken in costs.items()},
        "cpu_s": {name: [round(cost.cpu_s, 1) for cost in taken] for name, taken in costs.items()},
        "overhead_wall_s": round(wall["flow"] - wall["plain"], 1),
        "overhead_cpu_s": round(cpu["flow"] - cpu["plain"], 1),
        "allowed_s": round(0.05 * wall["plain"] + 10, 1),
        "is_within_goal": wall["flow"] - wall["plain"] <= 0.05 * wall["plain"] + 10
        and wall["flow_with_nothing_new"] < 15,
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

"""Timing for benchmarks: contestants take turns, so that a busy machine slows all alike; ratios are what counts."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
VENVS = Path(__file__).parent / ".venvs"
PEERS = ("imagededup==0.3.3.post2", "cleanvision==0.3.7", "faiss-cpu==1.15.1")
"""What cannot stand beside our pins, or is too large to be a dependency for a benchmark's sake."""


def cpu_seconds() -> float:
    """CPU time of this process and of its children that ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Run once: wall and CPU seconds."""
    begun, begun_cpu = time.perf_counter(), cpu_seconds()
    work()
    return {"wall_s": time.perf_counter() - begun, "cpu_s": cpu_seconds() - begun_cpu}


def alternating(contestants: Mapping[str, Callable[[], Any]], rounds: int, clock: str = "cpu_s") -> dict[str, float]:
    """Run all in turn, several times: median seconds each.

    Args:
        contestants: name -> work.
        rounds: how often each runs.
        clock: `cpu_s` or `wall_s`.
    """
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            spent[name].append(timed(work)[clock])
    return {name: statistics.median(times) for name, times in spent.items()}


def peer_python() -> Path:
    """Give the interpreter of the peers' own environment, made on first use (some minutes)."""
    python = VENVS / "peers" / "bin" / "python"
    if not (VENVS / "peers" / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", VENVS / "peers"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEERS], check=True)
        (VENVS / "peers" / "done").touch()
    return python


def run_peer(what: str, *arguments: Any) -> dict[str, Any]:
    """Run one contestant of `peer_runs.py` there; gives what it prints (JSON), with its CPU and wall seconds."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    script = Path(__file__).parent / "peer_runs.py"
    done = subprocess.run(
        [peer_python(), script, what, *map(str, arguments)], env=environment, check=True, stdout=subprocess.PIPE
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def pin_threads() -> None:
    """Hold this process to one thread, as a worker is; to be called before numpy is imported."""
    from curation.executors import ONE_THREAD

    os.environ.update(ONE_THREAD)


def keep(name: str, figures: Mapping[str, Any]) -> None:
    """Store the figures of a run."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def print_table(title: str, header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Print rows under a title, in columns."""
    cells = [header, *[tuple(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    print(f"\n{title}")
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_speeds(title: str, spent: Mapping[str, tuple[int, float]], bases: Mapping[str, str] | None = None) -> None:
    """Print how fast contestants were.

    Args:
        title: stands above.
        spent: name -> (pictures, CPU seconds).
        bases: further column -> the contestant whose speed it divides by.
    """
    speeds = {name: count / seconds for name, (count, seconds) in spent.items()}
    columns = bases or {}
    rows = [
        (name, seconds, speeds[name], *(speeds[name] / speeds[base] for base in columns.values()))
        for name, (_, seconds) in spent.items()
    ]
    print_table(title, ("what", "CPU s", "pictures/s", *columns), rows)


Goals = Mapping[str, tuple[float, str, float]]
"""What -> (reached, `>=` or `<=`, asked)."""


def as_json(goals: Goals) -> dict[str, Any]:
    """Write goals for a results file."""
    return {name: {"reached": reached, "goal": f"{sign} {asked}"} for name, (reached, sign, asked) in goals.items()}


def print_goals(goals: Goals) -> bool:
    """Print goals; tells whether all are met."""
    is_met = {
        name: reached >= asked if sign == ">=" else reached <= asked for name, (reached, sign, asked) in goals.items()
    }
    rows = [(name, goals[name][0], *goals[name][1:], "met" if is_met[name] else "MISSED") for name in goals]
    print_table("goals", ("what", "reached", "", "goal", ""), rows)
    return all(is_met.values())

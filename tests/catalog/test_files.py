from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from catalog import files


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.write_text(path, "old")

    def write_half() -> None:
        with files.replacing(path) as temporary:
            temporary.write_text("ne")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    assert path.read_text() == "old"


def test_a_kill_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.write_text(path, "old")
    code = (
        "import pathlib, sys, time; from catalog import files\n"
        f"with files.replacing(pathlib.Path({str(path)!r})) as t:\n"
        "    t.write_text('ne'); print('half', flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert child.stdout is not None
    assert child.stdout.readline() == b"half\n"
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert path.read_text() == "old"
    assert files.remove_partial(tmp_path) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]

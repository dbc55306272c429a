from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flows.devices import device

REPOSITORY = Path(__file__).resolve().parents[2]


def test_two_trainings_get_two_devices_and_a_third_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    third: list[int] = []
    with device(tmp_path, 2) as first:
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "4"
        with device(tmp_path, 2) as second:
            assert (first, second) == (0, 1)

            def wait_for_one() -> None:
                with device(tmp_path, 2) as number:
                    third.append(number)

            waiter = threading.Thread(target=wait_for_one)
            waiter.start()
            assert third == []
        waiter.join(10)
    assert third == [1]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,7"


def test_a_killed_training_gives_its_device_back(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from flows.devices import device\n"
        "with device(pathlib.Path(sys.argv[1]), 1):\n    os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=REPOSITORY, check=False)
    with device(tmp_path, 1) as number:
        assert number == 0

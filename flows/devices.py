"""One training per device: a device is held by a lock that falls with the process, however that ends."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOK_EVERY_S = 0.5


def devices_count() -> int:
    """Count the GPUs of this machine, or 1 for its processors where there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 1
    answer = subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, timeout=20, check=False)
    return max(1, sum(line.startswith("GPU ") for line in answer.stdout.splitlines()))


@contextmanager
def device(folder: Path, count: int) -> Iterator[int]:
    """Hold a free device, waiting for one; CUDA sees no other while the block runs.

    Args:
        folder: where the locks stand, shared by all processes of the machine.
        count: devices that there are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = None
    while held is None:
        held = _first_free(folder, count)
        if held is None:
            time.sleep(_LOOK_EVERY_S)
    number, handle = held
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    visible = before.split(",") if before else [str(index) for index in range(count)]
    os.environ["CUDA_VISIBLE_DEVICES"] = visible[number] if number < len(visible) else visible[-1]
    try:
        yield number
    finally:
        if before is None:
            del os.environ["CUDA_VISIBLE_DEVICES"]
        else:
            os.environ["CUDA_VISIBLE_DEVICES"] = before
        os.close(handle)


def _first_free(folder: Path, count: int) -> tuple[int, int] | None:
    for number in range(count):
        handle = os.open(folder / f"device-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        return number, handle
    return None

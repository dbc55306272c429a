"""One training per device: a device is held by a lock that falls with the process, however that ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from catalog.file_locks import lock_file, try_lock

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
    with ExitStack() as held:
        while (number := _first_free(folder, count, held)) is None:
            time.sleep(_LOOK_EVERY_S)
        with _only_visible(number, count):
            yield number


@contextmanager
def _only_visible(number: int, count: int) -> Iterator[None]:
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    visible = before.split(",") if before else [str(index) for index in range(count)]
    os.environ["CUDA_VISIBLE_DEVICES"] = visible[number] if number < len(visible) else visible[-1]
    try:
        yield
    finally:
        if before is None:
            del os.environ["CUDA_VISIBLE_DEVICES"]
        else:
            os.environ["CUDA_VISIBLE_DEVICES"] = before


def _first_free(folder: Path, count: int, held: ExitStack) -> int | None:
    """Lock the first device that is free; the lock is held as long as `held` is."""
    for number in range(count):
        with ExitStack() as tried:
            handle = tried.enter_context(lock_file(folder / f"device-{number}.lock"))
            if try_lock(handle):
                held.push(tried.pop_all())
                return number
    return None

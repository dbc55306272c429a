"""No picture may hold a worker up: one that takes too long is accused, and the worker ends and is replaced.

The accusation is an empty file beside the parts of the shard. Whoever takes the shard up again gives that picture a
row instead of a second try. Pictures that crash a worker at once cannot be accused; those the engine finds by halving.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from types import TracebackType
from typing import Self

from curation.derived import DerivedFolder

IMAGE_LIMIT_S = 5.0
"""CPU seconds that one picture may take to decode, and to measure: a hundred megapixels take about three in all."""
_LOOK_S = 0.25
ACCUSED = "hung-"
"""Prefix of the files' names; the image id follows."""


class Watch:
    """Watches the image that this worker is at.

    Only in worker processes: where shards run inline there is nobody who could go on.

    Args:
        folder: where accusations are written.
    """

    def __init__(self, folder: DerivedFolder) -> None:
        self._folder = folder
        self._done = threading.Event()
        self._now: tuple[str, float] = ("", 0.0)
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        if multiprocessing.parent_process() is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._done.set()

    def begin(self, image_id: str) -> None:
        """Say which image is worked on from now; its time starts."""
        self._now = image_id, time.process_time()

    def _look(self) -> None:
        while not self._done.wait(_LOOK_S):
            image_id, begun_s = self._now
            # CPU time of the process, which has one job: a machine that is busy elsewhere accuses nobody.
            if image_id and time.process_time() - begun_s > IMAGE_LIMIT_S:
                self._folder.write(f"{ACCUSED}{image_id}", b"")
                os._exit(1)


def accused(folder: DerivedFolder) -> set[str]:
    """List the images that workers died of by the clock."""
    return {name.removeprefix(ACCUSED) for name in folder.names(ACCUSED)}

"""What the services watch without a flow run: free space on the data root's disk, and the size of their logs.

Knows the server by its address alone, so that the supervising process does not load Prefect.
"""

from __future__ import annotations

import shutil
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from catalog.config import Config

DISK_LOW = "gleanery.disk.low"
"""Name of the event."""
HEARTBEAT_S = 30
"""How often a flow run gives a sign of life: the least that Prefect allows."""
_LOOK_EVERY_S = 60.0
_TELL_AGAIN_S = 6 * 3600.0
_LOG_MAX_BYTES = 20 * 2**20


class Watch:
    """Looks now and then; call `look` in a loop.

    Args:
        config: settings; `disk_min_gib` is the least free space.
        api: address of the Prefect API.
        log_folder: logs that are kept from growing for ever.
    """

    def __init__(self, config: Config, api: str, log_folder: Path) -> None:
        self._config = config
        self._api = api
        self._log_folder = log_folder
        self._next_look_s = 0.0
        self._quiet_until_s = 0.0

    def look(self) -> None:
        """Look if it is time to; tells of a full disk once, and again every six hours while it stays so."""
        now_s = time.monotonic()
        if now_s < self._next_look_s:
            return
        self._next_look_s = now_s + _LOOK_EVERY_S
        for log in self._log_folder.glob("*.log"):
            shorten_log(log)
        free_gib = shutil.disk_usage(self._config.root).free / 2**30
        if free_gib >= self._config.disk_min_gib:
            self._quiet_until_s = 0.0
        elif now_s >= self._quiet_until_s and self._tell_disk(free_gib):
            self._quiet_until_s = now_s + _TELL_AGAIN_S

    def _tell_disk(self, free_gib: float) -> bool:
        import requests

        event = {
            "id": str(uuid.uuid4()),
            "occurred": datetime.now(UTC).isoformat(),
            "event": DISK_LOW,
            "resource": {"prefect.resource.id": "gleanery.disk.data-root"},
            "payload": {
                "detail": f"{free_gib:.1f} GiB are free, {self._config.disk_min_gib} GiB are wanted",
                "free_gib": round(free_gib, 1),
            },
        }
        auth = tuple(self._config.auth.split(":", 1)) if self._config.auth else None
        try:
            return bool(requests.post(f"{self._api}/events", json=[event], timeout=5, auth=auth).ok)  # type: ignore[arg-type]
        except requests.RequestException:
            return False  # told at the next look


def shorten_log(path: Path, max_bytes: int = _LOG_MAX_BYTES) -> bool:
    """Move a log that has grown too long to `<name>.1` and begin it anew; tells whether it was done.

    Its writer holds the file open for appending and goes on at the new beginning.
    """
    if not path.exists() or path.stat().st_size <= max_bytes:
        return False
    shutil.copyfile(path, path.with_name(f"{path.name}.1"))
    with path.open("r+b") as stream:
        stream.truncate(0)
    return True

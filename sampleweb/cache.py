"""Keeps drawn pictures, in memory and if wanted on disk, so that a second start serves at once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from threading import Lock

from sampleweb.pictures import Picture, render
from sampleweb.world import VERSION


class RenderCache:
    """Bodies by description.

    Args:
        folder: where they are kept; None keeps them in memory alone.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._bodies: dict[Picture, tuple[bytes, str]] = {}
        self._lock = Lock()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def get(self, picture: Picture) -> tuple[bytes, str]:
        """Give bytes and content type as `sampleweb.pictures.render` does."""
        with self._lock:  # drawing is Python: two threads at once would only be slower
            if picture not in self._bodies:
                self._bodies[picture] = self._load(picture)
            return self._bodies[picture]

    def _load(self, picture: Picture) -> tuple[bytes, str]:
        if self._folder is None:
            return render(picture)
        path = self._folder / hashlib.sha256(f"{VERSION} {picture!r}".encode()).hexdigest()[:24]
        if path.exists():
            content_type, _, body = path.read_bytes().partition(b"\n")
            return body, content_type.decode()
        body, kind = render(picture)
        temporary = path.with_suffix(f".{os.getpid()}.part")
        temporary.write_bytes(kind.encode() + b"\n" + body)
        temporary.replace(path)
        return body, kind

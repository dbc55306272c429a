"""Looking once more: does any file under the data root still show the trace?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from catalog.ids import is_image_id, sha256_hex
from curation.places import Places
from curation.takedown.results import clear_derived, file_shows
from curation.takedown.trace import Trace

_PRIVATE = "open"
"""Under `takedowns/`: the request itself, wiped last."""
_SKIPPED = ("sampleweb",)


def leftovers(places: Places, trace: Trace) -> list[str]:
    """List what still holds a name, an address, an id or the bytes of a trace: files of the data root, and stores."""
    root = places.root.root
    gone = [f"blob {sha256[:8]}..." for sha256 in (*trace.images, *trace.bodies) if sha256 in places.blobs]
    if "://" in places.derived.location and clear_derived(places, trace, write=False):
        gone.append(places.derived.location)
    return gone + [path.relative_to(root).as_posix() for path in _files(places) if _is_left(path, places, trace)]


def _files(places: Places) -> Iterator[Path]:
    root = places.root
    for folder in sorted(root.root.iterdir()):
        if folder.is_file():
            yield folder
        elif folder.name not in _SKIPPED:
            yield from (
                path
                for path in sorted(folder.rglob("*"))
                if path.is_file() and not path.is_relative_to(root.takedowns / _PRIVATE)
            )


def _is_left(path: Path, places: Places, trace: Trace) -> bool:
    if path.is_relative_to(places.root.blobs) and is_image_id(path.name):
        if path.name in trace.images or path.name in trace.bodies:
            return True
        body = path.read_bytes()
        # A picture's bytes spell names by chance only; a saved page is text.
        return b"\0" not in body[:1024] and file_shows(path, trace)
    if path.suffix == ".jpg" and trace.images:
        return sha256_hex(path.read_bytes()) in trace.images
    return file_shows(path, trace)

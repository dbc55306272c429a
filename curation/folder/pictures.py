"""The pictures of a folder, and what the measure engine says of them.

The engine reads blobs by their sha256. A plain folder has none, so a working folder is filled with links named by
content; derived results go there too. Nothing is written into the folder that is looked at.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.errors import UsageError
from catalog.recipe import Recipe
from curation.engine import MeasurePlan, Signals, measure_images, plan_measures
from curation.executors import Executor

Progress = Callable[[str, int, int], None]
"""(what, done, to do)"""

SUFFIXES = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".avif", ".heic", ".bmp", ".dib", ".tif", ".tiff",
        ".pgm", ".ppm", ".pbm", ".pnm", ".ico", ".jp2", ".svg",
    }
)  # fmt: skip
"""Files of these names are taken for pictures, whatever they hold."""
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\x00", b"MM\x00*")
"""And files without a suffix that begin like one."""
MISSING, FORBIDDEN = "file_missing", "file_unreadable"
"""Reasons of files that give no bytes, beside those of `catalog.schema.REASONS`."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Pictures by the names that the user knows them by."""

    folder: Path
    """What the paths are relative to."""
    image_of: Mapping[str, str]
    """Path -> sha256 of its bytes, in path order."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Path -> MISSING or FORBIDDEN."""

    @property
    def paths_of(self) -> dict[str, list[str]]:
        """Image id -> its paths, sorted."""
        found: dict[str, list[str]] = {}
        for path in sorted(self.image_of):
            found.setdefault(self.image_of[path], []).append(path)
        return found


@dataclass(frozen=True, slots=True)
class Measured:
    """Pictures with their signals."""

    listed: Listed
    signals: Signals
    plan: MeasurePlan
    derived: str
    """Where derived results are kept."""

    @property
    def reasons(self) -> dict[str, str]:
        """Path -> why there is no picture."""
        decode = self.signals["decode"]
        bad = dict(zip(decode["image_id"], decode["reason"], strict=True))
        found = {path: bad[image] for path, image in self.listed.image_of.items() if bad[image]}
        return dict(sorted({**found, **self.listed.unread}.items()))


def find_pictures(folder: Path, skip: Path | None = None) -> list[str]:
    """List the picture files below a folder: relative paths with `/`, sorted.

    Hidden files and folders are left out; folders behind symbolic links are not entered.

    Args:
        folder: where to look.
        skip: a folder below it to leave out.

    Raises:
        UsageError: there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"no folder at {folder}")
    skipped = skip.resolve() if skip is not None else None
    found: list[str] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if not name.startswith(".") and (Path(place) / name).resolve() != skipped
        ]
        files = (Path(place) / name for name in names if not name.startswith("."))
        found.extend(path.relative_to(folder).as_posix() for path in files if _is_picture(path))
    return sorted(found)


def _is_picture(path: Path) -> bool:
    if path.suffix.lower() in SUFFIXES:
        return path.is_file() or path.is_symlink()
    if path.suffix or not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(8).startswith(_MAGIC)
    except OSError:
        return False


def list_pictures(folder: Path, paths: Iterable[str], on_progress: Progress = lambda *_: None) -> Listed:
    """Name files by their content.

    Args:
        folder: what the paths are relative to.
        paths: of files; those that cannot be read get a reason.
        on_progress: told of `reading`.
    """
    ordered = sorted(set(paths))
    images: dict[str, str] = {}
    unread: dict[str, str] = {}
    for number, path in enumerate(ordered):
        try:
            with (folder / path).open("rb") as stream:
                images[path] = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            unread[path] = FORBIDDEN if (folder / path).exists() else MISSING
        if number % 100 == 99 or number + 1 == len(ordered):
            on_progress("reading", number + 1, len(ordered))
    return Listed(folder, images, unread)


def measure(
    listed: Listed,
    stages: Mapping[str, Mapping[str, Any]],
    work: Path,
    executor: Executor,
    on_progress: Progress = lambda *_: None,
) -> Measured:
    """Measure pictures by the engine of curation: one decode each, in shards, a row with a reason for a bad one.

    Args:
        listed: the pictures.
        stages: measure stage -> its settings.
        work: folder for links and derived results; what was measured there before is not measured again.
        executor: where shards run.
        on_progress: told of `measuring`.
    """
    blobs = work / "blobs"
    for path, image in listed.image_of.items():
        _link(blobs / image[:2] / image, (listed.folder / path).absolute())
    plan = plan_measures(_recipe(stages))
    images = sorted(set(listed.image_of.values()))
    derived = str(work / "derived")
    measure_images(
        plan, images, str(blobs), derived, executor, lambda done, todo: on_progress("measuring", done, todo)
    )
    return Measured(listed, Signals(plan, derived, images), plan, derived)


def _recipe(stages: Mapping[str, Mapping[str, Any]]) -> Recipe:
    return Recipe(name="folder", title="", purpose="", sources=(), subject_kind="item", slots=(), stages=dict(stages))


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target)


@contextmanager
def working_folder(asked: Path | None) -> Iterator[Path]:
    """Give the folder for links and derived results: the one asked for, which stays, or a passing one."""
    if asked is not None:
        asked.mkdir(parents=True, exist_ok=True)
        yield asked
        return
    with tempfile.TemporaryDirectory(prefix="gleanery-") as passing:
        yield Path(passing)


def readable(measured: Measured) -> Sequence[str]:
    """Image ids of the pictures that decode, sorted."""
    decode = measured.signals["decode"]
    return [str(image) for image in decode.loc[decode["reason"] == "", "image_id"]]

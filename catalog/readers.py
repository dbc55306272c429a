"""Who reads a release while a takedown ends it: readers stop and leave no result, or there is no takedown meanwhile.

Every release has a file with a lock. Readers share it; a takedown writes into the file that it waits, and then holds
it alone. Readers that work for long look at the file as they go, so that nobody waits for the end of a training. The
lock falls with its process; several machines need a shared folder whose locks hold among them (as NFS 4 gives).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import GleaneryError
from catalog.file_locks import lock_file, lock_within, try_lock
from catalog.manifests import MANIFEST
from catalog.paths import DataRoot

_LOOK_EVERY_S = 0.1


class ReleaseEnding(GleaneryError):
    """A takedown is ending the release that is being read; what was made of it so far goes with it."""


@contextmanager
def reading(root: DataRoot, recipe: str, version: str) -> Iterator[Callable[[], None]]:
    """Read a release; yields a function that long work calls as it goes, and that raises where it must stop.

    Raises:
        ReleaseEnding: a takedown ends the release now, was cut off while it did, or has ended it.
    """
    with lock_file(_lock_of(root, recipe, version)) as handle:

        def check() -> None:
            if os.fstat(handle).st_size or not (root.release_folder(recipe, version) / MANIFEST).exists():
                request_id = os.pread(handle, 64, 0).decode()
                raise ReleaseEnding(
                    f"{recipe}@{version}: {request_id or 'a takedown'} ends this release; take the version after it"
                )

        if not try_lock(handle, is_shared=True):
            raise ReleaseEnding(f"{recipe}@{version}: a takedown ends this release now")
        check()
        yield check


@contextmanager
def ending(root: DataRoot, recipe: str, version: str, request_id: str, patience_s: float) -> Iterator[None]:
    """Hold a release alone: tell its readers to stop, and wait until they have.

    A kill leaves the word in the file, so that nobody reads the release until the takedown was finished.

    Args:
        root: data root.
        recipe: of the release.
        version: of the release.
        request_id: of the takedown, for the readers' message.
        patience_s: how long to wait for readers.

    Raises:
        GleaneryError: somebody still reads it.
    """
    with lock_file(_lock_of(root, recipe, version)) as handle:
        os.pwrite(handle, request_id.encode(), 0)
        if not lock_within(handle, patience_s, every_s=_LOOK_EVERY_S):
            raise GleaneryError(
                f"{recipe}@{version} is still being read after {patience_s:.0f} s: stop that training or "
                f"evaluation, then `gleanery takedown --request {request_id}`"
            )
        yield
        os.ftruncate(handle, 0)


def _lock_of(root: DataRoot, recipe: str, version: str) -> Path:
    return root.locks / f"release-{recipe}@{version}.lock"

"""Requests on disk, so that other programs need only an id, and a takedown that was cut off goes on.

`takedowns/open/<id>/` holds the request and, once it is begun, its trace: personal data, readable by its owner alone
(0700, 0600), and gone when the takedown is done. `takedowns/receipts/<id>.json` stays and names nobody.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import CatalogCorrupt, UsageError
from catalog.file_locks import lock_file, try_lock
from catalog.paths import DataRoot

KINDS = ("name", "url", "image", "id")
_REQUEST, _PICTURE = "request.json", "picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asked for."""

    request_id: str
    """`take_<16 hex>`, drawn; says nothing of the person."""
    kind: str
    """One of KINDS."""
    value: str
    """The name, address or id; for `image` the sha256 of the file, which stands beside the request."""
    same_subject: bool
    """Whether the person shown goes altogether, not the named picture or page alone."""
    reason: str
    """For the receipt; names nobody."""
    created_at: str
    is_agreed: bool = False
    """Somebody saw the trace and agreed, or agreed beforehand."""


class Requests:
    """The requests of one data root."""

    def __init__(self, root: DataRoot) -> None:
        self.folder = root.takedowns
        self.receipts = self.folder / "receipts"

    def add(self, request: Request, picture: bytes | None = None) -> None:
        """Keep a request, and the picture that it shows."""
        if picture is not None:
            self.write(request.request_id, _PICTURE, picture)
        self.write(request.request_id, _REQUEST, _json(dataclasses.asdict(request)))

    def load(self, request_id: str) -> Request:
        """Read a request.

        Raises:
            UsageError: there is none, or it is done; says which are open.
        """
        text = self.read(request_id, _REQUEST)
        if text is None:
            done = self.receipt_path(request_id).exists()
            known = "it is done, see its receipt" if done else f"open are: {', '.join(self.open_ids()) or '(none)'}"
            raise UsageError(f"no open takedown {request_id!r}; {known}")
        try:
            return Request(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise CatalogCorrupt(f"takedown {request_id}: {error}") from error

    def picture(self, request_id: str) -> bytes | None:
        """The picture that came with a request."""
        return self.read(request_id, _PICTURE)

    def open_ids(self) -> list[str]:
        """Requests that are not done, oldest first."""
        folders = [path.parent for path in (self.folder / "open").glob(f"*/{_REQUEST}")]
        return [folder.name for folder in sorted(folders, key=lambda folder: (folder.stat().st_ctime, folder.name))]

    def write(self, request_id: str, name: str, data: bytes) -> None:
        """Write one file of an open request, whole, for its owner alone."""
        folder = self._open_folder(request_id)
        folder.mkdir(parents=True, exist_ok=True)
        for each in (folder, folder.parent):
            each.chmod(0o700)
        temporary = folder / f".{name}.part"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(handle)
        temporary.replace(folder / name)

    def read(self, request_id: str, name: str) -> bytes | None:
        """Read one file of an open request; None where there is none."""
        try:
            return (self._open_folder(request_id) / name).read_bytes()
        except FileNotFoundError:
            return None

    def wipe(self, request_id: str) -> None:
        """Remove an open request with all that it held."""
        shutil.rmtree(self._open_folder(request_id), ignore_errors=True)

    def receipt_path(self, request_id: str) -> Path:
        """Where the receipt of a takedown stands."""
        return self.receipts / f"{_checked(request_id)}.json"

    @contextmanager
    def only_one(self) -> Iterator[None]:
        """Let one takedown at a time work.

        Raises:
            UsageError: another one does.
        """
        with lock_file(self.folder / ".lock") as handle:
            if not try_lock(handle):
                raise UsageError("another takedown is at work; wait for it to end")
            yield

    def _open_folder(self, request_id: str) -> Path:
        return self.folder / "open" / _checked(request_id)


def _checked(request_id: str) -> str:
    """Refuse what is no id: it becomes a path."""
    kind, _, digits = request_id.partition("_")
    if kind != "take" or len(digits) != 16 or not digits.isalnum():
        raise UsageError(f"expected the id of a takedown, take_ and 16 digits, found {request_id[:40]!r}")
    return request_id


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()

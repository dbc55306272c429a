"""Names inside a release folder: picture paths and class folders that no label can abuse."""

from __future__ import annotations

import re
import unicodedata

from catalog.ids import digest

NO_LABEL_FOLDER = "_none"
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_LOOKS_DIGESTED = re.compile(r".*-[0-9a-f]{6}")
_UNSAFE = re.compile(r"[^a-z0-9]+")
_DEVICE_NAMES = {"con", "prn", "aux", "nul"}


def class_folder(label: str) -> str:
    """Name the folder of a class: the label itself where it is plain, else a slug and six digits of its digest.

    Labels come from the web and may hold path separators, dots, control characters, or differ only in case, which
    some file systems fold. The digest keeps such labels apart.

    Invariant: one safe path component of [a-z0-9_-], at most 60 characters, and another one for every label.
    """
    if not label:
        return NO_LABEL_FOLDER
    if _PLAIN.fullmatch(label) and not _LOOKS_DIGESTED.fullmatch(label) and label not in _DEVICE_NAMES:
        return label
    ascii_only = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    slug = _UNSAFE.sub("-", ascii_only).strip("-")[:50].strip("-")
    return f"{slug or 'class'}-{digest(label, 6)}"


def picture_path(split: str, label: str, sample_id: str, *, has_class_folders: bool) -> str:
    """Say where a sample's picture stands, relative to the release folder.

    Without class folders (thousands of identities, say) pictures are spread by the first two digits of their id.
    """
    folder = class_folder(label) if has_class_folders else sample_id[:2]
    return f"{split}/{folder}/{sample_id}.jpg"

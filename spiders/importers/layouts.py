"""How folders that already exist are laid out: which subject a file shows, and what is known of it.

A layout is a pure function of the list of files and of the small text files beside them. Paths are relative to the
folder and use `/`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from catalog.errors import UsageError
from catalog.ids import digest

PICTURES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm",
    ".avif", ".heic", ".heif", ".jp2", ".jxl", ".svg",
))  # fmt: skip
"""Extensions that claim to be pictures; what such a file holds is judged by its bytes, in curation."""

_SPLITS = {
    "train": "train", "training": "train", "validation": "validation", "val": "validation", "valid": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
_LFW_NUMBER = re.compile(r"_\d{1,6}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One picture file."""

    path: str
    key: tuple[str, ...]
    """Raw key of its subject."""
    name: str | None = None
    label: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    slot: str | None = None
    """Where it stands; None takes what the kind of subject usually has."""


Files = Sequence[str]
ReadText = Callable[[str], str]
Layout = Callable[[Files, ReadText], list[Entry]]


def is_picture(path: str) -> bool:
    """Tell by its name whether a file claims to be a picture."""
    return PurePosixPath(path).suffix.lower() in PICTURES


def identities(files: Files, read_text: ReadText) -> list[Entry]:
    """A folder per person: `NAME/NAME_0001.jpg`, at any depth; the last folder is the person.

    The label is `person-<8 hex>`, so that no name gets into a release's paths.
    """
    entries = [
        Entry(path=path, key=("identity", parent.name), name=_spaced(parent.name), label=person_label(parent.name))
        for path in files
        if is_picture(path) and (parent := PurePosixPath(path).parent).name
    ]
    return _some(entries, "identities", "a folder per person with pictures in it: NAME/NAME_0001.jpg")


def classes(files: Files, read_text: ReadText) -> list[Entry]:
    """A folder per class: `cs/1.jpg`, or with published splits `train/cs/1.jpg`; each picture is a subject."""
    paths = [path for path in files if is_picture(path) and "/" in path]
    tops = {path.split("/", 1)[0] for path in paths}
    has_splits = bool(tops) and tops <= _SPLITS.keys() and all(path.count("/") >= 2 for path in paths)
    entries = []
    for path in paths:
        parts = path.split("/")
        attributes = {"split": _SPLITS[parts[0]]} if has_splits else {}
        label = parts[1] if has_splits else parts[0]
        entries.append(Entry(path=path, key=("file", path), label=label, attributes=attributes))
    return _some(entries, "classes", "a folder per class with pictures in it: cs/1.jpg or train/cs/1.jpg")


def scut(files: Files, read_text: ReadText) -> list[Entry]:
    """SCUT-FBP5500: pictures and `train_test_files/` with ratings, the published 60/40 split and five folds.

    Attributes: `rating_mean` (1..5), `split` (train or test), `fold` (0..4, in which the picture is tested) and
    `subset` (AF, AM, CF, CM).
    """
    lists = {PurePosixPath(path).as_posix(): path for path in files if path.endswith(".txt")}
    labels = [path for path in lists if PurePosixPath(path).name == "All_labels.txt"]
    if len(labels) != 1:
        raise UsageError(f"layout scut: expected one file All_labels.txt, found {len(labels)}")
    ratings = dict(_rated(read_text(labels[0]), labels[0]))
    splits = {name: split for split, name in _listed(lists, read_text, r"(?:^|/)split_of[^/]*/(train|test)\.txt$")}
    folds = {name: int(n) - 1 for n, name in _listed(lists, read_text, r"cross_validation_(\d)/test_\d\.txt$")}
    pictures = {PurePosixPath(path).name: path for path in files if is_picture(path)}
    entries = []
    for name, path in sorted(pictures.items()):
        known = {"rating_mean": ratings.get(name), "split": splits.get(name), "fold": folds.get(name)}
        attributes = {key: value for key, value in known.items() if value is not None}
        subset = re.match(r"[AC][FM](?=\d)", name)
        attributes |= {"subset": subset[0]} if subset else {}
        entries.append(Entry(path=path, key=("file", name), attributes=attributes))
    return _some(entries, "scut", "Images/ and train_test_files/All_labels.txt")


def lfwcrop(files: Files, read_text: ReadText) -> list[Entry]:
    """LFWcrop: flat `NAME_0001.pgm` files, at any depth, and pair lists beside them."""
    entries = []
    for path in files:
        stem = PurePosixPath(path).stem
        name = _LFW_NUMBER.sub("", stem)
        if is_picture(path) and name != stem:
            entries.append(Entry(path=path, key=("identity", name), name=_spaced(name), label=person_label(name)))
    return _some(entries, "lfwcrop", "flat picture files NAME_0001.pgm")


def index_csv(files: Files, read_text: ReadText) -> list[Entry]:
    """An `index.csv` with id, category, name and a path, or an image_url that is one, or files named by id."""
    if "index.csv" not in files:
        raise UsageError("layout index-csv: expected a file index.csv")
    table = csv.DictReader(io.StringIO(read_text("index.csv"), newline=""))
    columns = set(table.fieldnames or ())
    if not {"id", "category"} <= columns:
        raise UsageError(f"index.csv: expected columns id,category,image_url,name, found {','.join(sorted(columns))}")
    known = set(files)
    by_stem = {PurePosixPath(path).stem: path for path in sorted(files, reverse=True) if is_picture(path)}
    entries = []
    for row in table:
        places = (row.get("path"), row.get("image_url"), by_stem.get(row["id"] or ""))
        path = next((place for place in places if place and place in known), None)
        if path is None:
            raise UsageError(f"index.csv: row {table.line_num}: no file for id {row['id']!r} in the folder")
        name = (row.get("name") or "").strip() or None
        attributes = {"image_url": row["image_url"]} if (row.get("image_url") or "").startswith("http") else {}
        key = ("identity", name) if name else ("row", str(row["id"]))
        entries.append(Entry(path=path, key=key, name=name, label=row["category"] or None, attributes=attributes))
    return _some(entries, "index-csv", "rows with pictures")


def shop(files: Files, read_text: ReadText) -> list[Entry]:
    """A folder per item and colour: `ITEM/seller_1.jpg`, `ITEM/buyer_1.jpg`; the label is the folder."""
    entries = []
    for path in files:
        pure = PurePosixPath(path)
        slot, underscore, _ = pure.stem.partition("_")
        if is_picture(path) and pure.parent.name and underscore and slot in ("seller", "buyer"):
            item = pure.parent.as_posix()
            entries.append(Entry(path=path, key=("item", item), label=item.replace("/", " "), slot=slot))
    return _some(entries, "shop", "a folder per item with ITEM/seller_1.jpg and ITEM/buyer_1.jpg")


LAYOUTS: dict[str, Layout] = {
    "identities": identities,
    "classes": classes,
    "scut": scut,
    "lfwcrop": lfwcrop,
    "index-csv": index_csv,
    "shop": shop,
}
"""By the name that `gleanery import --layout` takes."""


def person_label(name: str) -> str:
    """Name a class of one person without naming the person."""
    return f"person-{digest(['person', name], 8)}"


def _spaced(folder: str) -> str:
    return " ".join(folder.replace("_", " ").split())


def _some(entries: list[Entry], layout: str, expected: str) -> list[Entry]:
    if not entries:
        raise UsageError(f"layout {layout}: expected {expected}; found no such picture")
    return entries


def _rated(text: str, path: str) -> Iterable[tuple[str, float]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, _, rating = line.strip().rpartition(" ")
        try:
            yield name, float(rating)
        except ValueError:
            raise UsageError(f"{path}: line {number}: expected `NAME RATING`, found {line!r}") from None


def _listed(lists: Mapping[str, str], read_text: ReadText, pattern: str) -> Iterable[tuple[str, str]]:
    """Yield (first group of the list's path, picture named in it)."""
    for path in sorted(lists):
        found = re.search(pattern, path)
        if found:
            for name, _ in _rated(read_text(lists[path]), path):
                yield found[1], name

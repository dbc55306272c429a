"""Which split, label and identity each picture has: from a CSV, from lists of file names, or from the folders.

Folders are read only where they leave no doubt. A level of folders is the splits where it has two names or more and
all of them are names of splits; the level below it is the labels, else the one above. Without splits, the first level
is the labels where every picture lies in one of at least two folders.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from catalog.errors import UsageError
from curation.folder.pictures import find_pictures

SPLIT_NAMES = frozenset(
    {
        "train", "training", "trainval", "val", "valid", "validation", "dev", "eval", "evaluation", "test", "testing",
        "holdout", "query", "gallery",
    }
)  # fmt: skip
_PATH_COLUMNS = ("path", "file", "filename", "file_name", "image", "image_path", "filepath", "image_file", "name")
_SPLIT_COLUMNS = ("split", "set", "subset", "partition")
_LABEL_COLUMNS = ("label", "class", "category", "target")
NONE = "none"
"""Said instead of a column: take no labels, even where some could be inferred."""

Values = Mapping[str, tuple[str, ...]]
"""Path -> values; one as a rule, more where a list or table names the picture twice."""


@dataclass(frozen=True, slots=True)
class Roster:
    """Pictures and what is said of them."""

    folder: Path
    paths: tuple[str, ...]
    splits: Values = field(default_factory=dict)
    labels: Values = field(default_factory=dict)
    identities: Values = field(default_factory=dict)
    not_found: tuple[str, ...] = ()
    """Names in lists or tables that no file has."""
    notes: tuple[str, ...] = ()
    """Where splits and labels come from, in words."""


class Names:
    """Finds the picture that a line of a list means: its path, or the only one that ends (or begins) so."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = set(paths)
        self._by_name: dict[str, list[str]] = {}
        for path in paths:
            self._by_name.setdefault(PurePosixPath(path).name, []).append(path)

    def find(self, name: str) -> str | None:
        """Give the path, or None where no picture or more than one is meant."""
        wanted = name.strip().strip('"').replace("\\", "/").removeprefix("./")
        if wanted in self._paths:
            return wanted
        same = self._by_name.get(PurePosixPath(wanted).name, [])
        fitting = [path for path in same if f"/{path}".endswith(f"/{wanted}") or f"/{wanted}".endswith(f"/{path}")]
        return fitting[0] if len(fitting) == 1 else None

    def find_in_line(self, line: str) -> str | None:
        """Give the path that a line begins with; what follows a comma, tab or space is ignored."""
        words = line.split()
        starts = [line, *(line.split(mark)[0] for mark in ("\t", ",", ";"))]
        starts += [" ".join(words[:count]) for count in range(len(words) - 1, 0, -1)]
        return next((path for start in starts if (path := self.find(start)) is not None), None)


def roster_of_folder(
    folder: Path, lists: Mapping[str, Path] | None = None, labels: str | None = None, groups: str | None = None
) -> Roster:
    """Read a folder of pictures.

    Args:
        folder: where they are.
        lists: split -> text file with a file name per line; None infers splits from the folders.
        labels: `folder` (the one a picture lies in), NONE, or None to infer.
        groups: `folder`, or None for no identities.

    Raises:
        UsageError: no such folder or list, a list that names nothing there, or another word for labels or groups.
    """
    for word, option, allowed in ((labels, "--labels", ("folder", NONE)), (groups, "--groups", ("folder",))):
        if word is not None and word not in allowed:
            raise UsageError(f"{option} {word}: for a folder expected {' or '.join(allowed)}; columns are for a CSV")
    paths = find_pictures(folder)
    splits, by_folder, notes = _of_folders(paths)
    not_found: list[str] = []
    if lists:
        splits, not_found = _of_lists(paths, lists)
        notes = [f"splits: from {', '.join(path.name for path in lists.values())}"]
    if labels == "folder":
        by_folder = _parents(paths)
    chosen = {} if labels == NONE else by_folder
    notes.append("labels: the names of folders" if chosen else "labels: none")
    return Roster(
        folder=folder,
        paths=tuple(paths),
        splits=splits,
        labels={path: (label,) for path, label in chosen.items()},
        identities={path: (name,) for path, name in _parents(paths).items()} if groups else {},
        not_found=tuple(not_found),
        notes=tuple(notes),
    )


def _parents(paths: Iterable[str]) -> dict[str, str]:
    return {path: PurePosixPath(path).parent.name for path in paths if "/" in path}


def _of_folders(paths: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], dict[str, str], list[str]]:
    """Infer splits and labels: path -> split, path -> label, and a note where splits were found."""
    parts = {path: PurePosixPath(path).parts[:-1] for path in paths}
    for level in range(max(map(len, parts.values()), default=0)):
        names = _level(parts, level)
        if len(set(names.values())) > 1 and all(name.lower() in SPLIT_NAMES for name in names.values()):
            splits: dict[str, tuple[str, ...]] = {path: (name,) for path, name in names.items()}
            inside = {path: parts[path] for path in names}
            labels = next((found for at in (level + 1, level - 1) if (found := _labels(inside, at))), {})
            return splits, labels, [f"splits: the folders {', '.join(sorted(set(names.values())))}"]
    return {}, _labels(parts, 0), ["splits: none"]


def _level(parts: Mapping[str, tuple[str, ...]], level: int) -> dict[str, str]:
    return {path: folders[level] for path, folders in parts.items() if len(folders) > level}


def _labels(parts: Mapping[str, tuple[str, ...]], level: int) -> dict[str, str]:
    """Names at a level, where every picture has one and there are several."""
    names = _level(parts, level) if level >= 0 else {}
    return names if len(names) == len(parts) and len(set(names.values())) > 1 else {}


def _of_lists(paths: Sequence[str], lists: Mapping[str, Path]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    names = Names(paths)
    splits: dict[str, tuple[str, ...]] = {}
    not_found: list[str] = []
    for split, file in lists.items():
        lines = [line.strip() for line in _text(file).splitlines() if line.strip() and not line.startswith("#")]
        found = [names.find_in_line(line) for line in lines]
        if not any(found):
            example = f", the first says {lines[0]!r}" if lines else ""
            raise UsageError(f"{file}: none of its {len(lines)} lines names a picture of the folder{example}")
        not_found += [line.split()[0] for line, path in zip(lines, found, strict=True) if path is None]
        for path in found:
            if path is not None and split not in splits.get(path, ()):
                splits[path] = (*splits.get(path, ()), split)
    return splits, sorted(set(not_found))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: expected a text file in UTF-8") from error


def roster_of_table(
    file: Path, split: str | None = None, labels: str | None = None, groups: str | None = None, path: str | None = None
) -> Roster:
    """Read a CSV (or TSV) with a header and a row per picture; paths are relative to its folder.

    Args:
        file: the table.
        split: column of the split; None takes one of the usual name, if there is one.
        labels: column of the label, or NONE; None as for split.
        groups: column that no split may part (a name, a patient, an item), or None.
        path: column of the path; None takes one of the usual name.

    Raises:
        UsageError: no such file or column, or none of its rows names a file.
    """
    rows = _rows(file)
    columns = list(rows[0]) if rows else []
    path_column = _column(file, columns, path, _PATH_COLUMNS)
    if path_column is None:
        raise UsageError(f"{file}: no column of paths among {', '.join(columns) or '(none)'}; say which with --path")
    chosen = {
        "splits": _column(file, columns, split, _SPLIT_COLUMNS),
        "labels": None if labels == NONE else _column(file, columns, labels, _LABEL_COLUMNS),
        "identities": _column(file, columns, groups, ()),
    }
    folder = file.parent
    found = _found_paths(folder, [row[path_column] for row in rows])
    values: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in chosen}
    for row in rows:
        for name, column in chosen.items():
            value = row[column].strip() if column is not None else ""
            known = values[name].get(found[row[path_column]], ())
            if value and value not in known:
                values[name][found[row[path_column]]] = (*known, value)
    return Roster(
        folder=folder,
        paths=tuple(sorted(set(found.values()))),
        notes=tuple(f"{name}: column {column}" if column else f"{name}: none" for name, column in chosen.items()),
        splits=values["splits"],
        labels=values["labels"],
        identities=values["identities"],
    )


def _rows(file: Path) -> list[dict[str, str]]:
    text = _text(file)
    header = text.split("\n", 1)[0]
    mark = max(("\t", ";", ","), key=header.count)
    rows = list(csv.DictReader(text.splitlines(), delimiter=mark, restval=""))
    if not rows:
        raise UsageError(f"{file}: expected a header and a row per picture, found no rows")
    return [{str(key): value for key, value in row.items() if key is not None} for row in rows]


def _column(file: Path, columns: Sequence[str], asked: str | None, usual: Sequence[str]) -> str | None:
    if asked is not None:
        if asked not in columns:
            raise UsageError(f"{file}: no column {asked!r}, expected one of: {', '.join(columns)}")
        return asked
    lower = {column.strip().lower(): column for column in reversed(columns)}
    return next((lower[name] for name in usual if name in lower), None)


def _found_paths(folder: Path, written: Sequence[str]) -> dict[str, str]:
    """Map each path as written to one that exists, by its end where need be; others stay as they are."""
    found = {name: name for name in written if (folder / name).is_file()}
    if len(found) < len(set(written)):
        names = Names(find_pictures(folder))
        found |= {name: names.find(name) or name for name in written if name not in found}
    if not any((folder / path).is_file() for path in found.values()):
        raise UsageError(f"none of {len(found)} paths names a file below {folder}, the first is {written[0]!r}")
    return found

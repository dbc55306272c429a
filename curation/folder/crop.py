"""Crop the face of every picture of a folder into another, with a reason for each that gives none.

Pictures go through the engine in batches. What is done stands in an index in the output folder, so that a run that
was killed goes on, and a later one does only what is new. Crops are written by rename; sources are never touched.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from catalog import files
from catalog.errors import UsageError
from catalog.ids import digest
from curation.decisions import records
from curation.executors import Executor
from curation.folder.pictures import Listed, Measured, Progress, find_pictures, list_pictures, measure
from curation.stages.samples import SETTINGS, choose_face

INDEX = ".gleanery-crop.json"
_WORK = ".gleanery-crop.work"
"""In the output folder while work goes on."""
_BATCH = 5000
COLUMNS = ("path", "crop", "reason", "faces_count", "x0", "y0", "x1", "y1", "face_score", "turn_deg")
"""Of the report: box in px of the picture, `reason` empty where there is a crop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CropSettings:
    """How crops are made."""

    size_px: int = 128
    format: str = "jpg"
    face_percent: int = 60
    """Share of the crop's height that the face takes."""
    is_aligned: bool = False
    jpeg_quality: int = 92
    choose: str = "prominent"
    """As the recipe setting of [stages.samples]."""
    min_face_px: int = 16
    max_outside_frac: float = 0.5

    @property
    def stages(self) -> dict[str, dict[str, Any]]:
        """Measure stages and their settings."""
        crops = {
            "size_px": self.size_px,
            "format": self.format,
            "face_frac": self.face_percent / 100,
            "align": self.is_aligned,
            "jpeg_quality": self.jpeg_quality,
            "faces_max": 1,
        }
        return {"faces": {}, "crops": crops}

    @property
    def choice(self) -> dict[str, Any]:
        """Settings of the choice among several faces."""
        own = {
            "choose": self.choose,
            "min_face_px": self.min_face_px,
            "max_outside_frac": self.max_outside_frac,
        }
        return {**SETTINGS, **own}


def crop_folder(
    folder: Path, out: Path, settings: CropSettings, executor: Executor, on_progress: Progress = lambda *_: None
) -> list[dict[str, Any]]:
    """Crop every picture below a folder.

    Args:
        folder: the pictures; its structure is kept.
        out: where crops go, `a/b.png` as `a/b.jpg`.
        settings: how.
        executor: where shards run.
        on_progress: told of `reading` and `measuring`.

    Returns:
        A row of COLUMNS per picture, in path order.

    Raises:
        UsageError: no such folder, no pictures, a setting out of range, or a crop would replace a file that is no
            crop of an earlier run.
    """
    paths = find_pictures(folder, skip=out)
    if not paths:
        raise UsageError(f"no pictures below {folder}")
    listed = list_pictures(folder, paths, on_progress)
    names = output_names(paths, settings.format)
    index = _Index(out, settings)
    _check_targets(folder, out, names, index)
    todo = [path for path in listed.image_of if not index.has(path, listed.image_of[path])]
    index.begin(names)
    work = out / _WORK
    for start in range(0, len(todo), _BATCH):
        batch = Listed(folder, {path: listed.image_of[path] for path in todo[start : start + _BATCH]})
        measured = measure(batch, settings.stages, work, executor, on_progress)
        for row, crop in crop_rows(measured, settings, names):
            if crop is not None:
                files.write_bytes(out / row["crop"], crop)
            index.add(batch.image_of[row["path"]], row)
        index.write()
        shutil.rmtree(work, ignore_errors=True)
    rows = {path: index.row(path) for path in listed.image_of}
    rows |= {path: _row(path, reason=reason) for path, reason in listed.unread.items()}
    return [rows[path] for path in sorted(rows)]


def output_names(paths: Sequence[str], suffix: str) -> dict[str, str]:
    """Name the crop of each picture: its path with the new suffix; behind the old one where two would be the same."""
    named: dict[str, str] = {}
    taken: set[str] = set()
    own = {".jpg", ".jpeg"} if suffix == "jpg" else {".png"}
    for path in sorted(paths, key=lambda path: (PurePosixPath(path).suffix.lower() not in own, path)):
        name = str(PurePosixPath(path).with_suffix(f".{suffix}"))
        while name.lower() in taken:  # also where the file system takes a.jpg and A.jpg for one
            name = f"{path}.{suffix}" if name != f"{path}.{suffix}" else f"{path}.crop.{suffix}"
        taken.add(name.lower())
        named[path] = name
    return named


def _check_targets(folder: Path, out: Path, names: Mapping[str, str], index: _Index) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file, expected a folder for the crops")
    sources = {(folder / path).resolve() for path in names}
    for path, name in names.items():
        target = out / name
        if target.resolve() in sources:
            raise UsageError(f"the crop of {path} would replace a picture, {target}; choose another folder than {out}")
        if target.exists() and name not in index.names:
            raise UsageError(f"{target} exists and is no crop of an earlier run; choose another folder than {out}")


def crop_rows(
    measured: Measured, settings: CropSettings, names: Mapping[str, str]
) -> Iterator[tuple[dict[str, Any], bytes | None]]:
    """Give a report row and the crop, if there is one, of each picture."""
    frames = {name: _by_image(measured, name) for name in ("decode", "faces", "crops")}
    for path, image in measured.listed.image_of.items():
        signals = {name: frame[image] for name, frame in frames.items() if image in frame}
        reason = str(signals["decode"]["reason"])
        if reason or "faces" not in signals:
            yield _row(path, reason=reason or "decode_failed"), None
            continue
        chosen, verdict = choose_face(signals, settings.choice)
        face = signals["faces"]["faces"][chosen] if chosen >= 0 else {}
        facts = {"faces_count": int(signals["faces"]["faces_count"]), "turn_deg": int(signals["faces"]["turn_deg"])}
        crop = None if verdict is not None else _crop_of(signals.get("crops", {}), chosen)
        reason = verdict[0] if verdict is not None else "" if crop is not None else "faces_cut_off"
        yield _row(path, names[path] if crop is not None else "", reason, face, facts), crop


def _by_image(measured: Measured, name: str) -> dict[str, dict[str, Any]]:
    return {row["image_id"]: row for row in records(measured.signals[name])}


def _crop_of(crops: Mapping[str, Any], face_index: int) -> bytes | None:
    found = dict(zip(crops.get("face_indexes", ()), crops.get("jpegs", ()), strict=True))
    return found.get(face_index)


def _row(
    path: str,
    crop: str = "",
    reason: str = "",
    face: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    box = {name: int(face[name]) for name in ("x0", "y0", "x1", "y1")} if face else {}
    score = {"face_score": round(float(face["face_score"]), 4)} if face else {}
    known = {"path": path, "crop": crop, "reason": reason, **box, **score, **(facts or {})}
    return {name: known.get(name) for name in COLUMNS}


class _Index:
    """What stands in the output folder: settings, and per picture its bytes' name and report row."""

    def __init__(self, out: Path, settings: CropSettings) -> None:
        self._path = out / INDEX
        self._out = out
        self._settings = digest([settings.stages, settings.choice], 16)
        known = self._read()
        self.names: set[str] = set(known.get("names", ()))
        """Crops of this and earlier runs, also of one that was killed."""
        is_same = known.get("settings") == self._settings
        self._pictures: dict[str, dict[str, Any]] = known.get("pictures", {}) if is_same else {}

    def _read(self) -> dict[str, Any]:
        if not self._path.is_file():
            return {}
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UsageError(f"{self._path}: not the index of an earlier run ({error}); delete it") from error
        return content if isinstance(content, dict) else {}

    def has(self, path: str, image: str) -> bool:
        """Tell whether a picture was done, from these bytes, and its crop still stands."""
        known = self._pictures.get(path)
        if known is None or known["image_id"] != image:
            return False
        crop = known["row"]["crop"]
        return not crop or (self._out / crop).is_file()

    def row(self, path: str) -> dict[str, Any]:
        """Report row of a picture that was done."""
        row: dict[str, Any] = self._pictures[path]["row"]
        return row

    def begin(self, names: Mapping[str, str]) -> None:
        """Say which crops will be ours, before the first is written."""
        self.names.update(names.values())
        self.write()

    def add(self, image: str, row: dict[str, Any]) -> None:
        """Note that a picture is done."""
        self._pictures[row["path"]] = {"image_id": image, "row": row}

    def write(self) -> None:
        """Write the index, whole or not at all."""
        content = {"settings": self._settings, "names": sorted(self.names), "pictures": self._pictures}
        files.write_text(self._path, json.dumps(content, ensure_ascii=False, sort_keys=True) + "\n")


def write_report(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write report rows as CSV or JSON, by the file's suffix.

    Raises:
        UsageError: another suffix.
    """
    if path.suffix.lower() == ".json":
        files.write_text(path, json.dumps(list(rows), indent=1, ensure_ascii=False) + "\n")
        return
    if path.suffix.lower() != ".csv":
        raise UsageError(f"--report {path}: expected a name that ends in .csv or .json")
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows[0]) if rows else COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    files.write_text(path, stream.getvalue())

"""Taking a trace out of landing and blobs: lines are blanked, files rewritten whole, bytes removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from catalog import files, landing
from catalog.ids import canonical_json, sha256_hex
from curation.places import Places
from curation.takedown.trace import Trace


def clear_landing(places: Places, trace: Trace, *, write: bool) -> int:
    """Blank the lines that name the trace, in finished and unfinished runs; returns how many.

    A line about somebody else that merely mentions it keeps its other facts; a page line forgets its body.
    """
    count = 0
    for folder in landing.iter_run_folders(places.root.landing):
        for name in (landing.RECORDS, landing.ISSUES):
            count += _clear_lines(folder / name, trace, write=write)
        for path in sorted(folder.glob("*.json")):
            count += clear_json(path, trace, write=write)
    return count


def _clear_lines(path: Path, trace: Trace, *, write: bool) -> int:
    if not path.exists():
        return 0
    before = list(landing.iter_rows(path))
    after = [cleared_row(row, trace) for row in before]
    count = sum(one != other for one, other in zip(before, after, strict=True))
    if count and write:
        files.write_text(path, "".join(f"{canonical_json(row)}\n" for row in after))
    return count


def cleared_row(row: dict[str, Any], trace: Trace) -> dict[str, Any]:
    """Give a landed line as it may stay."""
    blanked = {"type": landing.BLANKED}
    kind = row.get("type")
    if kind in ("issue", landing.BLANKED):
        return blanked if kind == landing.BLANKED or trace.needles.found_in(canonical_json(row)) else row
    ids = {"subject": "subject_id", "sighting": "sighting_id", "image": "image_id", "page": "page_id"}
    if row.get(ids.get(str(kind), "")) in trace.needles.ids:
        return blanked
    if kind == "sighting" and (row["subject_id"] in trace.needles.ids or row["image_id"] in trace.images):
        return blanked
    if kind in ("image", "sighting") and trace.needles.found_in(str(row.get("url") or row.get("image_url"))):
        return blanked
    if kind == "page" and row["body_sha256"] in trace.bodies:
        row = {**row, "body_sha256": None}
    scrubbed = scrubbed_value(row, trace)
    assert isinstance(scrubbed, dict)
    # A line whose key fact went with it tells nothing any more.
    return blanked if kind == "page" and scrubbed["url"] is None else {**row, **scrubbed}


def scrubbed_value(value: Any, trace: Trace) -> Any:
    """Give a JSON value without the texts that hold a trace: None in a mapping, left out of a list."""
    if isinstance(value, str):
        return None if trace.needles.found_in(value) else value
    if isinstance(value, list):
        return [each for each in (scrubbed_value(one, trace) for one in value) if each is not None]
    if isinstance(value, dict):
        return {key: scrubbed_value(one, trace) for key, one in value.items() if not trace.needles.found_in(key)}
    return value


def clear_json(path: Path, trace: Trace, *, write: bool) -> int:
    """Scrub the texts of a JSON file; returns 1 where there was something to scrub."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if not trace.needles.found_in(text):
        return 0
    if write:
        value = scrubbed_value(json.loads(text), trace)
        files.write_text(path, json.dumps(_without_none(value), indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    return 1


def _without_none(value: Any) -> Any:
    return {key: "" if one is None else one for key, one in value.items()} if isinstance(value, dict) else value


def clear_blobs(places: Places, trace: Trace, *, write: bool) -> int:
    """Remove pictures and saved pages; returns how many there were."""
    wanted = [*trace.images, *trace.bodies]
    present = [sha256 for sha256 in wanted if sha256 in places.blobs]
    for sha256 in present if write else ():
        places.blobs.delete(sha256)
    return len(present) + _clear_partial(places, set(wanted), write=write)


def _clear_partial(places: Places, wanted: set[str], *, write: bool) -> int:
    """Remove what a killed writer left of such bytes."""
    found = [path for path in _partial_files(places.root.root) if sha256_hex(path.read_bytes()) in wanted]
    for path in found if write else ():
        with suppress(FileNotFoundError):
            path.unlink()
    return len(found)


def _partial_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob(".*.part"):
        if path.is_file():
            yield path

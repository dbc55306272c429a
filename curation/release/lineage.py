"""The whole story of a picture: where it stood, what was measured, decided and answered, and where it went."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pandas as pd

from catalog import tables
from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ids import image_id as image_id_of
from catalog.ids import is_image_id
from catalog.manifests import MANIFEST
from catalog.paths import DataRoot
from catalog.release_format import TOMBSTONE, open_release, version_order
from catalog.suppressions import Suppressions
from curation.contract import Curated


def lineage(catalog: Catalog, curated: Curated, root: DataRoot, picture: str | Path) -> dict[str, Any]:
    """Tell the story of an original picture.

    Args:
        catalog: what was collected and answered.
        curated: what a recipe made of it.
        root: where releases are looked for.
        picture: an image id, a sample id, or the path of a file: with the original bytes, or out of a release, where
            files are named by their sample.

    Returns:
        JSON values: `image_id`, `sightings` (with page, time, permission and subject), `signals`, `samples` (with
        group, side, decisions, verdicts and `why_not_released`), `why_not_in_latest` (of one that is kept now), and
        `releases`.

    Raises:
        UsageError: the picture is not known.
    """
    image_id = _resolve(curated, picture)
    sightings = _sightings(catalog, image_id)
    samples = _rows(curated.tables["samples"], "image_id", image_id)
    if not sightings and not samples:
        if Suppressions.load(catalog).blocks_image(image_id):
            raise UsageError(f"picture {image_id[:16]}... was taken down; nothing of it is kept")
        raise UsageError(f"no picture {image_id} was collected")
    releases = _releases(root, curated.recipe.name, image_id)
    stories = [_sample_story(catalog, curated, sample) for sample in samples]
    return {
        "image_id": image_id,
        "recipe": curated.recipe.name,
        "sightings": sightings,
        "signals": {
            stage: row
            for stage, frame in sorted(curated.signals.items())
            for row in _rows(frame.drop(columns="name", errors="ignore"), "image_id", image_id)[:1]
        },
        "samples": stories,
        "why_no_sample": None if samples else _why_no_sample(curated, image_id),
        "why_not_in_latest": _why_not_in_latest(root, curated.recipe.name, stories, releases),
        "releases": releases,
    }


def _resolve(curated: Curated, picture: str | Path) -> str:
    if isinstance(picture, Path) or not is_image_id(picture):
        path = Path(picture)
        if not path.is_file():
            raise UsageError(f"expected an image id, a sample id or a file, found {str(picture)!r}")
        return _image_of_sample(curated, path.stem) or image_id_of(path.read_bytes())
    return _image_of_sample(curated, picture) or picture


def _image_of_sample(curated: Curated, sample_id: str) -> str | None:
    samples = curated.tables["samples"]
    match = samples.loc[samples["sample_id"] == sample_id, "image_id"]
    return str(match.iloc[0]) if len(match) else None


def _sightings(catalog: Catalog, image_id: str) -> list[dict[str, Any]]:
    found = catalog.frame(tables.sightings, tables.sightings.c.image_id == image_id)
    stories = []
    for sighting in found.sort_values("sighting_id").to_dict("records"):
        pages = _plain(catalog.frame(tables.pages, tables.pages.c.page_id == sighting["page_id"]))
        subjects = _plain(catalog.frame(tables.subjects, tables.subjects.c.subject_id == sighting["subject_id"]))
        fetches = _plain(
            catalog.frame(
                tables.image_fetches,
                tables.image_fetches.c.image_id == image_id,
                tables.image_fetches.c.url == sighting["image_url"],
            )
        )
        stories.append(
            {
                **{name: sighting[name] for name in ("sighting_id", "source", "slot", "rank", "image_url")},
                "page": _pick(pages, ("page_id", "url", "final_url", "fetched_at", "permission")),
                "subject": _pick(subjects, ("subject_id", "kind", "label", "role_class", "is_former")),
                "fetches": [_pick([row], ("fetched_at", "content_type", "permission")) for row in fetches],
                "runs": sorted({sighting["first_run_id"], sighting["last_run_id"]}),
            }
        )
    return stories


def _sample_story(catalog: Catalog, curated: Curated, sample: dict[str, Any]) -> dict[str, Any]:
    sample_id = sample["sample_id"]
    decisions = _rows(curated.decisions, "sample_id", sample_id)
    side = _value(curated.tables.get("splits"), sample_id, "split")
    verdicts = catalog.frame(tables.verdicts, tables.verdicts.c.target_id.in_([sample_id, sample["image_id"]]))
    return {
        "sample_id": sample_id,
        "subject_id": sample["subject_id"],
        "label": sample["label"],
        "box": [sample[f"box_{corner}"] for corner in ("x0", "y0", "x1", "y1")],
        "group_id": _value(curated.tables.get("groups"), sample_id, "group_id"),
        "split": side,
        "decisions": [
            {**_pick([row], ("stage", "outcome", "reason")), "evidence": json.loads(row["evidence"])}
            for row in decisions
        ],
        "verdicts": [
            _pick([row], ("queue", "answer", "reviewer", "answered_at", "model_answer", "model_prob"))
            for row in _plain(verdicts.sort_values("position"))
        ],
        "why_not_released": _why_not_released(decisions, side),
    }


def _why_not_released(decisions: list[dict[str, Any]], side: str | None) -> str | None:
    held = [f"{row['outcome']}: {row['reason']}" for row in decisions if row["outcome"] != "keep"]
    if held:
        return "; ".join(held)
    return None if side else "no side of the split was given to it"


def _why_no_sample(curated: Curated, image_id: str) -> str:
    held = _rows(curated.decisions, "image_id", image_id)
    if held:
        return "; ".join(f"{row['outcome']}: {row['reason']}" for row in held)
    return f"recipe {curated.recipe.name} does not take it (another source, slot, role, or not curated yet)"


def _why_not_in_latest(
    root: DataRoot, recipe: str, samples: list[dict[str, Any]], releases: list[dict[str, Any]]
) -> str | None:
    """Say why a picture that is kept now is not in the newest release: that was built before."""
    if not any(sample["why_not_released"] is None for sample in samples):
        return None
    folders = _whole_releases(root, recipe)
    if not folders:
        return f"no release of {recipe} was built yet"
    latest = folders[-1].name
    if any(release["version"] == latest for release in releases):
        return None
    return f"the newest release, {latest}, was built before this was decided: build it again"


def _whole_releases(root: DataRoot, recipe: str) -> list[Path]:
    folders = [
        folder
        for folder in (root.releases / recipe).glob("*")
        if (folder / MANIFEST).exists() and not (folder / TOMBSTONE).exists()
    ]
    return sorted(folders, key=lambda folder: version_order(folder.name))


def _releases(root: DataRoot, recipe: str, image_id: str) -> list[dict[str, Any]]:
    found = []
    for folder in _whole_releases(root, recipe):
        samples = open_release(folder).samples()
        found += [
            {"version": folder.name, **_pick([row], ("sample_id", "split", "path"))}
            for row in _rows(samples, "image_id", image_id)
        ]
    return found


def _value(frame: pd.DataFrame | None, sample_id: str, column: str) -> str | None:
    if frame is None:
        return None
    values = frame.loc[frame["sample_id"] == sample_id, column].dropna()
    return str(values.iloc[0]) if len(values) else None


def _rows(frame: pd.DataFrame, column: str, value: str) -> list[dict[str, Any]]:
    return _plain(frame[frame[column] == value])


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON values: bytes become their length, arrays lists, NaN None."""
    return [{str(key): _json_value(value) for key, value in row.items()} for row in frame.to_dict("records")]


def _json_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, dict):
        return {key: _json_value(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # numpy arrays and numbers
        value = value.tolist()
    if isinstance(value, list | tuple):
        shown = [_json_value(item) for item in itertools.islice(value, 16)]
        return [*shown, f"... {len(value)} values"] if len(value) > len(shown) else shown
    return None if value is pd.NA or value is pd.NaT or value != value else value


def _pick(rows: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    """The named values of the first row; an empty dict where there is none."""
    return {name: rows[0][name] for name in names} if rows else {}

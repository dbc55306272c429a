"""Suspected label errors: a file that a training run leaves and the review queue `labels` reads.

`runs/<task>/<run>/suspects.json` holds the recipe, the release and one row per sample whose label the out-of-fold
probabilities doubt. It travels as a file, so that training and curation need not know each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog.errors import CatalogCorrupt
from catalog.files import write_text

SUSPECTS = "suspects.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """One sample whose label is doubted."""

    sample_id: str
    image_id: str
    label: str
    """As released."""
    suggested: str
    """The class that the model holds for right."""
    label_prob: float
    """Out-of-fold probability of the label, in [0, 1]."""
    suggested_prob: float
    """Out-of-fold probability of the suggested class, in [0, 1]."""


def write_suspects(run: Path, recipe: str, release: str, suspects: list[Suspect]) -> Path:
    """Write the file into a run's folder, most doubtful first; an empty list is written too."""
    ordered = sorted(suspects, key=lambda one: (one.label_prob - one.suggested_prob, one.sample_id))
    content = {"recipe": recipe, "release": release, "suspects": [asdict(one) for one in ordered]}
    path = run / SUSPECTS
    write_text(path, json.dumps(content, indent=1, sort_keys=True) + "\n")
    return path


def read_suspects(runs: Path, recipe: str) -> Iterator[tuple[str, Suspect]]:
    """Read every run's suspects of a recipe, as (release version, suspect), in order of task and run.

    Raises:
        CatalogCorrupt: a file is not what `write_suspects` writes.
    """
    for path in sorted(runs.glob(f"*/*/{SUSPECTS}")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["recipe"] != recipe:
                continue
            rows = [Suspect(**row) for row in content["suspects"]]
        except (ValueError, KeyError, TypeError) as error:
            raise CatalogCorrupt(f"{path}: not a list of suspects: {error}") from error
        yield from ((str(content["release"]), row) for row in rows)

"""Pairs of pictures that were compared before: comparing by pixels is slow, pure, and never done twice.

A stage that compares says so by `memory_version` and `memory_signals` (the measures whose rows the comparison reads).
What it compared is kept under a key of those, whatever else changes: new pictures, thresholds, verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import pyarrow as pa

from catalog.ids import digest
from catalog.manifests import stage_key
from curation.contract import TableStage
from curation.derived import DerivedFolder

_COLUMNS = ("image_id_a", "image_id_b", "view", "outcome")
"""Two image ids, how the second was shown, and what the comparison gave, as JSON text."""
_PAIRS = "pairs-"
"""Prefix of the files: parts hold one row per image, these do not, and a takedown removes them whole."""
_Key = tuple[str, str, str]


SAVED_AT_ONCE = 500
"""Comparisons after which what is new is written down: a run that is killed loses less than a minute's."""


class Compared:
    """Comparisons known from before, and those added now.

    Args:
        folder: where they are kept, see `memory_folder`; None forgets them.
    """

    def __init__(self, folder: DerivedFolder | None = None) -> None:
        self._folder = folder
        self._known = {} if folder is None else _load(folder)
        self._new: dict[_Key, str] = {}

    def outcome(self, image_a: str, image_b: str, view: str, compare: Callable[[], str]) -> str:
        """Give what a comparison gave before, or compare now.

        Args:
            image_a: id of the one.
            image_b: id of the other; the order is part of the comparison.
            view: how the other is shown; "" as it is.
            compare: makes the outcome, which depends on nothing but the two pictures and the view.
        """
        key = image_a, image_b, view
        if key not in self._known:
            self._known[key] = self._new[key] = compare()
            if len(self._new) >= SAVED_AT_ONCE:
                self.save()
        return self._known[key]

    def save(self) -> None:
        """Write down what is new, as one part named by its content: two runs that compare the same write the same."""
        if self._folder is not None and self._new:
            rows = [(*key, outcome) for key, outcome in sorted(self._new.items())]
            frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype("str")
            name = f"{_PAIRS}{digest([list(row[:3]) for row in rows], 16)}.parquet"
            self._folder.write_table(name, pa.Table.from_pandas(frame, preserve_index=False))
        self._new = {}


def _load(folder: DerivedFolder) -> dict[_Key, str]:
    known: dict[_Key, str] = {}
    for name in folder.names(_PAIRS, ".parquet"):
        table = folder.read_table(name)
        a, b, view, outcome = (table[column].to_pylist() for column in _COLUMNS)
        known.update(zip(zip(a, b, view, strict=True), outcome, strict=True))
    return known


def memory_folder(location: str, stage: TableStage, keys: Mapping[str, str]) -> DerivedFolder | None:
    """Give the folder of what a stage compared; None for stages that compare nothing.

    Args:
        location: of all derived results.
        stage: the stage.
        keys: measure stage -> key.
    """
    version = getattr(stage, "memory_version", 0)
    if not version:
        return None
    inputs = {name: keys[name] for name in getattr(stage, "memory_signals", ()) if name in keys}
    return DerivedFolder(location, "compared", stage_key(f"{stage.name}-compared", version, {}, inputs))

"""What must hold before a release: one function per gate, named as in the recipe's [gates]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalog.db import Catalog
from catalog.errors import GateFailed, ReviewNeeded, UsageError
from curation.contract import Curated
from curation.review.progress import measure_progress

Gate = Callable[[Curated, Catalog, Any], None]
"""(curated, catalog, the recipe's value) -> nothing, or an error."""


def noise_cards(curated: Curated, catalog: Catalog, needed_count: int) -> None:
    """Ask for so many answered noise cards, or all where there are fewer.

    Raises:
        ReviewNeeded: some are missing.
    """
    missing_count = measure_progress(curated, catalog, "noise").missing_count
    if missing_count:
        raise ReviewNeeded("noise", missing_count)


def conflicts(curated: Curated, catalog: Catalog, is_wanted: bool) -> None:
    """Ask that no picture waits for a person because its labels contradict each other.

    Raises:
        ReviewNeeded: some do.
    """
    decisions = curated.decisions
    waiting = decisions[(decisions["outcome"] == "review") & (decisions["reason"] == "labels_conflict")]
    if is_wanted and len(waiting):
        raise ReviewNeeded("labels", waiting["image_id"].nunique())


def images_min(curated: Curated, catalog: Catalog, needed_count: int) -> None:
    """Ask for at least so many samples.

    Raises:
        GateFailed: there are fewer.
    """
    found = len(curated.kept())
    if found < needed_count:
        raise GateFailed(f"recipe {curated.recipe.name}: expected at least {needed_count} samples, found {found}")


GATES: dict[str, Gate] = {gate.__name__: gate for gate in (images_min, noise_cards, conflicts)}
_ALWAYS: dict[str, Any] = {"images_min": 1}
"""An empty data set is never a release."""


def check_gates(curated: Curated, catalog: Catalog) -> None:
    """Hold a release against every gate of its recipe.

    Raises:
        GateFailed: a gate does not hold.
        ReviewNeeded: a gate waits for people.
        UsageError: the recipe names a gate that there is not.
    """
    wanted = {**_ALWAYS, **curated.recipe.gates}
    unknown = sorted(wanted.keys() - GATES.keys())
    if unknown:
        known = ", ".join(sorted(GATES))
        raise UsageError(f"recipe {curated.recipe.name}: unknown gate {', '.join(unknown)}, expected one of: {known}")
    for name, gate in GATES.items():
        if name in wanted:
            gate(curated, catalog, wanted[name])

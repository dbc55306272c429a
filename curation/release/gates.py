"""What must hold before a release: one function per gate, named as in the recipe's [gates].

A gate on answers is named by its queue (`noise_cards = 60`) and holds when so many cards are answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from catalog.db import Catalog
from catalog.errors import GateFailed, ReviewNeeded, UsageError
from curation.contract import Curated
from curation.review.agreement import disagreements, mean_kappa, pair_agreements
from curation.review.progress import measure_progress, queue_cards, read_given
from curation.review.queues.registry import QUEUES

Gate = Callable[[Curated, Catalog, Any], None]
"""(curated, catalog, the recipe's value) -> nothing, or an error."""
KAPPA_CARDS = 20
"""Common cards below which kappa says nothing."""


def _cards_gate(queue: str) -> Gate:
    def gate(curated: Curated, catalog: Catalog, needed_count: int) -> None:
        """Ask for so many answered cards, or all where there are fewer."""
        missing_count = measure_progress(curated, catalog, queue).missing_count
        if missing_count:
            raise ReviewNeeded(queue, missing_count)

    return gate


def conflicts(curated: Curated, catalog: Catalog, is_wanted: bool) -> None:
    """Ask that somebody has settled every picture and person that stands under two labels.

    Raises:
        ReviewNeeded: some wait.
    """
    if is_wanted and "labels" in curated.tables:
        answered = read_given(catalog, "labels").reviewers_of
        waiting = set(curated.tables["labels"]["conflict_id"]) - {"", *answered}
        if waiting:
            raise ReviewNeeded("labels", len(waiting))


def kappa(curated: Curated, catalog: Catalog, wanted: Mapping[str, float]) -> None:
    """Ask that reviewers agree beyond chance: queue -> least mean of Cohen's kappa over all pairs of them.

    It is measured on what stands, so settling disagreements raises it, and on at least `KAPPA_CARDS` common cards (or
    all there are). Where all said the same of those, kappa is undefined and the gate holds.

    Raises:
        ReviewNeeded: too few common cards, or disagreements that nobody settled yet keep it below.
        UsageError: no table of numbers.
    """
    if not isinstance(wanted, Mapping) or not all(isinstance(least, int | float) for least in wanted.values()):
        raise UsageError(f"[gates.kappa]: expected a number per queue, such as noise = 0.7, found {wanted!r}")
    for queue, least in wanted.items():
        targets = {card.target_id for card in queue_cards(curated, queue)}
        given = read_given(catalog, queue)
        standing = {key: answer for key, answer in given.standing.items() if key[0] in targets}
        pairs = pair_agreements(standing)
        missing_count = min(KAPPA_CARDS, len(targets)) - sum(pair.common_count for pair in pairs)
        if missing_count > 0:
            raise ReviewNeeded(queue, missing_count)
        found = mean_kappa(pairs)
        if found is not None and found < least:
            raise ReviewNeeded(queue, max(1, len(disagreements(standing))))


def images_min(curated: Curated, catalog: Catalog, needed_count: int) -> None:
    """Ask for at least so many samples.

    Raises:
        GateFailed: there are fewer.
    """
    found = len(curated.kept())
    if found < needed_count:
        raise GateFailed(f"recipe {curated.recipe.name}: expected at least {needed_count} samples, found {found}")


GATES: dict[str, Gate] = {
    "images_min": images_min,
    **{queue.gate: _cards_gate(name) for name, queue in QUEUES.items()},
    "conflicts": conflicts,
    "kappa": kappa,
}
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

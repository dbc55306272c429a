"""The queues that there are."""

from __future__ import annotations

from catalog.errors import UsageError
from curation.review.queues.contract import ReviewQueue
from curation.review.queues.duplicates import DuplicatesQueue
from curation.review.queues.faces import FacesQueue
from curation.review.queues.labels import LabelsQueue
from curation.review.queues.noise import NoiseQueue
from curation.review.queues.roles import RolesQueue

_ALL: tuple[ReviewQueue, ...] = (NoiseQueue(), DuplicatesQueue(), FacesQueue(), LabelsQueue(), RolesQueue())
QUEUES: dict[str, ReviewQueue] = {queue.name: queue for queue in _ALL}


def find_queue(name: str) -> ReviewQueue:
    """Find a queue by name.

    Raises:
        UsageError: there is none; lists those that there are.
    """
    if name not in QUEUES:
        raise UsageError(f"no review queue {name!r}, expected one of: {', '.join(sorted(QUEUES))}")
    return QUEUES[name]

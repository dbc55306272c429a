"""One file per task; TASKS names them."""

from __future__ import annotations

from catalog.errors import UsageError
from training.tasks.classification import ClassificationTask
from training.tasks.metric import MetricTask
from training.tasks.regression import RegressionTask
from training.tasks.task import Task
from training.tasks.verification import VerificationTask

TASKS: dict[str, type[Task]] = {
    kind.name: kind for kind in (ClassificationTask, RegressionTask, MetricTask, VerificationTask)
}


def find_task(name: str) -> type[Task]:
    """Find a task by name.

    Raises:
        UsageError: there is none; says which there are.
    """
    if name not in TASKS:
        raise UsageError(f"no task {name!r}, expected one of: {', '.join(sorted(TASKS))}")
    return TASKS[name]

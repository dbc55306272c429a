"""The flow `collect`: crawl sources, land them, take them into the catalog."""

from __future__ import annotations

import os
from typing import Any

from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

from catalog.config import load_config
from catalog.errors import GleaneryError
from flows import artifacts, steps
from flows.progress import current_progress

_JOBS = 2
"""Crawls at once on one machine; each is a process of its own."""


@task(name="collect-source", task_run_name="collect {name}", retries=1, retry_delay_seconds=5)
def collect_source(name: str, recipe: str | None = None) -> dict[str, Any]:
    """Crawl one source, as a recipe wants it; a second try resumes where the first was cut off."""
    config = load_config(os.environ)
    source = steps.all_sources(config)[name]
    if recipe is not None:
        source = steps.as_wanted(source, steps.recipe_named(config, recipe))
    run = steps.collect_source(config, source, current_progress())
    return steps.run_facts(config, run)


_RUNNER: Any = ThreadPoolTaskRunner(max_workers=_JOBS)


@flow(name="collect", task_runner=_RUNNER)
def collect(sources: list[str], recipe: str | None = None) -> list[dict[str, Any]]:
    """Crawl the named sources, one task each; one that fails does not stop the others.

    Args:
        sources: names of declarations.
        recipe: may ask for more than usual (gallery pictures, facts about buyers).

    Raises:
        GleaneryError: sources failed; names each with its reason. What the others landed stays.
    """
    futures = {name: collect_source.submit(name, recipe) for name in sources}
    rows = {name: future.result(raise_on_failure=False) for name, future in futures.items()}
    facts = [row for row in rows.values() if isinstance(row, dict)]
    artifacts.show_rows("sources", facts, "What each source gave")
    broken = [f"{name}: {row}" for name, row in rows.items() if not isinstance(row, dict)]
    broken += [f"{row['source']}: {row['state']}: {row['detail']}" for row in facts if row["state"] != "ok"]
    if broken:
        raise GleaneryError("; ".join(broken))
    return facts

"""The flow `collect`: crawl sources, land them, take them into the catalog."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff

from catalog.config import Config, load_config
from catalog.db import Catalog
from catalog.errors import GleaneryError, UsageError
from flows import alerts, artifacts, steps
from flows.cancelling import cancelled_flag, cancelling
from flows.health import SourceHealth, source_health
from flows.parameters import JitterSeconds, SourcePatterns

_JOBS = 2
"""Crawls at once in one flow run; each is a process of its own."""


class SourceFailed(GleaneryError):
    """A crawl ended, but its run does not count; names the source, the state and the reason."""


def _is_worth_a_retry(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Try again where the crawl broke off, not where the site said no or the order was wrong."""
    from spiders.run import CrawlCancelled

    flag = cancelled_flag()
    if flag is not None and flag.is_set():
        return False
    error = state.result(raise_on_failure=False)
    return not isinstance(error, SourceFailed | UsageError | CrawlCancelled)


@task(
    name="collect-source",
    task_run_name="collect {name}",
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=10),
    retry_jitter_factor=0.5,
    retry_condition_fn=_is_worth_a_retry,
    persist_result=True,  # a retry of the flow run does the failed sources only
)
def collect_source(name: str, recipe: str | None = None) -> dict[str, Any]:
    """Crawl one source, as a recipe wants it; a second try resumes where the first was cut off."""
    config = load_config(os.environ)
    logger = get_run_logger()
    logger.info("crawl begins source=%s", name)
    source = steps.all_sources(config)[name]
    if recipe is not None:
        source = steps.as_wanted(source, steps.recipe_named(config, recipe))
    run = steps.collect_source(config, source, artifacts.show_progress(name), cancelled_flag())
    facts = steps.run_facts(config, run)
    counted = " ".join(f"{key}={value}" for key, value in facts.items() if isinstance(value, int))
    logger.info("crawl ended source=%s state=%s %s", name, run.state, counted)
    if run.state != "ok":
        raise SourceFailed(f"{name}: {run.state}: {run.detail}")
    return facts


_RUNNER: Any = ThreadPoolTaskRunner(max_workers=_JOBS)


@flow(name="collect", flow_run_name="collect {sources[0]}", task_runner=_RUNNER)
def collect(
    sources: SourcePatterns, recipe: str | None = None, jitter_s: JitterSeconds = 0.0
) -> State[list[dict[str, Any]]]:
    """Crawl sources, one task each; one that fails does not stop the others, and what they landed stays.

    Args:
        sources: names of declarations, or patterns, which take what is enabled.
        recipe: may ask a shop for more than usual (gallery pictures, facts about buyers).
        jitter_s: wait a random time up to this before the first request, in seconds.
    """
    from spiders.declare import choose_sources

    config = load_config(os.environ)
    names = [source.name for source in choose_sources(steps.all_sources(config), list(sources))]
    time.sleep(random.uniform(0, jitter_s))  # noqa: S311 - spreads load, guards nothing
    with cancelling():
        futures = {name: collect_source.submit(name, recipe) for name in names}
        errors = {name: _error(future.result(raise_on_failure=False)) for name, future in futures.items()}
    with Catalog(config.catalog_url) as catalog:
        health = source_health(catalog, names)
    artifacts.show_rows("sources", [one.to_row() for one in health], "Health of the sources")
    broken = [error for error in errors.values() if error]
    _tell(config, health, errors)
    if broken:
        return Failed(message=f"{len(broken)} of {len(names)} sources: {'; '.join(broken)}")
    return Completed(message=f"{len(names)} sources collected", data=[one.to_row() for one in health])


def _error(result: Any) -> str:
    """Give the reason of a task that failed; it names its source."""
    return "" if isinstance(result, dict) else str(result)


def _tell(config: Config, health: Sequence[SourceHealth], errors: dict[str, str]) -> None:
    """Put what happened into the event feed, which alerts and the next flows listen to."""
    for one in health:
        if errors[one.source]:
            alerts.tell_source_failed(one.source, one.state, errors[one.source])
    if flow_run.parent_flow_run_id is not None:
        return  # a pipeline goes on by itself
    has_news = {one.source for one in health if one.state == "ok" and one.has_news}
    for recipe in steps.recipes_of(config, has_news):
        alerts.tell_recipe_collected(recipe)

"""A flow that needs people ends as waiting, survives a restart of everything, and goes on when the queue is done."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from catalog.config import load_config
from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.release_format import find_release, verify_release
from curation.review.answers import answer_cards
from curation.review.progress import build_queue
from flows import steps
from flows.truth import noise_answers
from sampleweb.cache import RenderCache
from sampleweb.sources import source_toml
from sampleweb.truth import write_truth
from sampleweb.world import build_world
from tests.e2e.command_line import CommandLine

pytestmark = [pytest.mark.slow, pytest.mark.prefect, pytest.mark.browser, pytest.mark.timeout(600)]
NOW = "2026-11-21T12:00:00Z"


def _answer(gleanery: CommandLine, truth: Any, count: int) -> None:
    config = load_config(gleanery.environment, gleanery.root)
    curated = steps.curate_recipe(config, "street2shop")
    with Catalog(config.catalog_url) as catalog:
        cards = build_queue(curated, catalog, "noise")[:count]
        answer_cards(catalog, cards, noise_answers(truth), "ada", NOW)


def _declare_a_blocked_site(gleanery: CommandLine) -> None:
    site = build_world(7, 0.1).site("blocked-uni")
    text = source_toml(site, int(gleanery.environment["GLEANERY_SAMPLEWEB_PORT"])).replace(site.name, "sample-uni9-cs")
    (gleanery.root / "sources").mkdir(parents=True)
    (gleanery.root / "sources" / "sample-uni9-cs.toml").write_text(text)


def _patient() -> requests.Session:
    # The server says 503 while its SQLite is busy, as it may be when it has just started; its own clients ask again.
    web = requests.Session()
    again = Retry(total=8, backoff_factor=0.25, status_forcelist=[503], allowed_methods=None)
    web.mount("http://", HTTPAdapter(max_retries=again))
    return web


def _message_of(gleanery: CommandLine, run_name: str) -> str:
    api = f"http://127.0.0.1:{gleanery.environment['GLEANERY_PREFECT_PORT']}/api"
    query = {"flow_runs": {"name": {"any_": [run_name]}}, "limit": 1}
    (run,) = _patient().post(f"{api}/flow_runs/filter", json=query, timeout=10).json()
    return str(run["state"]["message"])


def _run_poller(gleanery: CommandLine) -> None:
    api = f"http://127.0.0.1:{gleanery.environment['GLEANERY_PREFECT_PORT']}/api"
    web = _patient()
    found = web.get(f"{api}/deployments/name/continue-waiting/poller", timeout=10).json()
    created = web.post(f"{api}/deployments/{found['id']}/create_flow_run", json={}, timeout=10)
    created.raise_for_status()
    run = created.json()["id"]
    deadline = time.monotonic() + 120
    while True:
        state = web.get(f"{api}/flow_runs/{run}", timeout=10).json()["state"]
        # A scheduled run of the poller may be on its way: ours is cancelled then, and that one does the work.
        if state["type"] in ("COMPLETED", "CANCELLED"):
            return
        assert state["type"] not in ("FAILED", "CRASHED"), state
        assert time.monotonic() < deadline, state
        time.sleep(0.5)


def test_a_gate_survives_a_restart_in_the_middle_of_its_queue(gleanery: CommandLine) -> None:
    assert "PREFECT_API_URL" not in os.environ
    _declare_a_blocked_site(gleanery)
    # Green or not, at this size: what counts here is that it waits.
    done = gleanery.start("demo", "--scale", "0.1", "--reviewer", "none")
    assert done.wait() in (0, 1)
    outcome = json.loads((gleanery.root / "sampleweb" / "outcome.json").read_text())
    assert outcome["waiting"] == ["street2shop"]
    assert "majors" in outcome["releases"], "one blocked site held up all the others"
    assert "sample-uni9-cs: blocked" in _message_of(gleanery, "pipeline majors")
    world = build_world(7, 0.1)
    port = int(gleanery.environment["GLEANERY_SAMPLEWEB_PORT"])
    truth = write_truth(
        world, gleanery.root / "sampleweb", port, RenderCache(gleanery.root / "sampleweb" / "pictures")
    )

    _answer(gleanery, truth, 30)  # half of what the gate asks for
    gleanery.run("down")
    gleanery.run("up", "--detach")
    _run_poller(gleanery)
    with pytest.raises(UsageError, match="no release"):
        find_release(gleanery.root / "releases", "street2shop")

    _answer(gleanery, truth, 30)
    _run_poller(gleanery)
    deadline = time.monotonic() + 180
    while not (list(gleanery.root.glob("releases/street2shop/*/manifest.json"))):
        assert time.monotonic() < deadline, "the continuation gave no release"
        time.sleep(0.5)
    assert verify_release(find_release(gleanery.root / "releases", "street2shop")) == []

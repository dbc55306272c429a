"""`gleanery demo`: the whole road on the sample web, through the real services, compared with the planted truth."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from catalog.clock import utc_now
from catalog.config import Config
from catalog.db import Catalog
from catalog.errors import GleaneryError, UsageError
from flows import services, steps
from flows.progress import Progress, showing

if TYPE_CHECKING:
    from flows.truth import Comparison

RECIPES = ("majors", "street2shop")
_SEED = 7
_SHOP_SHARE = 0.2
"""Of the shop the demo serves this much: five categories of forty items would take some minutes to draw."""
_LEAST_TESTED = 30
"""Test pictures from which an accuracy is judged: among 11 of four classes, chance alone passes 3 every other time."""
_CONTINUATION_S = 180.0
"""How long the demo waits for the continuation that the poller starts after the review."""


@dataclass(slots=True)
class Outcome:
    """What the demo found."""

    comparisons: list[Comparison] = field(default_factory=list)
    leaks_count: int = 0
    releases: dict[str, str] = field(default_factory=dict)
    """Recipe to recipe@version."""
    manifests: dict[str, str] = field(default_factory=dict)
    """Recipe to the sha256 of its release's manifest."""
    accuracy: float = 0.0
    chance: float = 0.0
    """Share of the largest class in the test part: what always saying that class reaches."""
    tested_count: int = 0
    """Pictures of the test part."""
    waiting: list[str] = field(default_factory=list)
    """Recipes that wait for people."""
    addresses: dict[str, str] = field(default_factory=dict)
    durations_s: dict[str, float] = field(default_factory=dict)

    @property
    def is_green(self) -> bool:
        """Whether all planted truth was found, nothing leaks, and the model beats chance."""
        return self.leaks_count == 0 and self.is_trained and all(line.is_good for line in self.comparisons)

    @property
    def is_trained(self) -> bool:
        """Whether the model beats the largest class; of a few pictures nobody can tell, so they fail nothing."""
        return self.accuracy > self.chance or self.tested_count < _LEAST_TESTED

    def to_json(self) -> dict[str, Any]:
        """Give the outcome as JSON values."""
        return {**dataclasses.asdict(self), "is_green": self.is_green}

    def print(self) -> None:
        """Show the outcome as tables."""
        from flows.cli.options import print_facts, print_table

        rows: list[list[Any]] = [
            [line.what, line.planted, line.found, line.extra, "ok" if line.is_good else "NOT OK"]
            for line in self.comparisons
        ]
        rows.append(["leaks left in the releases", 0, 0, self.leaks_count, self._word(not self.leaks_count)])
        print_table("Planted truth against what was found", ["", "planted", "found", "wrong", ""], rows)
        word = self._word(self.is_trained) if self.tested_count >= _LEAST_TESTED else "too few to judge"
        facts = {
            "accuracy on the test part": f"{self.accuracy:.3f} of {self.tested_count} pictures",
            "always the largest class": f"{self.chance:.3f}  {word}",
            **{f"release {recipe}": name for recipe, name in self.releases.items()},
            **{f"waiting for review: {recipe}": "answer its cards" for recipe in self.waiting},
            **{f"seconds, {what}": f"{seconds:.0f}" for what, seconds in self.durations_s.items()},
        }
        print_facts("Model and releases", facts)
        print("Where to look")  # plain lines: an address that is broken in two cannot be clicked
        for what, address in self.addresses.items():
            print(f"  {what:<10} {address}")
        print("The services go on; `gleanery down` stops them.")

    @staticmethod
    def _word(is_good: bool) -> str:
        return "ok" if is_good else "NOT OK"


def run_demo(
    config: Config, *, scale: float, reviewer: str, is_quiet: bool = False, is_stopped: bool = False
) -> Outcome:
    """Run everything and compare.

    Args:
        config: settings; the sample web's port must be free.
        scale: size of the sample web.
        reviewer: `truth` answers the review from the planted truth; `none` leaves it to people.
        is_quiet: show no progress.
        is_stopped: stop the services at the end; otherwise they go on, to be looked at.

    Raises:
        UsageError: the sample web's port is taken, or no such reviewer.
        GleaneryError: a service does not come up, or a part of the road fails.
    """
    if reviewer not in ("truth", "none"):
        raise UsageError(f"reviewer {reviewer!r}, expected truth or none")
    from flows.cli.options import progress_bars

    outcome = Outcome()
    with ExitStack() as stack:
        progress = stack.enter_context(progress_bars(is_quiet=is_quiet))
        stack.enter_context(showing(progress))
        sample = stack.enter_context(_SampleWeb.served(config, scale))
        with _timed(outcome, "services"):
            services.start_detached(config)
            services.use_server(config)
        if is_stopped:
            stack.callback(services.stop_services, config)
        with _timed(outcome, "majors"):
            _run_majors(outcome, config)
        with _timed(outcome, "street2shop"):
            _run_street2shop(outcome, config, sample, reviewer, progress)
        with _timed(outcome, "comparing"):
            _compare(outcome, config, sample)
        outcome.addresses |= dataclasses.asdict(services.Addresses.of(config))
    return outcome


@contextmanager
def _timed(outcome: Outcome, what: str) -> Iterator[None]:
    started_s = time.monotonic()
    yield
    outcome.durations_s[what] = round(time.monotonic() - started_s, 1)


@dataclass(slots=True)
class _SampleWeb:
    """The served sample web and its truth."""

    world: Any
    port: int
    folder: Path

    @classmethod
    @contextmanager
    def served(cls, config: Config, scale: float) -> Iterator[_SampleWeb]:
        """Serve it while the block runs, and declare its sites in the data root."""
        from sampleweb.server import running
        from sampleweb.sources import write_sources
        from sampleweb.world import build_world

        port = config.sampleweb_port
        if not services.port_is_free("127.0.0.11", port):
            raise UsageError(f"port {port} is taken: stop what listens there, or set GLEANERY_SAMPLEWEB_PORT")
        world = build_world(_SEED, scale, scale * _SHOP_SHARE)
        folder = config.data_root.root / "sampleweb"
        folder.mkdir(parents=True, exist_ok=True)
        write_sources(world, config.data_root.sources, port)
        with running(world, port, folder / "requests.jsonl", folder / "pictures"):
            yield cls(world, port, folder)

    def truth(self) -> dict[str, Any]:
        """The planted truth, from pictures that were drawn for the crawl."""
        from sampleweb.cache import RenderCache
        from sampleweb.truth import write_truth

        return write_truth(self.world, self.folder, self.port, RenderCache(self.folder / "pictures"))


def _run_majors(outcome: Outcome, config: Config) -> None:
    from flows.pipeline import pipeline

    facts = cast("dict[str, Any]", pipeline("majors"))
    outcome.releases["majors"] = facts["release"]
    run = steps.train_release(config, facts["release"])  # finished on the gpu pool just now: this only reads it
    figures = run.metrics["parts"]["test"]
    outcome.accuracy, outcome.chance = figures["accuracy"], figures["majority_frac"]
    outcome.tested_count = figures["count"]
    outcome.addresses["report"] = (
        f"{services.Addresses.of(config).web}/runs/{run.folder.parent.name}/{run.run_id}/report.html"
    )


def _run_street2shop(outcome: Outcome, config: Config, sample: _SampleWeb, reviewer: str, progress: Progress) -> None:
    from flows.pipeline import continue_waiting, pipeline

    facts = cast("dict[str, Any]", pipeline("street2shop", with_train=False))
    if "waits_for" in facts and reviewer == "truth":
        _answer(config, sample, progress)
        continue_waiting()
        _await_release(config)
    elif "waits_for" in facts:
        outcome.waiting.append("street2shop")
        return
    from catalog.release_format import find_release

    release = find_release(config.data_root.releases, "street2shop")
    outcome.releases["street2shop"] = f"street2shop@{release.version}"


def _answer(config: Config, sample: _SampleWeb, progress: Progress) -> None:
    """Answer as many cards as the gate asks for, as a person with the truth in hand would."""
    from curation.review.answers import answer_cards
    from curation.review.progress import build_queue
    from flows.truth import noise_answers

    curated = steps.curate_recipe(config, "street2shop", progress)
    needed = int(curated.recipe.gates["noise_cards"])
    with Catalog(config.catalog_url) as catalog:
        cards = build_queue(curated, catalog, "noise")[:needed]
        answer_cards(catalog, cards, noise_answers(sample.truth()), "truth", utc_now())


def _await_release(config: Config) -> None:
    from catalog.release_format import find_release

    deadline_s = time.monotonic() + _CONTINUATION_S
    while True:
        try:
            find_release(config.data_root.releases, "street2shop")
        except UsageError:
            if time.monotonic() > deadline_s:
                text = f"the continuation of street2shop gave no release within {_CONTINUATION_S:.0f} s"
                raise GleaneryError(f"{text}; see the dashboard") from None
            time.sleep(0.5)
        else:
            return


def _compare(outcome: Outcome, config: Config, sample: _SampleWeb) -> None:
    from catalog.manifests import MANIFEST
    from catalog.release_format import file_sha256, find_release
    from flows import truth as planted

    table = sample.truth()
    with Catalog(config.catalog_url) as catalog:
        majors = steps.curate_recipe(config, "majors")
        outcome.comparisons += planted.compare_staff(table, majors, catalog)
        outcome.comparisons.append(planted.leaks_of_a_random_split(table, majors))
        if "street2shop" in outcome.releases:
            shop = steps.curate_recipe(config, "street2shop")
            outcome.comparisons += planted.compare_shop(table, shop, catalog)
            outcome.comparisons.append(planted.leaks_of_a_random_split(table, shop))
    for recipe, name in outcome.releases.items():
        release = find_release(config.data_root.releases, name)
        outcome.leaks_count += planted.planted_leaks(table, release)
        outcome.manifests[recipe] = file_sha256(release.folder / MANIFEST)
    (sample.folder / "outcome.json").write_text(json.dumps(outcome.to_json(), indent=1), encoding="utf-8")

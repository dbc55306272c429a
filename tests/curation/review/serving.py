"""The review app over a hand-made world, in memory or on a loopback port."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from catalog.errors import UsageError
from curation.review.app import create_app
from tests.curation.handmade import World

NOW = "2026-11-21T08:00:00Z"


@dataclass
class Clock:
    """Gives a later second at every call."""

    calls: Iterator[int]

    def __call__(self) -> str:
        minutes, seconds = divmod(next(self.calls), 60)
        return f"2026-11-21T08:{minutes:02d}:{seconds:02d}Z"


def review_app(world: World, load_curated=None, **options) -> FastAPI:
    batches = itertools.count()

    def load(recipe: str):
        if recipe != "garments":
            raise UsageError(f"no curation of {recipe!r} yet; run `gleanery curate {recipe}`")
        return world.curated

    return create_app(
        open_catalog=lambda: world.catalog,
        recipes=lambda: ["garments", "majors"],
        load_curated=load_curated or load,
        read_blob=world.blobs.get,
        now=Clock(itertools.count()),
        new_batch_id=lambda: f"batch-{next(batches)}",
        **options,
    )


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve on a free loopback port; gives the address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)

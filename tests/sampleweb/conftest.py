"""A small world, served once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sampleweb.cache import RenderCache
from sampleweb.server import free_port, running
from sampleweb.truth import truth_table
from sampleweb.world import World, build_world


@dataclass(frozen=True)
class Web:
    world: World
    port: int
    log_path: Path
    truth: dict[str, Any]

    def url(self, site: str, path: str) -> str:
        return f"http://{self.world.site(site).host}:{self.port}{path}"


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    world = build_world(scale=0.1)
    folder = tmp_path_factory.mktemp("web")
    log_path, cache_folder = folder / "requests.jsonl", folder / "pictures"
    with running(world, free_port(), log_path, cache_folder) as port:
        yield Web(world, port, log_path, truth_table(world, port, RenderCache(cache_folder)))

"""A takedown where pictures, saved pages and derived results are kept in an object store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.release_format import find_release
from curation.release.verify import verify_release_folder
from flows import keeping
from tests.e2e.bytes_search import files_showing, files_with
from tests.e2e.command_line import REPOSITORY
from tests.e2e.object_store import BUCKET, copy_objects, object_store, objects  # noqa: F401 - a fixture
from tests.e2e.test_takedown import NAME, TEXTS, World, encoded_again, made_world, portrait

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


class StoredWorld(World):
    """Crawls as a command: the variables by which the store is found must stand before a process begins."""

    def crawl(self) -> None:
        config = self.config
        variables = {"ROOT": config.root, "BLOBS_URL": config.blobs_url, "DERIVED_URL": config.derived_url}
        environment = {**os.environ, **{f"GLEANERY_{name}": str(value) for name, value in variables.items()}}
        command = [sys.executable, "-m", "flows.cli", "crawl", "uni-a", "uni-b"]
        subprocess.run(command, env=environment, cwd=REPOSITORY, check=True, capture_output=True)


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory,
    object_store: dict[str, str],  # noqa: F811
) -> Iterator[World]:
    settings = {"blobs_url": f"s3://{BUCKET}/blobs", "derived_url": f"s3://{BUCKET}/derived"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in object_store.items():
            patch.setenv(name, value)
        with made_world(tmp_path_factory.mktemp("root"), ("127.0.0.35", "127.0.0.36"), **settings) as made:
            yield StoredWorld(made.config, made.webs)


def found_in(folder: Path) -> list[str]:
    pictures = (portrait(0), encoded_again(portrait(0)))
    return [*files_with(folder, TEXTS), *files_showing(folder, pictures, radius_bits=4)]


def test_a_person_goes_from_the_store_too(
    world: World,
    object_store: dict[str, str],  # noqa: F811
    tmp_path: Path,
) -> None:
    world.crawl()
    world.release()
    copy_objects(object_store, tmp_path / "before")
    assert found_in(tmp_path / "before")
    assert not list(world.root.glob("blobs/*"))

    request, picture = keeping.request_takedown("name", NAME, "asked by mail", same_subject=False)
    keeping.keep_request(world.config, request, picture)
    receipt = keeping.take_down(world.config, request.request_id)
    assert receipt["cleared"]["blobs"] >= 3  # two pictures and a page at least
    assert receipt["cleared"]["derived"]
    world.crawl()
    world.release()
    copy_objects(object_store, tmp_path / "after")
    assert found_in(tmp_path / "after") == []
    world.assert_gone(portrait(0), encoded_again(portrait(0)))
    assert objects(object_store, "blobs/"), "the others are gone too"
    assert verify_release_folder(find_release(world.config.data_root.releases, "people").folder) == []

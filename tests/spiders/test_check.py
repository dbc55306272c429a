"""A check reads a little of a site and leaves nothing behind."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from catalog.config import Config
from spiders.check import MAX_IMAGES, MAX_PAGES, check_source
from spiders.declare import source_of_url
from spiders.run import crawl_source
from spiders.sources import Source

PEOPLE = tuple(
    f"{first} {last}"
    for first, last in zip(
        ("Runa", "Malte", "Thekla", "Enno", "Wiebke", "Folkert", "Insa"),
        ("Birkenwerder", "Oelrichsen", "Vösgen", "Zülsdorff", "Brackenhoff", "Ammersbek", "Quellinghaus"),
        strict=True,
    )
)
AT = "2026-11-21T05:00:00Z"


class Served:
    """A folder that is served on loopback, and what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        folder.mkdir()
        owner = self

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                owner.asked.append(self.path)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{self.server.server_port}/people.html"
        self.source = replace(source_of_url(url, label="cs", name="here-cs"), expected_min=3, expected_max=20)

    def show(self, people: tuple[str, ...], more: str = "") -> None:
        """Write the page, and a portrait for each that has none yet."""
        cards = ""
        for name in people:
            number = PEOPLE.index(name)
            portrait = self.folder / f"p{number}.png"
            if not portrait.exists():
                Image.new("RGB", (200, 200), (number * 20, 90, 90)).save(portrait)
            cards += f'<div><img src="{portrait.name}" alt="{name}"><h3>{name}</h3><p>Research Associate</p></div>'
        page = f"<!doctype html><meta charset=utf-8><title>People</title><h1>People</h1><h2>Staff</h2>{cards}{more}"
        (self.folder / "people.html").write_text(page, encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path / "site")
    served.show(PEOPLE)
    yield served
    served.server.shutdown()
    served.server.server_close()


def crawled(source: Source, config: Config) -> None:
    assert crawl_source(source, config.data_root, config, AT).state == "ok"


def test_a_site_that_holds_is_ok_and_nothing_lands(site: Served, tmp_path: Path) -> None:
    config = Config(root=tmp_path / "store")
    row = check_source(site.source, config, AT)
    assert (row["state"], row["found"], row["pages"]) == ("ok", len(PEOPLE), 1)
    assert (row["new"], row["missing"], row["refused"], row["failed"]) == (None, None, "", "")
    assert sum(path.endswith(".png") for path in site.asked) == MAX_IMAGES
    assert not config.data_root.landing.exists()
    assert not config.data_root.blobs.exists()


def test_who_came_and_who_left_is_counted_against_the_last_good_run(site: Served, tmp_path: Path) -> None:
    config = Config(root=tmp_path / "store")
    site.show(PEOPLE[:5])
    crawled(site.source, config)
    site.show(PEOPLE[1:])
    row = check_source(site.source, config, AT)
    assert (row["state"], row["new"], row["missing"]) == ("changed", 2, 1)


def test_dead_and_refused_pictures_are_counted_by_kind(site: Served, tmp_path: Path) -> None:
    (site.folder / "p1.png").unlink()
    (site.folder / "robots.txt").write_text("User-agent: *\nDisallow: /p2.png\n")
    row = check_source(site.source, Config(root=tmp_path / "store"), AT)
    assert (row["state"], row["failed"], row["refused"]) == ("ok", "moved 1", "policy_robots 1")


def test_a_site_that_lost_its_people_or_its_page_is_told(site: Served, tmp_path: Path) -> None:
    config = Config(root=tmp_path / "store")
    site.show(PEOPLE[:2])
    assert check_source(site.source, config, AT)["state"] == "few"
    (site.folder / "people.html").write_text("<title>People</title><h1>People</h1><p>We moved.</p>")
    assert check_source(site.source, config, AT)["state"] == "page_changed"
    (site.folder / "people.html").unlink()
    assert check_source(site.source, config, AT)["state"] == "fetch_not_found"


def test_only_the_beginning_of_a_long_list_is_read(site: Served, tmp_path: Path) -> None:
    pages = [f"people.html?page={number}" for number in range(2, 12)]
    site.show(PEOPLE, "".join(f'<a href="{page}">{page[-1]}</a> ' for page in pages))
    source = replace(site.source, expected_min=50, expected_max=None)
    row = check_source(source, Config(root=tmp_path / "store"), AT)
    assert row["pages"] <= MAX_PAGES
    assert (row["state"], row["detail"]) == ("ok", f"the first {MAX_PAGES} pages only")

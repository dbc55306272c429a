from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from catalog.config import Config
from catalog.errors import UsageError
from spiders.declare import choose_sources, new_source, source_of_url
from spiders.sources import load_sources, read_source

PEOPLE = ("Runa Birkenwerder", "Malte Oelrichsen", "Thekla Vösgen", "Enno Zülsdorff")


def _page(people: tuple[str, ...]) -> str:
    cards = "".join(
        f'<div class="c"><img src="p{number}.jpg" alt="{name}"><h3>{name}</h3><p>Research Associate</p></div>'
        for number, name in enumerate(people)
    )
    return f"<!doctype html><meta charset=utf-8><title>People</title><h1>People</h1><h2>Staff</h2>{cards}"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that is served, and the address of its page."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "people.html").write_text(_page(PEOPLE), encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/people.html"
    server.shutdown()
    server.server_close()


def test_a_site_is_declared_with_a_case_and_holds_afterwards(site: tuple[Path, str], tmp_path: Path) -> None:
    _, url = site
    config = Config(root=tmp_path / "store")
    path, document = new_source(url, label="cs", name="here-cs", case_folder=None, config=config)
    assert [record["name"] for record in document["records"]] == list(PEOPLE)
    source = read_source(path)
    assert (source.name, source.label, source.expected_min, source.expected_max) == ("here-cs", "cs", 2, 8)
    case = config.root / "cases" / "here-cs"
    assert json.loads((case / "output.json").read_text(encoding="utf-8"))["records"] == document["records"]
    with pytest.raises(UsageError, match="is there already"):
        new_source(url, label="cs", name="here-cs", case_folder=tmp_path / "c", config=config)


def test_a_page_without_people_is_not_declared(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = site
    (folder / "people.html").write_text("<title>People</title><p>Nobody here.</p>")
    with pytest.raises(UsageError, match="page_changed"):
        new_source(url, label="cs", name=None, case_folder=None, config=Config(root=tmp_path / "store"))
    assert not (tmp_path / "store").exists()


def test_patterns_leave_out_what_is_not_enabled(tmp_path: Path) -> None:
    for name, enabled in (("uni-a", "true"), ("uni-b", "false")):
        text = f'[source]\nkind = "staff"\nurl = "https://example.org/{name}"\nenabled = {enabled}\n'
        (tmp_path / f"{name}.toml").write_text(text)
    sources = load_sources([tmp_path])
    assert [source.name for source in choose_sources(sources, ["uni-*"])] == ["uni-a"]
    assert [source.name for source in choose_sources(sources, ["uni-b"])] == ["uni-b"]
    with pytest.raises(UsageError, match="uni-a, uni-b"):
        choose_sources(sources, ["unu-*"])


def test_the_name_of_a_shop_stands_for_all_its_categories(tmp_path: Path) -> None:
    text = '[source]\nkind = "shop"\nurl = "https://example.org/"\nenabled = false\n'
    text += '[source.categories]\nskirts = "/s"\ncoats = "/c"\n'
    (tmp_path / "shop.toml").write_text(text)
    sources = load_sources([tmp_path])
    assert [source.name for source in choose_sources(sources, ["shop"])] == ["shop-coats", "shop-skirts"]
    assert [source.name for source in choose_sources(sources, ["shop-skirts"])] == ["shop-skirts"]
    assert choose_sources(sources, ["shop-*"]) == []  # not said in full, and not enabled


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="http"):
        source_of_url("ftp://example.org/people")
    assert source_of_url("https://example.org/people/").delay_s >= 1.0

"""A person is taken down: gone from every file, and kept out of every later crawl."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalog import tables
from catalog.config import Config
from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ids import sha256_hex
from catalog.ingest import rebuild
from catalog.release_format import TOMBSTONE, Release, find_release
from catalog.schema import Verdict
from curation.release.export import FORMATS, export_release
from curation.release.verify import verify_release_folder
from flows import keeping, steps
from sampleweb.pictures import Picture, render
from tests.e2e.bytes_search import files_showing, files_with
from tests.spiders.conftest import Answer, Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

NAME = "Änne Größler"
TEXTS = ("Größler", "aenne-groessler", "/img/portrait-0.jpg", "/media/77.jpg")
OTHERS = ("Bo Arnholt", "Cleo Barsch", "Dario Cremer", "Enno Dürrbaum", "Fee Ehrlin", "Gero Fink", "Hilke Gramm")
RECIPE = """
[recipe]
title = "People"
purpose = "A test."
sources = ["uni-*"]
subject_kind = "person"
slots = ["portrait"]
[stages.quality]
[stages.hashes]
[stages.thumbnails]
[stages.samples]
[stages.duplicates]
[stages.groups]
[splits]
kind = "ratios"
ratios = { train = 0.6, validation = 0.2, test = 0.2 }
[release]
image = "original"
size_px = 96
exports = ["class_folders", "index_csv"]
"""


def portrait(number: int, shot: int = 0) -> bytes:
    picture = Picture(kind="portrait", seed=(7, number, shot), field=("cs", "econ")[number % 2], size=(150, 188))
    return render(picture)[0]


def encoded_again(body: bytes) -> bytes:
    stream = io.BytesIO()
    with Image.open(io.BytesIO(body)) as image:
        image.convert("RGB").resize((112, 140)).save(stream, "JPEG", quality=60)
    return stream.getvalue()


def card(name: str, image: str, role: str = "Research associate", profile: str = "") -> str:
    shown = f'<a href="{profile}">{name}</a>' if profile else name
    picture = f'<img src="{image}" alt="{name}" width="150" height="188">'
    return f'<li class="card">{picture}<h3>Dr. {shown}</h3><p>{role}</p></li>'


def staff(cards: list[str]) -> Answer:
    return Answer(f"<html><body><h1>Staff</h1><ul>{''.join(cards)}</ul></body></html>".encode())


@dataclass
class World:
    config: Config
    webs: list[Web]

    @property
    def root(self) -> Path:
        return self.config.root

    def crawl(self) -> None:
        for name, source in steps.all_sources(self.config).items():
            if name.startswith("uni-"):
                assert steps.collect_source(self.config, source).state == "ok"

    def release(self) -> Release:
        return steps.release_curated(self.config, steps.curate_recipe(self.config, "people"))

    def assert_gone(self, *pictures: bytes) -> None:
        assert files_with(self.root, (*TEXTS, *(sha256_hex(body) for body in pictures))) == []
        assert files_showing(self.root, pictures, radius_bits=4) == []


def furnish(first: Web, second: Web) -> None:
    pages = [card(NAME, "/img/portrait-0.jpg", profile="/people/aenne-groessler.html")]
    pages += [card(name, f"/img/{number}.jpg") for number, name in enumerate(OTHERS[:5], 1)]
    first.answers["/staff"] = staff(pages)
    mail = "<p>Dr. &Auml;nne Gr&ouml;&szlig;ler, aenne.groessler@uni.invalid</p>"
    first.answers["/people/aenne-groessler.html"] = Answer(f"<html><body><h1>{NAME}</h1>{mail}</body></html>".encode())
    first.answers["/img/portrait-0.jpg"] = Answer(portrait(0), kind="image/jpeg")
    pages = [card("Größler, Änne", "/media/77.jpg"), card(OTHERS[5], "/img/6.jpg", role=f"Assistant of {NAME}")]
    pages += [card(name, f"/img/{number}.jpg") for number, name in enumerate(OTHERS[6:], 7)]
    second.answers["/staff"] = staff([*pages, card("Ida Holm", "/img/8.jpg")])
    second.answers["/media/77.jpg"] = Answer(encoded_again(portrait(0)), kind="image/jpeg")
    for web in (first, second):
        for number in range(1, 9):
            web.answers[f"/img/{number}.jpg"] = Answer(portrait(number), kind="image/jpeg")


@contextmanager
def made_world(root: Path, addresses: Sequence[str], **settings: Any) -> Iterator[World]:
    """Two sites and a data root that knows them."""
    webs = [Web(address) for address in addresses]
    furnish(*webs)
    (root / "sources").mkdir()
    (root / "recipes").mkdir()
    (root / "recipes" / "people.toml").write_text(RECIPE)
    for name, web in zip(("uni-a", "uni-b"), webs, strict=True):
        (root / "sources" / f"{name}.toml").write_text(
            f'[source]\nname = "{name}"\ntitle = "{name}"\nkind = "staff"\nurl = "{web.url("/staff")}"\n'
            f'label = "{name}"\nallow_loopback = true\ndelay_s = 0.01\nmax_depth = 1\n'
        )
    yield World(Config(root=root, executor="inline", **settings), webs)
    for web in webs:
        web.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with made_world(tmp_path_factory.mktemp("root"), ("127.0.0.31", "127.0.0.32")) as made:
        yield made


def export_everywhere(release: Release, root: Path, outside: Path) -> list[Path]:
    """Write the release in every shape: where exports stand, elsewhere in the root, and outside of it."""
    folders = [root / "exports" / "people" / name for name in sorted(FORMATS)]
    for folder in folders:
        export_release(release, folder.name, folder)
    export_release(release, "webdataset", root / "for-eve" / "shards")
    export_release(release, "parquet", outside, is_copied=True)
    keeping.hand_out(Config(root=root), "people", str(outside))
    return [*folders, root / "for-eve" / "shards"]


def leave_traces(world: World, release: Release) -> None:
    """What training, review and services leave of a person."""
    from training.config import DataConfig
    from training.data import load_data

    load_data(release, world.config.data_root, DataConfig(size_px=16))
    run = world.root / "runs" / "classification" / "run_0000000000000001"
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({"release": {"recipe": "people", "version": release.version}}))
    sample = release.samples().iloc[0]
    (run / "mistakes.jpg").write_bytes((release.folder / sample["path"]).read_bytes())
    model = world.root / "models" / "classification" / run.name
    model.mkdir(parents=True)
    (model / "config.json").write_bytes((run / "run.json").read_bytes())
    case = world.root / "cases" / "uni-a"
    case.mkdir(parents=True)
    (case / "input.html").write_bytes(world.webs[0].answers["/staff"].body)
    logs = world.root / "services" / "logs"
    logs.mkdir(parents=True)
    (logs / "web.log").write_text(f"all is well\nGET {world.webs[0].url('/people/aenne-groessler.html')} 200\nfine\n")
    with sqlite3.connect(world.root / "services" / "prefect.db") as database:
        database.execute("CREATE TABLE artifact (id TEXT PRIMARY KEY, data JSON)")
        rows = [("a", json.dumps([{"name": NAME, "kept": 1}])), ("b", json.dumps({"kept": 2}))]
        database.executemany("INSERT INTO artifact VALUES (?, ?)", rows)
    database.close()
    with Catalog(world.config.catalog_url) as catalog:
        images = catalog.frame(tables.sightings)
        target = images.loc[images["image_url"].str.endswith("portrait-0.jpg"), "image_id"].iloc[0]
        shown = {"image_ids": [target, "0" * 64]}
        verdicts = [("verdict_1", target), ("verdict_2", "0" * 64)]
        catalog.add_verdicts(
            [
                Verdict(
                    verdict_id=key, queue="noise", target_id=of, answer="good", reviewer="eve",
                    answered_at="2026-11-21T08:00:00Z", shown=shown,
                )
                for key, of in verdicts
            ]
        )  # fmt: skip


def snapshot(root: Path) -> dict[str, bytes]:
    unchanging = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("catalog.db"))
    return {str(path): path.read_bytes() for path in unchanging}


class Cut(Exception):
    pass


def carry_out_with_cuts(config: Config, request_id: str) -> tuple[dict[str, Any], int]:
    """Cut a takedown off before each of its steps in turn, and let it go on each time."""
    cuts = 0
    while True:
        reached: list[str] = []

        def tell(what: str, done: int, _total: int, limit: int = cuts, reached: list[str] = reached) -> None:
            reached.append(what)
            if what not in ("hash", "read pages", "done") and done == limit:
                raise Cut

        try:
            return keeping.take_down(config, request_id, tell), cuts
        except Cut:
            cuts += 1


def test_a_person_goes_and_stays_away(world: World, tmp_path: Path) -> None:
    world.crawl()
    before = world.release()
    leave_traces(world, before)
    exports = export_everywhere(before, world.root, tmp_path / "outside")
    assert files_with(world.root, TEXTS)
    sides = before.samples().set_index("sample_id")["split"].to_dict()

    request, picture = keeping.request_takedown("name", NAME, "asked by mail", same_subject=False)
    files = snapshot(world.root)
    plan = keeping.plan(world.config, request, picture)
    assert snapshot(world.root) == files, "looking changed something"
    assert len(plan.trace.images) == 2
    assert len(plan.trace.subject_ids) == 2
    assert plan.trace.releases == [("people", before.version)]
    assert all(plan.counts[place] for place in plan.counts)

    keeping.keep_request(world.config, request, picture)
    receipt, cuts = carry_out_with_cuts(world.config, request.request_id)
    assert cuts > 8
    world.assert_gone(portrait(0), encoded_again(portrait(0)))
    assert receipt["cleared"] == plan.counts
    assert plan.counts["exports"] == len(exports)
    assert not any(folder.exists() for folder in exports)
    assert [(copy["what"], copy["where"]) for copy in receipt["not_reached"]["copies"]] == [
        (f"people@{before.version}", str(tmp_path / "outside"))
    ]
    assert NAME not in json.dumps(receipt, ensure_ascii=False)
    with pytest.raises(UsageError, match="is done"):
        keeping.take_down(world.config, request.request_id)

    after = find_release(world.config.data_root.releases, "people")
    assert verify_release_folder(after.folder) == []
    assert receipt["releases"] == [{"ended": f"people@{before.version}", "replaced_by": after.version}]
    assert [path.name for path in before.folder.iterdir()] == [TOMBSTONE]
    left = after.samples().set_index("sample_id")["split"].to_dict()
    assert len(left) == len(sides) - len(plan.trace.images)
    assert {sample: sides[sample] for sample in left} == left, "somebody else changed sides"
    others_are_whole(world)
    export_everywhere(after, world.root, tmp_path / "again")
    world.assert_gone(portrait(0), encoded_again(portrait(0)))

    assert_landing_and_catalog_agree(world)
    later = []
    for _ in range(2):
        world.crawl()
        later.append(world.release())
        world.assert_gone(portrait(0), encoded_again(portrait(0)))
    assert later[0].version == later[1].version
    assert later[0].samples()["sample_id"].tolist() == after.samples()["sample_id"].tolist()


def assert_landing_and_catalog_agree(world: World) -> None:
    """A catalog that is rebuilt from the blanked landing is the one that was cleared."""
    shown = (tables.pages, tables.images, tables.image_fetches, tables.subjects, tables.sightings)

    def rows(catalog: Catalog) -> list[list[str]]:
        return [sorted(map(repr, catalog.frame(table).to_dict("records"))) for table in shown]

    with Catalog(world.config.catalog_url) as catalog:
        before = rows(catalog)
        rebuild(catalog, world.config.data_root.landing)
        assert rows(catalog) == before


def others_are_whole(world: World) -> None:
    with Catalog(world.config.catalog_url) as catalog:
        subjects = catalog.frame(tables.subjects)
        assert {*OTHERS, "Ida Holm"} == set(subjects["name"])
        assert catalog.frame(tables.verdicts)[["verdict_id", "shown"]].to_numpy().tolist() == [
            ["verdict_2", {"image_ids": ["0" * 64]}]
        ]
    assert (world.root / "services" / "logs" / "web.log").read_text().startswith("all is well\n---")
    with sqlite3.connect(world.root / "services" / "prefect.db") as database:
        assert database.execute("SELECT id FROM artifact").fetchall() == [("b",)]
    database.close()
    for folder in ("runs", "models", "cases"):
        assert not list((world.root / folder).glob("*/run_*")), folder


def test_neither_a_new_photo_nor_a_copy_under_another_name_comes_back(world: World) -> None:
    first, second = world.webs
    copy = io.BytesIO()
    with Image.open(io.BytesIO(portrait(0))) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(copy, "WEBP", quality=70)
    first.answers["/staff"] = staff(
        [card(NAME, "/img/new.jpg"), *(card(name, f"/img/{number}.jpg") for number, name in enumerate(OTHERS[:5], 1))]
    )
    first.answers["/img/new.jpg"] = Answer(portrait(0, shot=3), kind="image/jpeg")
    second.answers["/staff"] = staff([card("Somebody Else", "/img/other.webp"), card(OTHERS[5], "/img/6.jpg")])
    second.answers["/img/other.webp"] = Answer(copy.getvalue(), kind="image/webp")
    world.crawl()
    assert first.asked("/img/new.jpg") == [], "a photo of somebody who was taken down was fetched"
    assert second.asked("/img/other.webp")
    world.assert_gone(portrait(0), copy.getvalue(), portrait(0, shot=3))
    assert verify_release_folder(world.release().folder) == []
    world.assert_gone(portrait(0), copy.getvalue(), portrait(0, shot=3))

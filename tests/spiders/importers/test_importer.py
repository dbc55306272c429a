from __future__ import annotations

import csv
import itertools
from collections import Counter

import pytest

from catalog import landing
from catalog.blobs import BlobStore
from catalog.errors import UsageError
from catalog.ids import sha256_hex
from catalog.naming import name_forms
from catalog.suppressions import Suppressions
from spiders.importers import LAYOUTS, import_folder

WHEN, LATER = "2026-11-21T05:00:00Z", "2026-11-28T05:00:00Z"
JPEG = b"\xff\xd8\xff\xe0 picture %d"


def made(folder, files):
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    return folder


def landed(root, run, kind):
    folder = root.run_folder(run.source, run.run_id)
    return [record for record in landing.iter_records(folder) if kind == record.TYPE]


def issues(root, run):
    return Counter((i.reason, i.where) for i in landing.iter_issues(root.run_folder(run.source, run.run_id)))


@pytest.fixture
def lfw_like(tmp_path):
    names = {"Ada_Example": 2, "Bo_Sample": 1}
    return made(
        tmp_path / "in",
        {
            f"{name}/{name}_{n:04}.jpg": JPEG % hash((name, n))
            for name, count in names.items()
            for n in range(1, count + 1)
        },
    )


def test_a_folder_per_person(lfw_like, root):
    run = import_folder(lfw_like, "identities", "tiny", root, WHEN)
    assert (run.state, run.kind) == ("ok", "import")
    assert run.counts == {
        "pages": 1, "subjects": 2, "sightings": 3, "images": 3, "images_new": 3, "not_modified": 0, "failed": 0,
        "refused": 0,
    }  # fmt: skip
    people = {subject.subject_id: subject for subject in landed(root, run, "subject")}
    assert {person.name for person in people.values()} == {"Ada Example", "Bo Sample"}
    for person in people.values():
        assert person.label.startswith("person-")
        assert "Ada" not in person.label
        assert "ada" not in person.subject_id
    blobs = BlobStore(root.blobs)
    for sighting in landed(root, run, "sighting"):
        path = sighting.image_url.removeprefix("file:")
        assert blobs.get(sighting.image_id) == (lfw_like / path).read_bytes()
        assert people[sighting.subject_id].name.replace(" ", "_") == path.split("/")[0]
        assert sighting.slot == "portrait"
    assert [page.via for page in landed(root, run, "page")] == ["file"]
    assert str(lfw_like) not in (root.run_folder("tiny", run.run_id) / landing.RECORDS).read_text()


def test_imported_again_nothing_is_written_twice_and_changes_show(lfw_like, root):
    first = import_folder(lfw_like, "identities", "tiny", root, WHEN)
    inodes = {path: path.stat().st_ino for path in root.blobs.rglob("*") if path.is_file()}
    second = import_folder(lfw_like, "identities", "tiny", root, LATER)
    assert second.counts["not_modified"] == 3
    assert inodes == {path: path.stat().st_ino for path in root.blobs.rglob("*") if path.is_file()}

    def ids(run):
        return {sighting.sighting_id for sighting in landed(root, run, "sighting")}

    assert ids(first) == ids(second)
    (lfw_like / "Bo_Sample/Bo_Sample_0001.jpg").write_bytes(JPEG % 99)
    third = import_folder(lfw_like, "identities", "tiny", root, "2026-12-05T05:00:00Z")
    assert (third.counts["not_modified"], third.counts["images_new"]) == (2, 1)
    assert len(ids(third) - ids(first)) == 1


def test_imports_of_a_name_sort_as_they_follow_each_other(lfw_like, root):
    runs = [import_folder(lfw_like, "identities", "tiny", root, when) for when in (WHEN, WHEN, "2020-01-01T00:00:00Z")]
    folders = list(landing.iter_run_folders(root.landing, "tiny"))
    assert [folder.name for folder in folders] == [run.run_id for run in runs]
    assert [landing.load_run(folder) for folder in folders] == runs


def test_strange_files_land_and_what_is_no_picture_is_said(lfw_like, root):
    more = {
        "Bo_Sample/Bo_Sample_0002.jpg": b"<html>not a picture</html>",
        "Bo_Sample/Bo_Sample_0003.png": b"",
        "Bo_Sample/notes.docx": b"x",
        ".hidden/a.jpg": JPEG,
        "stray.jpg": JPEG,
    }
    made(lfw_like, more)
    (lfw_like / "Bo_Sample" / "outside.jpg").symlink_to("/etc/hostname")
    run = import_folder(lfw_like, "identities", "tiny", root, WHEN)
    html = sha256_hex(b"<html>not a picture</html>")
    assert html in {sighting.image_id for sighting in landed(root, run, "sighting")}
    assert issues(root, run) == {
        ("decode_empty", "file:Bo_Sample/Bo_Sample_0003.png"): 1,
        ("fetch_not_an_image", "file:Bo_Sample/notes.docx"): 1,
    }
    assert run.counts["sightings"] == 5


@pytest.mark.parametrize("has_splits", [False, True])
def test_a_folder_per_class(tmp_path, root, has_splits):
    labels = ("cs", "german")
    tops = ("train/", "val/", "test/") if has_splits else ("",)
    folder = made(
        tmp_path / "in", {f"{top}{label}/{n}.png": JPEG % n for top in tops for label in labels for n in (1, 2)}
    )
    run = import_folder(folder, "classes", "tiny", root, WHEN, subject_kind="item")
    subjects = landed(root, run, "subject")
    assert Counter(subject.label for subject in subjects) == {label: 2 * len(tops) for label in labels}
    assert {subject.kind for subject in subjects} == {"item"}
    splits = Counter(subject.attributes.get("split") for subject in subjects)
    assert splits == ({"train": 4, "validation": 4, "test": 4} if has_splits else {None: 4})


def test_scut_brings_ratings_and_published_splits(tmp_path, root):
    lists = "train_test_files"
    sixty = f"{lists}/split_of_60%training and 40%testing"
    files = {f"Images/{name}": JPEG % n for n, name in enumerate(("AF1.jpg", "CM2.jpg", "CF3.jpg"))}
    files |= {
        f"{lists}/All_labels.txt": b"AF1.jpg 2.5\nCM2.jpg 3.75\nCF3.jpg 1.0\n",
        f"{sixty}/train.txt": b"AF1.jpg 2.5\nCM2.jpg 3.75\n",
        f"{sixty}/test.txt": b"CF3.jpg 1.0\n",
        f"{lists}/5_folders_cross_validations_files/cross_validation_1/test_1.txt": b"CM2.jpg 3.75\n",
        f"{lists}/5_folders_cross_validations_files/cross_validation_1/train_1.txt": b"AF1.jpg 2.5\n",
        f"{lists}/5_folders_cross_validations_files/cross_validation_5/test_5.txt": b"AF1.jpg 2.5\n",
    }
    run = import_folder(made(tmp_path / "in", files), "scut", "tiny", root, WHEN)
    found = {s.attributes["subset"]: s.attributes for s in landed(root, run, "subject")}
    assert found["AF"] == {"subset": "AF", "rating_mean": 2.5, "split": "train", "fold": 4}
    assert found["CM"] == {"subset": "CM", "rating_mean": 3.75, "split": "train", "fold": 0}
    assert found["CF"] == {"subset": "CF", "rating_mean": 1.0, "split": "test"}
    assert len([page for page in landed(root, run, "page") if page.body_sha256]) == 6


def test_lfwcrop_reads_identities_off_flat_names_and_keeps_the_pair_lists(tmp_path, root):
    files = {f"faces/{name}_{n:04}.pgm": b"P5 2 2 255\n%d" % n for name in ("Ada_B", "Bo_C") for n in (1, 2)}
    files["lists/01_test_same.txt"] = b"Ada_B_0001 Ada_B_0002\n"
    run = import_folder(made(tmp_path / "in", files), "lfwcrop", "tiny", root, WHEN)
    assert {subject.name for subject in landed(root, run, "subject")} == {"Ada B", "Bo C"}
    assert run.counts["sightings"] == 4
    pairs = next(page for page in landed(root, run, "page") if page.url == "file:lists/01_test_same.txt")
    assert BlobStore(root.blobs).get(pairs.body_sha256) == files["lists/01_test_same.txt"]


def test_index_csv_finds_files_by_path_address_or_id(tmp_path, root):
    folder = made(tmp_path / "in", {"a.jpg": JPEG % 1, "sub/b.jpg": JPEG % 2, "train/cs/0003.jpg": JPEG % 3})
    rows = [
        ("1", "cs", "https://uni.example/a.jpg", "Ada B", "a.jpg"),
        ("2", "econ", "sub/b.jpg", "", ""),
        ("0003", "cs", "https://uni.example/c.jpg", "", ""),
    ]
    with (folder / "index.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("id", "category", "image_url", "name", "path"), *rows])
    run = import_folder(folder, "index-csv", "tiny", root, WHEN)
    assert Counter(subject.label for subject in landed(root, run, "subject")) == {"cs": 2, "econ": 1}
    assert {s.image_url for s in landed(root, run, "sighting")} == {
        "file:a.jpg",
        "file:sub/b.jpg",
        "file:train/cs/0003.jpg",
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_folder_that_is_laid_out_otherwise_is_a_usage_error_and_leaves_nothing(tmp_path, root, layout):
    folder = made(tmp_path / "in", {"readme.md": b"nothing here"})
    with pytest.raises(UsageError, match="expected"):
        import_folder(folder, layout, "tiny", root, WHEN)
    assert not root.landing.exists()


def test_unknown_layouts_and_missing_folders_are_usage_errors(tmp_path, root):
    with pytest.raises(UsageError, match="identities"):
        import_folder(tmp_path, "people", "tiny", root, WHEN)
    with pytest.raises(UsageError, match="folder"):
        import_folder(tmp_path / "missing", "classes", "tiny", root, WHEN)


def test_an_import_that_was_stopped_goes_on(lfw_like, root, monkeypatch):
    whole = import_folder(lfw_like, "identities", "other", root, WHEN)
    put, count = BlobStore.put, itertools.count()

    def fails(self, body):
        if next(count) == 2:
            raise KeyboardInterrupt
        return put(self, body)

    monkeypatch.setattr(BlobStore, "put", fails)
    with pytest.raises(KeyboardInterrupt):
        import_folder(lfw_like, "identities", "tiny", root, WHEN)
    monkeypatch.undo()
    run = import_folder(lfw_like, "identities", "tiny", root, LATER)
    assert run.run_id.startswith("20261121T")
    assert run.counts["sightings"] == whole.counts["sightings"]
    assert len({s.sighting_id for s in landed(root, run, "sighting")}) == 3


def test_a_takedown_holds(lfw_like, root):
    bytes_of = (lfw_like / "Bo_Sample/Bo_Sample_0001.jpg").read_bytes()
    held = Suppressions(images=frozenset({sha256_hex(bytes_of)}))
    run = import_folder(lfw_like, "identities", "tiny", root, WHEN, suppressions=held)
    assert sha256_hex(bytes_of) not in BlobStore(root.blobs)
    assert issues(root, run) == {("policy_suppressed", "(taken down)"): 1}


def test_nothing_that_names_a_person_lands_after_a_takedown(lfw_like, root):
    bytes_of = (lfw_like / "Bo_Sample/Bo_Sample_0001.jpg").read_bytes()
    (lfw_like / "pairs.txt").write_text("2\nAda_Example\t1\t2\nAda_Example\t1\tBo_Sample\t1\n")
    held = Suppressions(names=name_forms("Bo Sample"))
    run = import_folder(lfw_like, "identities", "tiny", root, WHEN, suppressions=held)
    assert run.counts["subjects"] == 1
    assert sha256_hex(bytes_of) not in BlobStore(root.blobs)
    for path in (path for path in root.root.rglob("*") if path.is_file()):
        assert b"Bo_Sample" not in path.read_bytes(), path
        assert b"Sample" not in path.read_bytes(), path
    assert any(b"Ada_Example\t1\t2" in path.read_bytes() for path in root.blobs.rglob("*") if path.is_file())


@pytest.mark.shared_data
def test_a_slice_of_a_real_folder(shared_data, tmp_path, root):
    people = sorted(path for path in (shared_data / "lfw").iterdir() if path.is_dir())[:40]
    folder = tmp_path / "in"
    folder.mkdir()
    count = 0
    for person in people:
        (folder / person.name).mkdir()
        for picture in person.iterdir():
            (folder / person.name / picture.name).write_bytes(picture.read_bytes())
            count += 1
    run = import_folder(folder, "identities", "lfw", root, WHEN)
    assert run.counts["subjects"] == 40
    assert run.counts["sightings"] == count
    assert BlobStore(root.blobs).verify() == []

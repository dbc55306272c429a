from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from catalog.errors import UsageError
from curation.executors import InlineExecutor
from curation.folder.crop import INDEX, CropSettings, crop_folder, output_names, write_report


@pytest.fixture
def faces(tmp_path, draw, draw_face, encode):
    folder = tmp_path / "pictures"
    (folder / "sub").mkdir(parents=True)
    (folder / "one.jpg").write_bytes(encode(draw_face(1)))
    (folder / "sub/two.png").write_bytes(encode(draw_face(2), "PNG"))
    (folder / "side.jpg").write_bytes(encode(np.ascontiguousarray(np.rot90(draw_face(3)))))
    (folder / "none.jpg").write_bytes(encode(draw(5)))
    (folder / "bad.jpg").write_bytes(b"")
    return folder


def cropped(folder, out, **changes):
    rows = crop_folder(folder, out, CropSettings(**changes), InlineExecutor())
    return {row["path"]: row for row in rows}


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_every_picture_gives_a_crop_or_a_reason(faces, tmp_path):
    before = files(faces)
    rows = cropped(faces, tmp_path / "out", size_px=96)
    assert {path: (row["crop"], row["reason"]) for path, row in rows.items()} == {
        "bad.jpg": ("", "decode_empty"),
        "none.jpg": ("", "faces_none_found"),
        "one.jpg": ("one.jpg", ""),
        "side.jpg": ("side.jpg", ""),
        "sub/two.png": ("sub/two.jpg", ""),
    }
    assert rows["side.jpg"]["turn_deg"] == 270
    assert set(files(tmp_path / "out")) == {"one.jpg", "side.jpg", "sub/two.jpg", INDEX}
    assert Image.open(tmp_path / "out/one.jpg").size == (96, 96)
    assert files(faces) == before


def test_the_same_pictures_give_the_same_bytes_and_only_new_ones_are_work(faces, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    cropped(faces, first)
    cropped(faces, second)
    assert files(first) == files(second)
    (second / "one.jpg").unlink()
    untouched = (second / "side.jpg").stat().st_mtime_ns
    cropped(faces, second)
    assert files(first) == files(second)
    assert (second / "side.jpg").stat().st_mtime_ns == untouched


def test_other_settings_make_all_crops_anew(faces, tmp_path):
    out = tmp_path / "out"
    cropped(faces, out)
    cropped(faces, out, size_px=50, format="png")
    crop = Image.open(out / "sub/two.png")
    assert (crop.size, crop.format) == ((50, 50), "PNG")


def test_sources_and_foreign_files_are_never_replaced(faces, tmp_path):
    before = files(faces)
    with pytest.raises(UsageError, match="would replace a picture"):
        cropped(faces, faces)
    out = tmp_path / "out"
    out.mkdir()
    (out / "one.jpg").write_bytes(b"mine")
    with pytest.raises(UsageError, match="no crop of an earlier run"):
        cropped(faces, out)
    assert files(faces) == before
    assert files(out) == {"one.jpg": b"mine"}


def test_crops_inside_the_folder_are_no_pictures_of_the_next_run(faces):
    first = cropped(faces, faces / "crops")
    assert cropped(faces, faces / "crops") == first


def test_names_that_would_be_the_same_are_kept_apart():
    names = output_names(["a.png", "a.jpg", "A.jpeg", "b/a.gif"], "jpg")
    assert names == {"A.jpeg": "A.jpg", "a.jpg": "a.jpg.jpg", "a.png": "a.png.jpg", "b/a.gif": "b/a.jpg"}


def test_reports_are_csv_or_json(faces, tmp_path):
    rows = crop_folder(faces, tmp_path / "out", CropSettings(), InlineExecutor())
    write_report(tmp_path / "r.json", rows)
    assert json.loads((tmp_path / "r.json").read_text()) == rows
    write_report(tmp_path / "r.csv", rows)
    lines = (tmp_path / "r.csv").read_text().splitlines()
    assert lines[1].startswith("bad.jpg,,decode_empty,")
    with pytest.raises(UsageError, match=r"\.csv or \.json"):
        write_report(tmp_path / "r.txt", rows)


def test_the_prominent_face_is_the_large_central_one(tmp_path, draw_face, encode):
    (tmp_path / "in").mkdir()
    group = draw_face(4, 600, ((0.5, 0.55, 0.2), (0.12, 0.3, 0.1), (0.86, 0.3, 0.09)))
    (tmp_path / "in/group.jpg").write_bytes(encode(group))
    row = cropped(tmp_path / "in", tmp_path / "out")["group.jpg"]
    assert row["faces_count"] == 3
    assert row["x0"] < 300 < row["x1"]

from __future__ import annotations

import numpy as np

from curation.executors import InlineExecutor
from curation.folder.pictures import find_pictures, list_pictures, measure
from curation.folder.quality import STAGES, quality_rows


def test_numbers_and_reasons_of_good_and_bad_pictures(tmp_path, draw, encode):
    (tmp_path / "good.jpg").write_bytes(encode(draw(1)))
    (tmp_path / "blank.png").write_bytes(encode(np.full((90, 90, 3), 200, np.uint8), "PNG"))
    (tmp_path / "small.png").write_bytes(encode(draw(2)[:20, :20], "PNG"))
    (tmp_path / "empty.gif").write_bytes(b"")
    listed = list_pictures(tmp_path, find_pictures(tmp_path))
    measured = measure(listed, STAGES, tmp_path / "work", InlineExecutor())
    rows = {row["path"]: row for row in quality_rows(measured)}
    assert {path: row["reason"] for path, row in rows.items()} == {
        "blank.png": "quality_blank", "empty.gif": "decode_empty", "good.jpg": "", "small.png": "quality_too_small",
    }  # fmt: skip
    assert rows["good.jpg"]["width_px"] == 160
    assert rows["good.jpg"]["sharpness"] > rows["blank.png"]["sharpness"]
    strict = {row["path"]: row["reason"] for row in quality_rows(measured, {"min_sharpness": 1e9})}
    assert strict["good.jpg"] == "quality_blurred"

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backbones import eight_bit
from backbones.eight_bit import check_processor, has_eight_bit_products, quantised, sample_pixels
from backbones.embedder import Embedder, embedder, export_onnx
from backbones.weights import PACKAGED, preprocessing
from catalog.errors import UsageError

needs_products = pytest.mark.skipif(not has_eight_bit_products(), reason="this processor has no VNNI")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("sse avx2 avx512_vnni", True), ("avx2 avx_vnni", True), ("asimddp", True), ("sse avx2", False)],
)
def test_processors_that_saturate_are_known_and_refused(flags, expected):
    cpuinfo = f"model name\t: some processor\nflags\t\t: {flags}\n"
    assert has_eight_bit_products(cpuinfo) is expected
    if not expected:
        with pytest.raises(UsageError, match="VNNI"):
            check_processor(cpuinfo)


@pytest.mark.parametrize(
    ("name", "device", "precision", "message"),
    [
        (PACKAGED, "cpu", "int4", "expected float32 or int8"),
        (PACKAGED, "cuda", "int8", "device cpu"),
        ("models/x/1/model.onnx", "cpu", "int8", "timm backbone"),
    ],
)
def test_a_precision_that_is_not_offered_is_said_so(name, device, precision, message):
    with pytest.raises(UsageError, match=message):
        embedder(name, device, precision)


def test_ranges_leave_out_what_is_rare():
    random = np.random.default_rng(0)
    seen = eight_bit._Seen()
    given = random.normal(0, 1, (4, 2, 100, 100)).astype(np.float32)
    given[0, 0, 0, 0], given[1, 1] = 12, given[1, 1] + 3
    seen.add(given, random)
    assert seen.high == 12
    low, high = seen.best_range()
    assert high < 12
    assert low == pytest.approx(seen.low, rel=0.3)
    assert seen.means() == pytest.approx(given.mean(axis=(0, 2, 3)), abs=1e-3)


@pytest.mark.slow
@needs_products
def test_eight_bits_give_nearly_what_float_gives():
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (12, 9, 12, 3), dtype=np.uint8)
    pictures = [np.kron(one, np.ones((30, 30, 1), np.uint8)) for one in coarse]
    cosine = (embedder().embed(pictures) * embedder(precision="int8").embed(pictures)).sum(axis=1)
    assert cosine.mean() > 0.99
    assert cosine.max() < 0.99999  # or it would be float


@pytest.fixture
def few(monkeypatch, tmp_path) -> tuple[Path, dict[str, object]]:
    """The packaged backbone in a folder of its own, to be calibrated on few pictures."""
    monkeypatch.setattr(eight_bit, "_CALIBRATION_COUNT", 8)
    monkeypatch.setattr(eight_bit, "_HELD_OUT_COUNT", 4)
    path = export_onnx()
    copy = tmp_path / path.name
    copy.symlink_to(path)
    return copy, json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.slow
@needs_products
def test_the_file_is_made_once_and_the_same_every_time(few):
    path, settings = few
    made = quantised(path, settings)
    body, changed = made.read_bytes(), made.stat().st_mtime_ns
    assert quantised(path, settings).stat().st_mtime_ns == changed
    made.unlink()
    assert quantised(path, settings).read_bytes() == body
    assert len(body) < path.stat().st_size / 2
    assert Embedder(made, settings).run(sample_pixels(1, settings)).shape == (1, 1280)


@pytest.mark.slow
@needs_products
def test_a_backbone_that_loses_too_much_is_refused_and_leaves_no_file(few, monkeypatch):
    monkeypatch.setattr(eight_bit, "_LEAST_COSINE", 1.01)
    path, settings = few
    with pytest.raises(UsageError, match="expected at least"):
        quantised(path, settings)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_pictures_to_calibrate_on_are_the_same_every_time():
    settings = preprocessing() | {"size_px": 16}
    pixels = sample_pixels(6, settings)
    assert pixels.shape == (6, 3, 16, 16)
    assert (pixels == sample_pixels(6, settings)).all()
    assert -1.01 < pixels.min() < pixels.max() < 1.01

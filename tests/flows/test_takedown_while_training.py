"""A takedown stops the training that reads an affected release, and leaves nothing of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.config import Config, config_environment
from catalog.release_format import find_release
from flows import keeping, steps

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RECIPE = """
[recipe]
title = "Drawn"
sources = ["drawn"]
purpose = "Drawn pictures of nobody in two classes, to see that a takedown stops what is learned from them."
subject_kind = "person"
slots = ["portrait"]
[stages.quality]
[stages.hashes]
[stages.thumbnails]
[stages.samples]
region = "image"
[stages.duplicates]
[stages.labels]
[stages.groups]
[splits]
kind = "ratios"
ratios = { train = 0.5, validation = 0.25, test = 0.25 }
stratify = ["label"]
seed = 1
[release]
image = "original"
size_px = 64
"""


def _draw(folder: Path) -> Path:
    generator = np.random.default_rng(5)
    for label in ("one", "two"):
        (folder / label).mkdir(parents=True)
        for number in range(16):
            coarse = Image.fromarray(generator.integers(0, 256, (6, 6, 3), dtype=np.uint8))
            coarse.resize((96, 96), Image.Resampling.BICUBIC).save(folder / label / f"{number}.png")
    return folder


def test_a_takedown_stops_the_training_on_what_it_ends(tmp_path: Path) -> None:
    config = Config(root=tmp_path / "root", executor="inline")
    config.data_root.recipes.mkdir(parents=True)
    (config.data_root.recipes / "drawn.toml").write_text(RECIPE)
    pictures = _draw(tmp_path / "pictures")
    steps.import_folder(config, pictures, "classes", "drawn")
    steps.release_curated(config, steps.curate_recipe(config, "drawn"))
    old = find_release(config.data_root.releases, "drawn")

    command = [sys.executable, "-m", "flows.cli", "train", "classification", "--release", "drawn"]
    settings = ["phases.train.epochs=100000", "phases.train.patience=0", "machine.threads=1"]
    training = subprocess.Popen(
        [*command, "--experiment", "small_cnn", *(word for one in settings for word in ("--set", one))],
        env={**os.environ, **config_environment(config)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(config.data_root.runs.glob("*/*/checkpoints/*/last.ckpt")):
        assert training.poll() is None, training.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.1)

    request, picture = keeping.request_takedown("image", pictures / "one" / "0.png", "asked", same_subject=False)
    keeping.keep_request(config, request, picture)
    receipt = keeping.take_down(config, request.request_id)

    assert training.wait(30) == 1
    assert training.stderr is not None
    assert request.request_id in training.stderr.read()
    assert not list(config.data_root.runs.glob("*/*")), "what was learned from the picture stays"
    new = find_release(config.data_root.releases, "drawn")
    assert receipt["releases"] == [{"ended": f"drawn@{old.version}", "replaced_by": new.version}]
    result = steps.train_release(
        config, "drawn", "classification", "small_cnn", ["phases.train.epochs=1", "machine.threads=1"]
    )
    assert result.is_new

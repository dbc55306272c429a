from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from catalog.errors import UsageError
from catalog.paths import DataRoot
from catalog.release_format import Release
from training.config import load_training_config
from training.data import load_data
from training.find import Finder
from training.tasks.metric import MetricTask
from training.train import train

Make = Callable[..., Release]
NOW = "2026-11-21T05:00:00Z"
SMALL = ("machine.threads=1", "machine.accelerator=cpu", "model.name=small_cnn", "model.is_pretrained=false",
         "data.size_px=32", "data.mode=grey", "model.dense=32", "task.width=16", "batch_size=8",
         "task.mine_every_steps=15", "phases.tune.epochs=4", "phases.tune.learning_rate=0.002",
         "phases.tune.head_factor=1.0", "augment.rotation_deg=2", "augment.zoom_frac=0.02")  # fmt: skip
SHOP = {"slots": ("seller", "buyer"), "per_class": {"train": 8, "validation": 4, "test": 4}}


@pytest.mark.slow
def test_few_items_are_found_by_heart_and_the_finder_agrees(make_release: Make, root: DataRoot) -> None:
    release = make_release(**SHOP)
    result = train("metric", release, root, experiment="street2shop_small", overrides=SMALL, now=NOW)
    test = result.metrics["parts"]["test"]
    assert test["recall_at_1"] > 0.95
    assert (test["count"], test["gallery_count"], test["lone_count"]) == (8, 32, 0)
    assert 0 <= result.metrics["frozen"]["test"]["recall_at_1"] <= test["recall_at_1"]
    page = result.report_path.read_text(encoding="utf-8")
    assert all(words in page for words in ("frozen backbone", "R@100", "Queries and their answers", "✓"))

    samples = release.samples()
    finder = Finder(result.model_folder, release, root)
    hits = 0
    queries = samples[(samples["slot"] == "buyer") & (samples["split"] == "test")]
    for path, label in zip(queries["path"], queries["label"], strict=True):
        found = finder.find(np.asarray(Image.open(release.folder / path)), 3)
        assert [each.rank for each in found] == [1, 2, 3]
        assert len({each.label for each in found}) == 3, "an item comes once"
        hits += found[0].label == label
    assert hits / len(queries) == test["recall_at_1"]


@pytest.mark.slow
def test_items_are_found_by_a_map_that_is_solved(make_release: Make, root: DataRoot) -> None:
    release = make_release(**SHOP)
    overrides = ("machine.threads=1", "machine.accelerator=cpu", "data.size_px=64", "task.width=16")
    result = train("metric", release, root, experiment="street2shop_whitened", overrides=overrides, now=NOW)
    frozen, test = result.metrics["frozen"]["test"], result.metrics["parts"]["test"]
    assert test["recall_at_1"] > 0.9
    assert test["gallery_count"] == frozen["gallery_count"] == 32
    with pytest.raises(UsageError, match=r"task\.shrinkage -1"):
        train("metric", release, root, experiment="street2shop_whitened", overrides=("task.shrinkage=-1.0",), now=NOW)
    with pytest.raises(UsageError, match=r"set model\.dense=0"):
        train("metric", release, root, experiment="street2shop_whitened", overrides=("model.dense=8",), now=NOW)


def test_the_anchor_is_of_the_side_that_the_setting_names(make_release: Make, root: DataRoot) -> None:
    release = make_release(**SHOP)
    for mining in ("offline", "online"):
        for anchor, other in (("buyer", "seller"), ("seller", "buyer")):
            overrides = [*SMALL, f"task.anchor={anchor}", f"task.mining={mining}"]
            config = load_training_config("street2shop_small", overrides)
            data = load_data(release, root, config.data)
            task = MetricTask.from_data(data, config)
            random = np.random.default_rng(1).normal(size=(len(data.samples), 4)).astype(np.float32)
            vectors = random / np.linalg.norm(random, axis=1, keepdims=True)
            examples = task.training_examples(data, 1, lambda rows, vectors=vectors: vectors[rows])
            slots, splits = (data.samples[name].to_numpy()[examples.rows] for name in ("slot", "split"))
            assert examples.rows.shape == (15 * 8, 3 if mining == "offline" else 2)
            assert (slots[:, 0] == anchor).all()
            assert (slots[:, 1:] == other).all()
            assert (splits == "train").all()
            items = data.subject_codes[examples.rows]
            assert (items[:, 0] == items[:, 1]).all()


def test_a_query_without_a_match_counts_as_missed(make_release: Make, root: DataRoot) -> None:
    release = make_release(**SHOP)
    samples = release.samples()
    lonely = (samples["split"] == "test") & (samples["slot"] == "buyer") & (samples["label"] == "cs")
    samples.loc[lonely, "label"] = "unheard of"
    samples.to_parquet(release.folder / "samples.parquet")
    result = train("metric", release, root, experiment="street2shop_small",
                   overrides=[*SMALL, "task.mining=online", "phases.tune.epochs=1"], now=NOW)  # fmt: skip
    test = result.metrics["parts"]["test"]
    assert (test["lone_count"], test["count"]) == (2, 8)
    assert test["recall_at_100"] == 0.75


@pytest.mark.parametrize(
    ("release", "overrides", "message"),
    [
        ({}, [], "two items with photos of seller and buyer"),
        (SHOP, ["task.mining=never"], "task.mining 'never'"),
        (SHOP, ["phases.tune.is_cached=true", "phases.tune.backbone_layers=0"], "chooses its examples"),
    ],
)
def test_what_cannot_be_trained_says_why(
    make_release: Make, root: DataRoot, release: dict, overrides: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        train("metric", make_release(**release), root, experiment="street2shop_small",
              overrides=[*SMALL, *overrides], now=NOW)  # fmt: skip

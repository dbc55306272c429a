"""Which pairs are looked at: hashes and embeddings planted, no picture behind them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from curation.stages.duplicates import SETTINGS, _candidates
from curation.stages.hashes import VIEWS

IMAGES = ["a", "b"]


def planted(**views: int) -> pd.DataFrame:
    """Two pictures: all hashes of b are far from those of a, but for the named views of b, so many bits apart."""
    random = np.random.default_rng(3)
    columns = {name: [int(random.integers(2**63)), int(random.integers(2**63))] for name in VIEWS}
    for name in ("phash_content", "dhash_content"):
        columns[name] = columns[name.removesuffix("_content")].copy()
    for name, bits in views.items():
        kind = name.split("_")[0]
        of = "_content" if name.endswith("_content") else ""
        columns[name][1] = columns[f"{kind}{of}"][0] ^ ((1 << bits) - 1)
    frame = pd.DataFrame({name: np.array(values, np.uint64) for name, values in columns.items()})
    return frame.assign(image_id=IMAGES, pixels_digest=IMAGES, is_low_information=False)


def vectors(cosine: float) -> pd.DataFrame:
    pair = [np.array([1, 0], np.float32), np.array([cosine, np.sqrt(1 - cosine**2)], np.float32)]
    return pd.DataFrame({"image_id": IMAGES, "embedding": pair})


@pytest.mark.parametrize(
    ("views", "cosine", "expected"),
    [
        ({"phash": 4, "dhash": 30}, 0.1, [""]),
        ({"phash": 8, "dhash": 8}, 0.95, [""]),
        ({"phash": 8, "dhash": 8}, 0.5, []),
        ({"phash": 22}, 0.95, [""]),
        ({"phash_mirror": 3, "dhash_mirror": 3}, 0.1, ["mirror"]),
        ({"phash_crop": 3, "dhash_crop": 3}, 0.1, [""]),
        ({"phash_content": 3, "dhash_content": 3}, 0.1, [""]),
        ({"phash_turn90": 3}, 0.1, ["turn90"]),
        ({"phash": 20}, 0.8, [""]),
        ({"phash_crop": 20}, 0.8, [""]),
        ({"phash_content": 20}, 0.8, [""]),
        ({"phash_mirror": 20}, 0.8, ["mirror"]),
        ({"phash": 22}, 0.8, []),
        ({"phash": 20}, 0.65, []),
        ({}, 0.8, []),
    ],
    ids=str,
)
def test_which_pairs_are_looked_at(views, cosine, expected):
    found = _candidates(IMAGES, planted(**views), vectors(cosine), SETTINGS)
    assert [view for _, _, view in found] == expected


def test_without_an_embedding_hashes_alone_nominate():
    assert list(_candidates(IMAGES, planted(phash=8, dhash=8), None, SETTINGS)) == [(0, 1, "")]
    assert not _candidates(IMAGES, planted(phash=12, dhash=8), None, SETTINGS)

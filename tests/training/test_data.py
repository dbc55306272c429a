from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from catalog.errors import CatalogCorrupt, UsageError
from catalog.paths import DataRoot
from catalog.release_format import Release
from training.config import DataConfig, load_training_config
from training.data import evaluation_parts, load_data, prepare_image

Make = Callable[..., Release]


def test_every_row_is_its_sample_decoded_once(make_release: Make, root: DataRoot) -> None:
    release = make_release()
    decoded: list[int] = []
    for mode, channels in (("grey", 1), ("rgb", 3)):
        data = load_data(release, root, DataConfig(size_px=32, mode=mode), lambda done, _: decoded.append(done))
        assert data.pixels.shape == (len(data.samples), channels, 32, 32)
        assert isinstance(data.pixels, np.memmap)
        for row, path in enumerate(data.samples["path"]):
            with Image.open(release.folder / path) as image:
                wanted = image.convert("L" if mode == "grey" else "RGB").resize((32, 32), Image.Resampling.BICUBIC)
            expected = np.asarray(wanted).reshape(32, 32, channels).transpose(2, 0, 1)
            assert np.array_equal(data.pixels[row], expected)
    assert len(decoded) == 2 * len(release.samples())
    load_data(release, root, DataConfig(size_px=32, mode="rgb"), lambda done, _: decoded.append(done))
    assert len(decoded) == 2 * len(release.samples())


def test_an_unreadable_picture_stops_with_its_sample_and_leaves_nothing_that_counts(
    make_release: Make, root: DataRoot
) -> None:
    release = make_release()
    broken = release.samples().iloc[7]
    path = release.folder / broken["path"]
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CatalogCorrupt, match=broken["sample_id"]):
        load_data(release, root, DataConfig())
    path.write_bytes(whole)
    assert len(load_data(release, root, DataConfig()).pixels) == len(release.samples())


def test_parts_are_the_splits_and_the_test_split_without_what_spoils_it(make_release: Make, root: DataRoot) -> None:
    release = make_release()
    assert evaluation_parts(load_data(release, root, DataConfig())) == ["train", "validation", "test"]
    samples = release.samples()
    test = samples.index[samples["split"] == "test"]
    samples.loc[test[:3], "is_leaking_copy"] = True
    samples.loc[test[2:4], "is_clean"] = False
    samples.to_parquet(release.folder / "samples.parquet")
    data = load_data(release, root, DataConfig())
    assert evaluation_parts(data)[3:] == ["test_clean", "test_without_leaking_copies"]
    assert data.rows("test").tolist() == test.tolist()
    assert data.rows("test_without_leaking_copies").tolist() == test[3:].tolist()
    assert data.rows("test_clean").tolist() == sorted(set(test) - set(test[2:4]))
    with pytest.raises(UsageError, match="no part"):
        data.rows("test_dirty")


def test_a_picture_is_turned_upright_and_cut_to_its_centre_square() -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, 20:60, 1] = 200
    pixels[:10, :, 0] = 255
    image = Image.fromarray(pixels)
    assert np.array_equal(
        prepare_image(image, DataConfig(size_px=40, mode="rgb")), pixels[:, 20:60].transpose(2, 0, 1)
    )
    image.getexif()[0x0112] = 3  # upside down
    turned = prepare_image(image, DataConfig(size_px=40, mode="rgb"))
    assert turned[0, -10:].min() == 255
    assert turned[0, :30].max() == 0


@pytest.mark.parametrize("mode", ["grey", "rgb"])
def test_all_of_a_picture_is_kept_where_that_is_asked_for(mode: str) -> None:
    pixels = np.full((40, 80, 3), 200, np.uint8)
    pixels[:, :20], pixels[:, 60:] = 0, 255
    image = Image.fromarray(pixels)
    padded = prepare_image(image, DataConfig(size_px=40, mode=mode, fit="pad"))
    stretched = prepare_image(image, DataConfig(size_px=40, mode=mode, fit="stretch"))
    for row in (*padded[:, 20], *stretched[:, 2], *stretched[:, 37]):
        assert row[[0, 20, 39]].tolist() == [0, 200, 255], "left, middle and right are all there"
    assert (padded[:, :10] == 128).all()
    assert (padded[:, 30:] == 128).all()
    with pytest.raises(UsageError, match=r"data\.fit must be one of crop, stretch, pad"):
        load_training_config("small_cnn", ("data.fit=bent",))


def test_only_the_centre_is_looked_at_where_that_is_asked_for() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (50, 50, 3), np.uint8)
    seen = prepare_image(Image.fromarray(pixels), DataConfig(size_px=30, mode="rgb", centre_frac=0.6))
    assert np.array_equal(seen, pixels[10:40, 10:40].transpose(2, 0, 1))

from __future__ import annotations

import numpy as np
import pytest

from backbones.embedder import TorchEmbedder, cache_folder, embedder
from backbones.pixels import prepare_pixels
from backbones.weights import PACKAGED, backbone, preprocessing
from catalog.errors import UsageError

SETTINGS = {"size_px": 32, "crop_frac": 0.875, "mean": [0.5] * 3, "std": [0.5] * 3}


def test_pixels_are_the_normalised_centre():
    rgb = np.zeros((80, 120, 3), np.uint8)
    rgb[:, 40:80] = (255, 128, 0)
    pixels = prepare_pixels(rgb, SETTINGS)
    assert pixels.shape == (3, 32, 32)
    assert pixels.dtype == np.float32
    assert pixels[:, 16, 16] == pytest.approx([1, 0.004, -1], abs=0.01)
    assert pixels[0, 16, 0] == -1


def test_the_cache_is_where_the_environment_says(tmp_path):
    assert cache_folder({"GLEANERY_CACHE": "/a"}).as_posix() == "/a/backbones"
    assert cache_folder({"XDG_CACHE_HOME": "/b"}).as_posix() == "/b/gleanery/backbones"


def test_unknown_names_are_refused():
    with pytest.raises(UsageError, match="no timm model"):
        backbone("no_such_net")
    with pytest.raises(UsageError, match="no timm model"):
        preprocessing("no_such_net")


@pytest.mark.slow
def test_weights_that_cannot_be_had_are_said_so(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UsageError, match="works offline"):
        backbone("resnet18")


@pytest.mark.slow
def test_the_exported_file_gives_what_torch_gives():
    import torch

    rgb = np.random.default_rng(0).integers(0, 256, (3, 300, 260, 3), dtype=np.uint8)
    found = embedder().embed(list(rgb))
    pixels = np.stack([prepare_pixels(image, preprocessing(PACKAGED)) for image in rgb])
    with torch.no_grad():
        vectors = backbone(PACKAGED)(torch.from_numpy(pixels)).numpy()
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert found.shape == (3, 1280)
    assert np.abs(found - expected).max() < 1e-4
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.shared_data
def test_the_packaged_weights_tell_garments_from_rubbish(shared_data):
    from PIL import Image

    paths = [sorted((shared_data / "noise" / kind).iterdir())[::25] for kind in ("good", "noise")]
    vectors = [embedder().embed([np.asarray(Image.open(p).convert("RGB")) for p in found]) for found in paths]
    half = [len(found) // 2 for found in vectors]
    line = vectors[0][: half[0]].mean(axis=0) - vectors[1][: half[1]].mean(axis=0)
    scores = [found[count:] @ line for found, count in zip(vectors, half, strict=True)]
    assert (scores[0].mean() > scores[1]).mean() > 0.9


def test_a_device_that_is_not_there_is_said_so():
    import torch

    with pytest.raises(UsageError, match="expected cpu or cuda"):
        embedder(PACKAGED, "tpu")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="sees none"):
            embedder(PACKAGED, "cuda")


@pytest.mark.gpu
def test_a_gpu_gives_what_the_cpu_gives():
    import torch

    if not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device")
    rgb = list(np.random.default_rng(0).integers(0, 256, (8, 300, 260, 3), dtype=np.uint8))
    cosine = (TorchEmbedder().embed(rgb) * embedder().embed(rgb)).sum(axis=1)
    assert cosine.min() > 0.999

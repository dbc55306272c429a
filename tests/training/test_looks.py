from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from backbones.sessions import open_onnx
from catalog.errors import UsageError
from catalog.paths import DataRoot
from catalog.release_format import Release
from training.config import ModelConfig, load_training_config
from training.finished import export_onnx
from training.looks import Looks, enlarged
from training.models import BesideModel, PictureModel, create_model
from training.train import train


def test_a_picture_is_enlarged_about_its_centre_and_its_border_is_repeated() -> None:
    images = torch.zeros(1, 1, 16, 16)
    images[0, 0, 4:12, 4:12] = 1
    near, far = enlarged(images, 1.5), enlarged(images, 0.5)
    assert near.shape == far.shape == images.shape
    assert near[0, 0, 3:13, 3:13].mean() > 0.99
    assert near[0, 0, :, 0].max() == 0
    assert far.sum() == pytest.approx(16)
    for each in (near, far):
        torch.testing.assert_close(each, each.flip(-1))
        torch.testing.assert_close(each, each.flip(-2))
    framed = torch.zeros(1, 1, 16, 16)
    framed[..., -1] = 1
    assert (enlarged(framed, 0.5)[0, 0, :, 12:] > 0).all(), "what lies beyond the border is not the border"
    assert enlarged(images, 1.0) is images


def test_an_answer_is_the_mean_over_all_looks_outside_training() -> None:
    model = PictureModel(nn.Flatten(), nn.Linear(108, 1), looks=Looks(True, (0.5, 1.0, 1.5))).eval()
    images = torch.rand(4, 3, 6, 6)
    naive = torch.zeros(4, 1)
    for zoom in (0.5, 1.0, 1.5):
        for mirrored in (False, True):
            view = enlarged(images, zoom)
            naive += model.head(model.backbone(view.flip(-1) if mirrored else view)) / 6
    torch.testing.assert_close(model(images), naive)
    torch.testing.assert_close(model(images.flip(-1)), naive)
    torch.testing.assert_close(model.train()(images), model.head(model.backbone(images)))


def test_a_model_beside_another_zooms_once_all_answer() -> None:
    learner, reader = (PictureModel(nn.Flatten(), nn.Linear(108, 1)) for _ in range(2))
    model = BesideModel([learner], reader, 0.25, Looks(False, (0.5, 1.5))).eval()
    images = torch.rand(4, 3, 6, 6)
    torch.testing.assert_close(model(images), learner(images))
    model.solved()
    views = [enlarged(images, zoom) for zoom in (0.5, 1.5)]
    expected = sum(0.75 * learner(view) + 0.25 * reader(view) for view in views) / 2
    torch.testing.assert_close(model(images), expected)


def test_what_is_exported_looks_as_often() -> None:
    settings = ModelConfig(name="timm:tf_efficientnet_lite0", dense=0, mirror=True, zooms=[0.9, 1.0, 1.1])
    model = create_model(settings, 3, 64, 1).eval()
    exported = BytesIO()
    export_onnx(model, exported, 3, 64)
    images = torch.rand(3, 3, 64, 64)
    with torch.inference_mode():
        expected = model(images).numpy()
    (found,) = open_onnx(exported.getvalue(), 1).run(["outputs"], {"images": images.numpy()})
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_looks_that_cannot_be_taken_are_refused(
    make_release: Callable[..., Release], root: DataRoot, tmp_path: Path
) -> None:
    for zooms in ("[]", "[0.0]", '["near"]', "[true]"):
        with pytest.raises(UsageError, match=r"model\.zooms must be numbers from 0\.5 to 2"):
            load_training_config("rating", (f"model.zooms={zooms}",))
    with pytest.raises(UsageError, match=r"for classification and regression, not for verification"):
        train("verification", make_release(), root, overrides=("model.mirror=true",), now="2026-11-21T05:00:00Z")

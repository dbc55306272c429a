from __future__ import annotations

import pytest
import torch
from torch import nn

from catalog.errors import UsageError
from training.config import ModelConfig, load_training_config
from training.models import PictureModel, create_model, freeze, parameter_count


def test_the_small_network_has_the_published_size() -> None:
    settings = load_training_config("small_cnn")
    model = create_model(settings.model, 1, settings.data.size_px, 4)
    assert parameter_count(model) == 92_868
    assert model(torch.zeros(2, 1, 64, 64)).shape == (2, 4)


def test_pooling_first_gives_what_relu_first_gives() -> None:
    model = create_model(ModelConfig(), 1, 64, 4).eval()
    values = images = torch.rand(3, 1, 64, 64)
    for layer in model.backbone:
        if isinstance(layer, nn.Conv2d):
            values = nn.functional.max_pool2d(torch.relu(layer(values)), 2)
    assert torch.equal(model.backbone(images), values.flatten(1))


def test_published_networks_have_the_published_sizes() -> None:
    with torch.device("meta"):
        vgg16 = create_model(ModelConfig(name="torchvision:vgg16", dense=128), 3, 224, 4)
        resnet50 = create_model(ModelConfig(name="torchvision:resnet50", dense=0), 3, 224, 1)
    assert (parameter_count(vgg16), parameter_count(vgg16.head)) == (14_780_868, 66_180)
    assert parameter_count(resnet50) == 23_510_081


def test_torchvision_models_serve_as_backbones() -> None:
    settings = ModelConfig(name="torchvision:squeezenet1_1", dense=16)
    model = create_model(settings, 3, 64, 4)
    assert model(torch.rand(2, 3, 64, 64)).shape == (2, 4)
    grey = torch.rand(2, 1, 64, 64)
    model.eval()
    assert torch.equal(model(grey), model(grey.expand(2, 3, 64, 64))), "grey is shown on all three channels"


def test_timm_models_serve_as_backbones_and_packaged_weights_load() -> None:
    pytest.importorskip("backbones.weights")
    model = create_model(ModelConfig(name="timm:tf_efficientnet_lite0", is_pretrained=True, dense=128), 3, 64, 4)
    assert model(torch.rand(2, 3, 64, 64)).shape == (2, 4)
    assert parameter_count(model.head) == 1280 * 128 + 128 + 128 * 4 + 4


def test_only_the_last_layers_of_a_backbone_learn() -> None:
    backbone = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2), nn.Flatten()
    )
    model = PictureModel(backbone, nn.Linear(2 * 4 * 4, 3))

    def learning() -> list[int]:
        return [index for index in range(4) if next(backbone[index].parameters()).requires_grad]

    assert freeze(model, 1) == [backbone[1]]
    assert learning() == [2, 3]
    assert freeze(model, 0) == [backbone[1], backbone[3]]
    assert learning() == []
    assert freeze(model, -1) == []
    assert learning() == [0, 1, 2, 3]
    assert freeze(model, 9) == []
    assert learning() == [0, 1, 2, 3]
    freeze(model, 0)
    assert all(parameter.requires_grad for parameter in model.head.parameters())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (ModelConfig(name="alexnet"), "expected small_cnn"),
        (ModelConfig(name="torchvision:nothing"), "no model 'nothing'"),
        (ModelConfig(is_pretrained=True), "no pretrained weights"),
    ],
)
def test_a_model_that_cannot_be_says_why(settings: ModelConfig, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        create_model(settings, 1, 64, 4)
    with pytest.raises(UsageError, match="too small"):
        create_model(ModelConfig(), 1, 16, 4)

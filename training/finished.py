"""The folder of a finished model: weights, ONNX, config and card; written once, read by evaluate and predict.

weights.safetensors   all tensors
model.onnx            `images` (B, C, S, S) float32 in [0, 1] to `outputs` (B, ...); any batch size
MODEL_CARD.md         data, intended use, limits
config.json           task, its facts, settings, release; written last: without it the model is not done
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog import files
from catalog.errors import CatalogCorrupt, UsageError

if TYPE_CHECKING:
    from torch import nn

CONFIG, WEIGHTS, ONNX, CARD = "config.json", "weights.safetensors", "model.onnx", "MODEL_CARD.md"


def write_model(folder: Path, model: nn.Module, config: Mapping[str, Any], card: str) -> None:
    """Write a finished model.

    Args:
        folder: `models/<task>/<id>`.
        model: on the CPU, in evaluation mode.
        config: JSON values; `input` says channels and size_px.
        card: Markdown.
    """
    from training.inference import save_weights

    save_weights(model, folder / WEIGHTS)
    with files.replacing(folder / ONNX) as temporary:
        export_onnx(model, temporary, config["input"]["channels"], config["input"]["size_px"])
    files.write_text(folder / CARD, card)
    files.write_text(folder / CONFIG, json.dumps(config, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def export_onnx(model: nn.Module, target: Path | BytesIO, channels: int, size_px: int) -> None:
    """Write a model, which goes to evaluation mode, as ONNX with a free batch size."""
    import torch

    example = torch.zeros(2, channels, size_px, size_px)
    axes = {"images": {0: "batch"}, "outputs": {0: "batch"}}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, and takes 0.2 s where its successor takes 4
        torch.onnx.export(
            model.eval(), (example,), target if isinstance(target, BytesIO) else str(target), dynamo=False,
            input_names=["images"], output_names=["outputs"], dynamic_axes=axes,
        )  # fmt: skip


def read_model_config(folder: Path) -> dict[str, Any]:
    """Read config.json of a finished model.

    Raises:
        UsageError: there is no finished model.
        CatalogCorrupt: the file is no JSON object.
    """
    path = folder / CONFIG
    if not path.exists():
        raise UsageError(f"{folder}: no {CONFIG}: not a model, or one whose training never finished")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CatalogCorrupt(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise CatalogCorrupt(f"{path}: expected a JSON object")
    return content

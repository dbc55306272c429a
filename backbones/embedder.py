"""Embeddings: on the CPU by ONNX Runtime (exported once per machine), on a GPU by torch in mixed precision."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backbones.eight_bit import check_processor, quantised
from backbones.pixels import prepare_pixels
from backbones.sessions import open_onnx
from backbones.weights import PACKAGED, backbone, preprocessing
from catalog import files
from catalog.errors import UsageError
from catalog.ids import digest

if TYPE_CHECKING:
    from torch import nn

EXPORT_VERSION = 1
"""Raise when the exported file would differ."""


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Folder of this user's exported backbones: GLEANERY_CACHE, else under XDG_CACHE_HOME or ~/.cache."""
    variables = os.environ if environment is None else environment
    if "GLEANERY_CACHE" in variables:
        return Path(variables["GLEANERY_CACHE"]) / "backbones"
    base = variables.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gleanery" / "backbones"


def export_onnx(name: str = PACKAGED, folder: Path | None = None) -> Path:
    """Give the path of a backbone's ONNX file, exporting it first where it is missing (some ten seconds).

    Input `pixels` (B, 3, S, S) float32, normalised; output `embedding` (B, D) float32, not normalised. What the
    input must be stands in a JSON file beside it.

    Raises:
        UsageError: the backbone cannot be had (see `backbones.weights.backbone`).
    """
    path = (folder or cache_folder()) / f"{name}-{digest([name, EXPORT_VERSION], 8)}.onnx"
    if not path.exists():
        _export(name, path)
    return path


def _export(name: str, path: Path) -> None:
    import logging
    import warnings

    import torch

    settings = preprocessing(name)
    model = backbone(name)
    example = torch.zeros(2, 3, settings["size_px"], settings["size_px"])
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with files.replacing(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecations
        torch.onnx.export(
            model,
            (example,),
            str(temporary),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            input_names=["pixels"],
            output_names=["embedding"],
            external_data=False,
            verbose=False,
        )
        files.write_text(path.with_suffix(".json"), json.dumps(settings, sort_keys=True) + "\n")


class Embedder:
    """A backbone ready to embed pictures on one CPU thread.

    Args:
        path: ONNX file with one input (B, 3, S, S) and an embedding as its first output.
        settings: as `backbones.weights.preprocessing` gives them.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self._session = open_onnx(path)
        self._input: str = self._session.get_inputs()[0].name
        self._settings = settings
        self.size_px: int = settings["size_px"]

    def embed(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Embed pictures.

        Args:
            images: (H, W, 3) uint8 RGB, any sizes.

        Returns:
            (B, D) float32, L2-normalised.
        """
        pixels = np.stack([prepare_pixels(image, self._settings) for image in images])
        vectors = self.run(pixels)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def run(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the vectors, not normalised, of pixels as `prepare_pixels` makes them: (B, 3, S, S) -> (B, D)."""
        return np.asarray(self._session.run(None, {self._input: pixels})[0], np.float32)


class TorchEmbedder:
    """A backbone ready to embed pictures on a CUDA device, in mixed precision.

    Args:
        name: any timm name.
        model: the network, where it is at hand; None loads it.

    Raises:
        UsageError: torch sees no CUDA device.
    """

    def __init__(self, name: str = PACKAGED, model: nn.Module | None = None) -> None:
        import torch

        if not torch.cuda.is_available():
            raise UsageError("device cuda was asked for, but torch sees none; leave the setting `device` out")
        self._settings = preprocessing(name)
        self._model = (backbone(name) if model is None else model).to("cuda", memory_format=torch.channels_last)
        self.size_px: int = self._settings["size_px"]

    def embed(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """See `Embedder.embed`."""
        import torch

        pixels = np.stack([prepare_pixels(image, self._settings) for image in images])
        given = torch.from_numpy(pixels).to("cuda", memory_format=torch.channels_last)
        with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16):
            vectors = np.asarray(self._model(given).float().cpu().numpy(), np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


@cache
def embedder(name: str = PACKAGED, device: str = "cpu", precision: str = "float32") -> Embedder | TorchEmbedder:
    """Open a backbone once per process.

    Args:
        name: timm name, or the path of an ONNX file that training left in `models/<task>/<id>/`.
        device: `cpu` runs it by ONNX Runtime, exporting it where needed; `cuda` by torch, in mixed precision (timm
            names only).
        precision: `float32`, or `int8`: twice as fast on processors with VNNI, its vectors at a cosine of 0.999 to
            the others (timm names on the CPU only).

    Raises:
        UsageError: another device or precision, one that is not there, or a backbone that cannot be had.
    """
    if device not in ("cpu", "cuda"):
        raise UsageError(f"device {device!r}, expected cpu or cuda")
    if precision not in ("float32", "int8"):
        raise UsageError(f"precision {precision!r}, expected float32 or int8")
    if precision == "int8":
        _check_eight_bit(name, device)
    if name.endswith(".onnx"):
        return _trained_model(Path(name))
    if device == "cuda":
        return TorchEmbedder(name)
    path = export_onnx(name)
    settings = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return Embedder(quantised(path, settings) if precision == "int8" else path, settings)


def _check_eight_bit(name: str, device: str) -> None:
    if device != "cpu" or name.endswith(".onnx"):
        raise UsageError(
            f"precision int8 expects a timm backbone on the device cpu, found {name!r} on {device!r};"
            " leave the setting `precision` out"
        )
    check_processor()


def _trained_model(path: Path) -> Embedder:
    """Open a model of ours: it takes RGB in [0, 1], of the size that `config.json` beside it says."""
    try:
        given = json.loads((path.parent / "config.json").read_text(encoding="utf-8"))["input"]
        size_px, channels = int(given["size_px"]), int(given["channels"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"backbone {path}: no finished model of ours: {type(error).__name__}: {error}") from error
    if channels != 3 or not path.is_file():
        raise UsageError(
            f"backbone {path}: expected a model.onnx that takes colour pictures, found {channels} channels"
        )
    return Embedder(path, {"size_px": size_px, "crop_frac": 1.0, "mean": [0.0] * 3, "std": [1.0] * 3})


def embed(images: Sequence[NDArray[np.uint8]], name: str = PACKAGED) -> NDArray[np.float32]:
    """Embed pictures with a backbone by name; see `Embedder.embed`."""
    return embedder(name).embed(images)

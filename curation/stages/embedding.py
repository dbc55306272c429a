"""Measure `embedding`: what a pretrained backbone sees, as a vector of length 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from curation.contract import DecodedImage, DecodeNeed, MeasureFunction, Row
from curation.stages.registry import check_params

_BACKBONE = "tf_efficientnet_lite0"


class EmbeddingStage:
    """Gives `embedding`, a list of D float32, L2-normalised.

    Setting `backbone` is a timm name, or the path of a finished model's `model.onnx`; the id in that path tells one
    model from another.
    Setting `device` is cpu (ONNX Runtime) or cuda (torch, mixed precision).
    Setting `precision` is float32, or int8: twice as fast on processors with VNNI, at a cosine of 0.999 to the others.
    """

    name = "embedding"
    version = 1
    needs: tuple[str, ...] = ()

    def columns(self, params: Mapping[str, Any]) -> pa.Schema:
        """Columns, as said above."""
        return pa.schema([("embedding", pa.list_(pa.float32()))])

    def decode_need(self, params: Mapping[str, Any]) -> DecodeNeed:
        """The size to which timm's usual 224 px input is resized before its centre is cut."""
        return DecodeNeed(min_side_px=256)

    def prepare(self, params: Mapping[str, Any]) -> MeasureFunction:
        """Open the backbone, exporting it on this machine where that was not done.

        Raises:
            UsageError: the backbone or the device cannot be had.
        """
        check_params(self.name, params, ("backbone", "device", "precision"))
        from backbones.embedder import embedder

        given = {"backbone": _BACKBONE, "device": "cpu", "precision": "float32", **params}
        model = embedder(str(given["backbone"]), str(given["device"]), str(given["precision"]))

        def measure(image: DecodedImage, _: Mapping[str, Row]) -> Row:
            return {"embedding": model.embed([image.rgb])[0]}

        return measure

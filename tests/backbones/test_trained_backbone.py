"""A finished model of ours as a backbone: its ONNX file, and the input that its config.json names."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from backbones.embedder import embedder
from catalog.errors import UsageError


def mean_colour_model(folder, channels: int = 3):
    """A model that gives the mean of each channel."""
    shape = ["batch", channels, 16, 16]
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["images"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["outputs"]),
        ],
        "mean_colour",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["batch", channels])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, folder / "model.onnx")
    (folder / "config.json").write_text(json.dumps({"input": {"channels": channels, "size_px": 16}}))
    return str(folder / "model.onnx")


def test_a_finished_model_embeds(tmp_path):
    image = np.zeros((40, 30, 3), np.uint8)
    image[..., 0], image[..., 1] = 240, 120
    (vector,) = embedder(mean_colour_model(tmp_path)).embed([image])
    assert vector == pytest.approx(np.array([2, 1, 0]) / np.sqrt(5), abs=1e-4)


def test_what_is_no_finished_colour_model_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no finished model"):
        embedder(str(tmp_path / "model.onnx"))
    with pytest.raises(UsageError, match="1 channels"):
        embedder(mean_colour_model(tmp_path, channels=1))

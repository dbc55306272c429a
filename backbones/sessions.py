"""ONNX models, opened on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_REQUANTISING = "WeightBiasQuantization"
"""An optimiser of ONNX Runtime that rounds the weights of what an eight-bit model leaves in float."""


def open_onnx(model: Path | bytes, threads: int = 1) -> InferenceSession:
    """Open a model, a file or its content, as it stands there; 0 threads leave ONNX Runtime's choice."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(
        source, options, providers=["CPUExecutionProvider"], disabled_optimizers=[_REQUANTISING]
    )

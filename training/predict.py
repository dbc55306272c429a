"""`Predictor`: a finished model on one photo, by ONNX Runtime; needs no torch and opens in milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.errors import UsageError
from training.config import TrainingConfig
from training.data import prepare_image
from training.finished import ONNX, read_model_config
from training.tasks import find_task


class Predictor:
    """A finished model, ready to answer.

    Args:
        folder: `models/<task>/<id>`.

    Raises:
        UsageError: there is no finished model.
    """

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        self.config: dict[str, Any] = read_model_config(folder)
        self._task = find_task(self.config["task"]).from_facts(self.config["facts"])
        self._data = TrainingConfig.from_json(self.config["settings"]).data
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(folder / ONNX), options, providers=["CPUExecutionProvider"])

    def predict(self, image: NDArray[np.uint8]) -> dict[str, Any]:
        """Answer for one picture, already cropped as the release's pictures are.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            The task's words and numbers (see `Task.describe`).

        Raises:
            UsageError: an array of another form.
        """
        return self._task.describe(self.outputs([image])[0])

    def outputs(self, images: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Give the raw outputs (B, ...) of pictures (H, W, 3) uint8 RGB."""
        for image in images:
            if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
                raise UsageError(f"expected (H, W, 3) uint8 RGB, found {image.shape} {image.dtype}")
        pixels = np.stack([prepare_image(Image.fromarray(image), self._data) for image in images])
        (outputs,) = self._session.run(["outputs"], {"images": pixels.astype(np.float32) / 255})
        return np.asarray(outputs)

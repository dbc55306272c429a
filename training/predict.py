"""`Predictor`: a finished model on one photo, by ONNX Runtime; needs no torch and opens in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backbones.sessions import open_onnx
from catalog.errors import UsageError
from training.config import TrainingConfig
from training.data import prepare_image
from training.finished import ONNX, read_model_config
from training.tasks import find_task
from training.tasks.task import Task

_BATCH = 64


class Predictor:
    """A finished model, ready to answer.

    Args:
        folder: `models/<task>/<id>`.

    Raises:
        UsageError: there is no finished model.
    """

    def __init__(self, folder: Path) -> None:
        self.config: dict[str, Any] = read_model_config(folder)
        self._task = find_task(self.config["task"]).from_facts(self.config["facts"])
        self._data = TrainingConfig.from_json(self.config["settings"]).data
        self._session = open_onnx(folder / ONNX, threads=0)

    @property
    def task(self) -> Task:
        """What the model was trained for, with its facts."""
        return self._task

    def predict(self, image: NDArray[np.uint8]) -> dict[str, Any]:
        """Answer for one picture, already cropped as the release's pictures are.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            The task's words and numbers (see `Task.describe`).

        Raises:
            UsageError: an array of another form, or a model that compares two pictures.
        """
        if self._task.name == "verification":
            raise UsageError("this model compares two pictures: give two")
        return self._task.describe(self.outputs([image])[0])

    def predict_pair(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> dict[str, Any]:
        """Say whether two pictures show the same person.

        Args:
            first: (H, W, 3) uint8 RGB, cropped as the release's pictures are.
            second: likewise.

        Raises:
            UsageError: an array of another form, or a model for something else.
        """
        if self._task.name != "verification":
            raise UsageError(f"a model for {self._task.name} answers for one picture at a time")
        return self._task.describe(self.compare(self.prepare([first, second]), np.array([[0, 1]]))[0])

    def prepare(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """Turn pictures (H, W, 3) uint8 RGB into what the model sees: (B, C, S, S) uint8.

        Raises:
            UsageError: an array of another form.
        """
        for image in images:
            if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
                raise UsageError(f"expected (H, W, 3) uint8 RGB, found {image.shape} {image.dtype}")
        return np.stack([prepare_image(Image.fromarray(image), self._data) for image in images])

    def outputs(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Give the raw outputs (B, ...) of pictures (H, W, 3) uint8 RGB."""
        return self.run(self.prepare(images))

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give the raw outputs (B, ...) of prepared pixels (B, C, S, S) uint8."""
        parts = [
            self._session.run(["outputs"], {"images": pixels[start : start + _BATCH].astype(np.float32) / 255})[0]
            for start in range(0, len(pixels), _BATCH)
        ]
        return np.concatenate(parts)

    def compare(self, pixels: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Compare pairs of pictures; each picture is embedded once, where the model embeds.

        Args:
            pixels: (N, C, S, S) of `prepare`.
            pairs: (M, 2) indices into them.

        Returns:
            (M, 1) values that grow with likeness, as the verification task measures them.
        """
        if self._task.views == 2:
            return np.concatenate([
                self.run(pixels[part].reshape(len(part), -1, *pixels.shape[2:]))
                for part in np.array_split(pairs, -(-len(pairs) // _BATCH))
            ])  # fmt: skip
        vectors = self.run(pixels)
        return (vectors[pairs[:, 0]] * vectors[pairs[:, 1]]).sum(axis=1, keepdims=True)

"""Pictures as a backbone takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def prepare_pixels(rgb: NDArray[np.uint8], settings: Mapping[str, Any]) -> NDArray[np.float32]:
    """Resize the shorter side, cut the centre square, normalise: (3, S, S) float32.

    Args:
        rgb: (H, W, 3) uint8.
        settings: of `preprocessing`.
    """
    from PIL import Image

    size = settings["size_px"]
    height, width = rgb.shape[:2]
    scale = size / settings["crop_frac"] / min(height, width)
    # The centre square of the resized picture, as a box of the given one: one resampling, no copy of the margins.
    side = size / scale
    left, top = (width - side) / 2, (height - side) / 2
    image = Image.fromarray(rgb).resize((size, size), Image.Resampling.BICUBIC, (left, top, left + side, top + side))
    values = np.asarray(image, np.float32) / 255.0
    normal = (values - np.asarray(settings["mean"], np.float32)) / np.asarray(settings["std"], np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1), np.float32)

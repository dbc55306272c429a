"""Measure `faces`: every face of a picture with box, score, landmarks, size, tilt and sharpness, and which way is up.

Boxes and landmarks are always in the EXIF-transposed picture, also where it lies on its side: `turn_deg` says by how
much it must be turned counter-clockwise (`np.rot90(rgb, turn_deg // 90)`) to put the faces upright.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from curation.contract import DecodedImage, DecodeNeed, MeasureFunction, Rgb, Row
from curation.ops.boxes import box_of_corners, unturn_points
from curation.ops.yunet import Faces, find_faces, shrunk
from curation.stages.registry import check_params

FIRST_PX, SECOND_PX = 640, 1280
"""Longer side of the first look, and of the second where the first found none: as many hits as at full size, 4 x
faster (LIMITS of the design, section 3)."""
_SURE_SCORE = 0.9
"""Drawn and real frontal faces score above; below it the other three turns are tried."""
_TURN_GAIN = 0.02
"""A turn must beat the picture as it is by this much. The network finds faces that stand on their head too, with some
0.1 less; on 200 real portraits the right way up won by 0.026 and more."""
_TURNED_MIN = 0.75
"""A face that only a turn shows must score this: four looks find four times the false ones."""
_SIDEWAYS_DEG = 60.0
"""Beyond this tilt of the eye line a face lies on its side, however well it is found."""

_FACE = pa.struct(
    [
        ("x0", pa.int32()), ("y0", pa.int32()), ("x1", pa.int32()), ("y1", pa.int32()),
        ("face_score", pa.float32()), ("landmarks", pa.list_(pa.float32())), ("size_px", pa.int32()),
        ("tilt_deg", pa.float32()), ("sharpness", pa.float32()),
    ]
)  # fmt: skip
"""Box in px of the original, may reach beyond its border; landmarks x, y of right eye, left eye, nose tip, right and
left mouth corner; size_px: shorter side; tilt_deg: of the eye line in the upright picture, 0 = level, clockwise > 0;
sharpness: variance of the Laplacian of the luma at 64 px."""


class FacesStage:
    """Gives `faces` (list, best score first), `faces_count` and `turn_deg`."""

    name = "faces"
    version = 3
    needs: tuple[str, ...] = ()

    def columns(self, params: Mapping[str, Any]) -> pa.Schema:
        """Columns, as said above."""
        return pa.schema([("faces_count", pa.int32()), ("turn_deg", pa.int16()), ("faces", pa.list_(_FACE))])

    def decode_need(self, params: Mapping[str, Any]) -> DecodeNeed:
        """A longer side of 640 px at the usual 4:3."""
        return DecodeNeed(min_side_px=FIRST_PX * 3 // 4)

    def prepare(self, params: Mapping[str, Any]) -> MeasureFunction:
        """Load the network."""
        check_params(self.name, params, ())
        find_faces(np.zeros((32, 32, 3), np.uint8), 32, smallest_px=32)
        return _measure


def _measure(image: DecodedImage, _: Mapping[str, Row]) -> Row:
    rgb, longer_px = shrunk(image.rgb, FIRST_PX), FIRST_PX
    upright = find_faces(rgb, FIRST_PX)
    whole_px = max(image.width_px, image.height_px)
    if not len(upright) and whole_px > FIRST_PX:
        larger = shrunk(image.at_least(SECOND_PX * min(image.width_px, image.height_px) // whole_px), SECOND_PX)
        upright = find_faces(larger, SECOND_PX)
        if len(upright):
            rgb, longer_px = larger, SECOND_PX
    # Where nothing is seen upright the turns are tried at the first size alone: what lies on its side is mostly seen
    # all the same, with a lower score, and six looks at the larger size would cost more than all the rest.
    faces, turn_deg = find_upright(rgb, longer_px, upright=upright)
    scale = image.width_px / rgb.shape[1]
    rows = [_face_row(face, rgb, turn_deg, scale) for face in faces]
    return {"faces_count": len(rows), "turn_deg": turn_deg, "faces": rows}


Finder = Callable[[Rgb, int], Faces]


def find_upright(
    rgb: Rgb, longer_px: int, find: Finder = find_faces, upright: Faces | None = None
) -> tuple[Faces, int]:
    """Find faces, turning the picture where it seems to lie on its side.

    Args:
        rgb: the picture.
        longer_px: as in `find_faces`.
        find: the face finder.
        upright: what it found in the picture as it is, where that is known.

    Returns:
        Faces in pixels of `rgb` as given, and the turn in degrees counter-clockwise that puts them upright.
    """
    upright = find(rgb, longer_px) if upright is None else upright
    best, best_turn = upright, 0
    if not _is_sure(upright):
        for turn_deg in (90, 180, 270):
            faces = find(np.rot90(rgb, turn_deg // 90), longer_px)
            floor = max(_TURNED_MIN, _best_score(upright) + _TURN_GAIN) if best_turn == 0 else _best_score(best)
            if _is_level(faces) and _best_score(faces) > floor:
                best, best_turn = faces, turn_deg
    height, width = rgb.shape[:2]
    return np.array([_unturned(face, best_turn, width, height) for face in best]).reshape(-1, 15), best_turn


def _best_score(faces: Faces) -> float:
    """Best score of faces that are not sideways; 0 where there is none."""
    return max((float(face[14]) for face in faces if abs(_tilt_deg(face)) <= _SIDEWAYS_DEG), default=0.0)


def _is_sure(faces: Faces) -> bool:
    return _best_score(faces) >= _SURE_SCORE and _is_level(faces)


def _is_level(faces: Faces) -> bool:
    return len(faces) > 0 and abs(_tilt_deg(faces[0])) <= _SIDEWAYS_DEG


def _tilt_deg(face: Faces) -> float:
    return math.degrees(math.atan2(face[7] - face[5], face[6] - face[4]))


def _unturned(face: Faces, turn_deg: int, width: int, height: int) -> Faces:
    points = unturn_points(face[:14].reshape(7, 2), turn_deg, width, height)
    return np.concatenate([box_of_corners(points[:2]), points[2:].ravel(), face[14:]])


def _face_row(face: Faces, rgb: Rgb, turn_deg: int, scale: float) -> Row:
    x0, y0, x1, y1 = (round(float(value) * scale) for value in face[:4])
    tilt = _tilt_deg(face) - turn_deg
    return {
        "x0": x0,
        "y0": y0,
        "x1": max(x1, x0 + 1),
        "y1": max(y1, y0 + 1),
        "face_score": float(face[14]),
        "landmarks": [float(value) * scale for value in face[4:14]],
        "size_px": min(x1 - x0, y1 - y0),
        "tilt_deg": (tilt + 180) % 360 - 180,
        "sharpness": _sharpness(face, rgb),
    }


def _sharpness(face: Faces, rgb: Rgb) -> float:
    from PIL import Image

    height, width = rgb.shape[:2]
    x0, y0 = max(0, int(face[0])), max(0, int(face[1]))
    x1, y1 = min(width, int(face[2]) + 1), min(height, int(face[3]) + 1)
    if x1 - x0 < 4 or y1 - y0 < 4:
        return 0.0
    gray = Image.fromarray(rgb[y0:y1, x0:x1]).convert("L").resize((64, 64), Image.Resampling.BILINEAR)
    luma = np.asarray(gray, np.float32)
    centre = luma[1:-1, 1:-1]
    return float((luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * centre).var())

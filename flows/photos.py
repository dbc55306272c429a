"""Photos from elsewhere, made ready for a model: decoded as curation decodes, a face cut out where it wants one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.config import Config
from catalog.errors import BadImage, UsageError
from catalog.ids import image_id
from flows import steps

DEFAULT_CROP = {"size_px": 256, "face_frac": 0.6}
"""For models of persons whose recipe says nothing: as portraits and ready-made face sets are mostly cut."""

Rgb = NDArray[np.uint8]


def read_photo(path: Path) -> bytes:
    """Read a photo's bytes.

    Raises:
        UsageError: there is no such file.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error


def photo_for_model(config: Config, model: Mapping[str, Any], body: bytes) -> Rgb:
    """Decode a photo and cut it as the pictures were that the model learned from.

    Args:
        config: where recipes are.
        model: its config.json.
        body: the photo's bytes.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UsageError: no picture, or no face where the model wants one.
    """
    from curation.decode import decode_image
    from curation.stages.faces import FacesStage

    stage = FacesStage()
    try:
        image = decode_image(image_id(body), body, stage.decode_need({}))
        crop = crop_settings(config, model)
        if crop is None:
            return image.original()
        found = stage.prepare({})(image, {})
        return _cut_largest(image.original(), found, crop)
    except BadImage as error:
        raise UsageError(f"the photo cannot be used: {error}") from error


def crop_settings(config: Config, model: Mapping[str, Any]) -> dict[str, Any] | None:
    """Say how a model's recipe cuts photos: size_px and face_frac; None where they stay whole."""
    try:
        recipe = steps.recipe_named(config, model["release"]["recipe"])
    except UsageError:
        return None
    if recipe.subject_kind != "person":
        return None
    if "crop" in recipe.training:
        return DEFAULT_CROP | dict(recipe.training["crop"])
    return DEFAULT_CROP | {key: value for key, value in recipe.params("crops").items() if key in DEFAULT_CROP}


def _cut_largest(rgb: Rgb, found: Mapping[str, Any], crop: Mapping[str, Any]) -> Rgb:
    from curation.stages.crops import crop_face

    faces = found["faces"]
    if not faces:
        raise UsageError("no face was found in the photo; the model answers for faces")
    largest = max(faces, key=lambda face: int(face["size_px"]))
    cut = crop_face(rgb, largest, int(found["turn_deg"]), int(crop["size_px"]), float(crop["face_frac"]))
    if cut is None:
        raise UsageError("the face stands too near the border of the photo to be cut out")
    return cut

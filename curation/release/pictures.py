"""The bytes of a released picture: a crop as it was made, or the original, resized only where it must be."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageOps

from catalog.blobs import BlobStore
from catalog.errors import CatalogCorrupt, UsageError
from curation.contract import Curated

JPEG_QUALITY = 92
_ORIENTATION = 0x0112
IMAGE_KINDS = ("crop", "original")

PictureReader = Callable[[str, int], bytes]
"""(image_id, face_index) -> JPEG bytes."""


def fit_jpeg(body: bytes, size_px: int) -> bytes:
    """Give a picture as an upright JPEG whose longer side is at most `size_px`.

    Bytes that already are that come back unchanged; others are decoded, turned by their EXIF tag, scaled with Lanczos
    and written at quality 92 without metadata. The same bytes give the same result.

    Raises:
        OSError: the bytes hold no picture that Pillow can read.
    """
    with Image.open(BytesIO(body)) as image:
        is_upright = image.getexif().get(_ORIENTATION, 1) == 1
        if image.format == "JPEG" and image.mode in {"RGB", "L"} and is_upright and max(image.size) <= size_px:
            return body
        image.draft("RGB", (2 * size_px, 2 * size_px))  # decodes large JPEGs at a fraction of their size
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((size_px, size_px), Image.Resampling.LANCZOS)
    out = BytesIO()
    upright.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return out.getvalue()


def picture_reader(curated: Curated, blobs: BlobStore) -> PictureReader:
    """Give the function that reads released pictures, as the recipe's [release] says.

    Raises:
        UsageError: an unknown `image`, crops without the stage `crops`, or originals without `size_px`.
    """
    kind = curated.recipe.release.get("image", "crop")
    if kind == "crop":
        return _crop_reader(curated)
    if kind != "original":
        raise UsageError(f"recipe {curated.recipe.name}: release.image is {kind!r}, expected one of {IMAGE_KINDS}")
    size_px = curated.recipe.release.get("size_px")
    if not isinstance(size_px, int) or size_px < 1:
        raise UsageError(f"recipe {curated.recipe.name}: release.size_px must be whole pixels, found {size_px!r}")
    return lambda image_id, _face_index: fit_jpeg(blobs.get(image_id), size_px)


def _crop_reader(curated: Curated) -> PictureReader:
    signal = curated.signals.get("crops")
    if signal is None:
        raise UsageError(f"recipe {curated.recipe.name}: release.image is 'crop' but there is no [stages.crops]")
    crops = {
        (image_id, int(face_index)): jpeg
        for image_id, indexes, jpegs in zip(signal["image_id"], signal["face_indexes"], signal["jpegs"], strict=True)
        if indexes is not None
        for face_index, jpeg in zip(indexes, jpegs, strict=True)
    }

    samples = curated.tables["samples"]
    turns = {
        (image_id, int(face_index)): int(turn_deg)
        for image_id, face_index, turn_deg in zip(
            samples["image_id"], samples["face_index"], samples["turn_deg"], strict=True
        )
    }

    def read(image_id: str, face_index: int) -> bytes:
        if (image_id, face_index) not in crops:
            raise CatalogCorrupt(f"image {image_id}: no crop of face {face_index}")
        return turn_jpeg(bytes(crops[image_id, face_index]), turns.get((image_id, face_index), 0))

    return read


def turn_jpeg(body: bytes, turn_deg: int) -> bytes:
    """Turn a JPEG by quarter turns counter-clockwise, as a reviewer asked; 0 leaves the bytes as they are."""
    if not turn_deg:
        return body
    with Image.open(BytesIO(body)) as image:
        turned = image.rotate(turn_deg, expand=True)
    out = BytesIO()
    turned.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return out.getvalue()

"""Is the right face found, chosen and put upright? On photos whose subject stands in the middle, and on things.

    GLEANERY_SHARED_DATA=../shared/data python -m benchmarks.bench_face_choice [--photos 500]

Peer: the largest face, which is what autocrop's `Cropper` takes. `--photos 0` takes all.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catalog.ids import image_id
from curation.contract import DecodedImage, DecodeNeed
from curation.decode import decode_image
from curation.folder.crop import CropSettings
from curation.stages.faces import FacesStage
from curation.stages.samples import choose_face

RESULTS = Path(__file__).parent / "results" / "face_choice.json"
CHOICES = ("prominent", "central", "largest")


def decoded(path: Path) -> DecodedImage:
    """Decode a photo as the engine does."""
    body = path.read_bytes()
    return decode_image(image_id(body), body, DecodeNeed(min_side_px=480))


def turned(image: DecodedImage, turn_deg: int) -> DecodedImage:
    """Lay a photo on its side, as a camera without EXIF does."""
    rgb = np.ascontiguousarray(np.rot90(image.original(), turn_deg // 90))
    return DecodedImage(image.image_id, image.body, rgb, rgb.shape[1], rgb.shape[0], 1.0, lambda: rgb, lambda _: rgb)


def nearest_to_middle(faces: Sequence[Any], width_px: int, height_px: int) -> int:
    """The truth of photos that were cut around their subject."""
    offsets = [np.hypot(face["x0"] + face["x1"] - width_px, face["y0"] + face["y1"] - height_px) for face in faces]
    return int(np.argmin(offsets))


def chosen(image: DecodedImage, row: dict[str, Any], choose: str) -> int:
    """Index of the face that `gleanery crop` would take; -1 for none."""
    signals = {"faces": row, "decode": {"width_px": image.width_px, "height_px": image.height_px}}
    return choose_face(signals, CropSettings(choose=choose).choice)[0]


def of_people(paths: Sequence[Path]) -> dict[str, float]:
    """Shares of photos with a face, with the middle one chosen, and put upright from each side."""
    measure = FacesStage().prepare({})
    faces, many, upright = 0, 0, 0
    middle = dict.fromkeys(CHOICES, 0)
    for number, path in enumerate(paths):
        image = decoded(path)
        row = measure(image, {})
        many += row["faces_count"] > 1
        if chosen(image, row, "largest") >= 0:
            faces += 1
            truth = nearest_to_middle(row["faces"], image.width_px, image.height_px)
            for choose in CHOICES:
                middle[choose] += chosen(image, row, choose) == truth
        turn_deg = (90, 270)[number % 2]
        upright += measure(turned(image, turn_deg), {})["turn_deg"] == 360 - turn_deg
    shares = {"photos": len(paths), "with several faces": many / len(paths), "with a face": faces / len(paths)}
    shares |= {f"middle one, {name}": count / max(1, faces) for name, count in middle.items()}
    return {**shares, "put upright": upright / len(paths)}


def of_things(paths: Sequence[Path]) -> dict[str, float]:
    """Share of photos without people that give a face."""
    measure = FacesStage().prepare({})
    found = [path for path in paths if chosen(image := decoded(path), measure(image, {}), "largest") >= 0]
    for path in found:
        print("a face in", path.name)
    return {"photos": len(paths), "with a face": len(found) / len(paths)}


def some(paths: Sequence[Path], count: int) -> list[Path]:
    """Draw photos evenly over the sorted list."""
    return [paths[place] for place in np.linspace(0, len(paths) - 1, count or len(paths)).astype(int)]


def main() -> None:
    """Print the shares and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", type=int, default=500)
    asked = parser.parse_args()
    data = Path(os.environ.get("GLEANERY_SHARED_DATA", "../shared/data"))
    found = {
        "people": of_people(some(sorted((data / "lfw").glob("*/*.jpg")), asked.photos)),
        "things": of_things(sorted((data / "noise" / "noise").glob("*.jpg"))),
        "garments": of_things(some(sorted((data / "noise" / "good").glob("*.jpg")), min(500, asked.photos))),
    }
    for kind, shares in found.items():
        for name, share in shares.items():
            print(f"{kind:10} {name:24} {share:.4f}" if name != "photos" else f"{kind:10} {name:24} {share}")
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Finding a face and cropping it, from the file to a JPEG: against autocrop's Cropper as it is shipped.

    python -m benchmarks.bench_faces [--photos 40] [--rounds 3] [--full]

All photos are 1200 x 1600, two thirds of them with a person (where ../shared/data has faces to paste); one thread
each, CPU time. Prints ratios of one run and stores them in results/faces.json. `--full` takes 300 photos.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from benchmarks import timing

timing.pin_threads()

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from autocrop import Cropper  # noqa: E402
from PIL import Image  # noqa: E402

from benchmarks.engine_runs import main_over_photos  # noqa: E402
from benchmarks.photos import photo_folder, photos  # noqa: E402
from curation.contract import DecodeNeed  # noqa: E402
from curation.decode import decode_image  # noqa: E402
from curation.stages.crops import CropsStage  # noqa: E402
from curation.stages.faces import FacesStage  # noqa: E402

CROP_PX = 500
SIZE = (1200, 1600)


def crop_autocrop(paths: list[Path]) -> list[bool]:
    """Crop the largest face of each file, as autocrop's own command does."""
    cropper = Cropper(width=CROP_PX, height=CROP_PX, face_percent=50)
    found = []
    for path in paths:
        crop = cropper.crop(str(path)).image
        if crop is not None:
            Image.fromarray(np.asarray(crop)).save(io.BytesIO(), "JPEG")
        found.append(crop is not None)
    return found


def crop_own(paths: list[Path]) -> list[bool]:
    """Find all faces, turned ones too, and crop the largest and the most central."""
    stage, crops = FacesStage(), CropsStage()
    settings = {"size_px": CROP_PX, "face_frac": 0.5, "faces_max": 1}
    need = DecodeNeed(min_side_px=max(stage.decode_need({}).min_side_px, crops.decode_need(settings).min_side_px))
    find, cut = stage.prepare({}), crops.prepare(settings)
    found = []
    for path in paths:
        image = decode_image(path.name, path.read_bytes(), need)
        found.append(bool(cut(image, {"faces": find(image, {})})["jpegs"]))
    return found


def run(count: int, rounds: int) -> bool:
    """Measure, print, store; tells whether the goals are met."""
    cv2.setNumThreads(1)
    paths = photos(photo_folder(count, size=SIZE))
    theirs, own = crop_autocrop(paths), crop_own(paths)
    with_face = [path for path, hit in zip(paths, theirs, strict=True) if hit]
    seconds = timing.alternating(
        {
            "autocrop": lambda: crop_autocrop(paths),
            "own": lambda: crop_own(paths),
            "autocrop, photos with a face": lambda: crop_autocrop(with_face),
            "own, photos with a face": lambda: crop_own(with_face),
        },
        rounds,
    )
    both = sum(a and b for a, b in zip(theirs, own, strict=True))
    goals = {
        "find and crop, photos with a face": (
            seconds["autocrop, photos with a face"] / seconds["own, photos with a face"], ">=", 5.0,
        ),
        "of autocrop's hits": (both / max(1, sum(theirs)), ">=", 0.98),
    }  # fmt: skip
    spent = {name: (len(with_face) if "with" in name else count, one) for name, one in seconds.items()}
    timing.print_speeds(f"{count} photos of 1200 x 1600", spent)
    print(f"hits: autocrop {sum(theirs)}, own {sum(own)}, both {both}; all photos: "
          f"{seconds['autocrop'] / seconds['own']:.2f} times autocrop")  # fmt: skip
    is_met = timing.print_goals(goals)
    timing.keep(
        "faces",
        {
            "photos": count, "size": SIZE, "rounds": rounds, "cpu_s": seconds,
            "hits": {"autocrop": sum(theirs), "own": sum(own), "both": both}, "goals": timing.as_json(goals),
        },
    )  # fmt: skip
    return is_met


if __name__ == "__main__":
    sys.exit(main_over_photos(__doc__, run, 40, 300))

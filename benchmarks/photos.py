"""Photographs for benchmarks, made from seeds: many sizes, JPEG at web qualities, some of them near-duplicates.

They are blends of real photos where ../shared/data has them (so that they hold what detectors look for), and of
drawn scenes where it has not, with texture and noise, so that a megapixel costs what one from the web costs. They
stand in a cache folder (GLEANERY_BENCH_CACHE, default ~/.cache/gleanery/bench) and are made once.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

MADE = 1
"""Raise when the photos would differ."""
SIZES = ((300, 400), (480, 640), (600, 800), (768, 1024), (900, 1200), (1200, 1600), (1500, 2000), (3000, 4000))
SHARES = (0.17, 0.18, 0.18, 0.14, 0.11, 0.12, 0.06, 0.04)
"""Mean 1.3 megapixels: the mixture of a crawl, from thumbnails to camera files."""
COPY_SHARE = 0.4
_TILE_PX = 512


def photo_folder(count: int, *, size: tuple[int, int] | None = None) -> Path:
    """Give a folder of JPEG photos, making it on first use.

    Args:
        count: how many.
        size: (shorter, longer) of all; None gives the mixture of SIZES.
    """
    name = f"photos-{MADE}-{count}" + (f"-{size[0]}x{size[1]}" if size else "")
    folder = cache_folder() / name
    marker = folder.with_suffix(".done")  # beside it: peers take every file in it for a picture
    if not marker.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            list(pool.map(_make, [folder] * count, range(count), [size] * count, chunksize=16))
        marker.touch()
    return folder


def photos(folder: Path) -> list[Path]:
    """List the photos of a folder, in order."""
    return sorted(folder.glob("*.jpg"))


def cache_folder() -> Path:
    """Folder of what benchmarks make for themselves."""
    return Path(os.environ.get("GLEANERY_BENCH_CACHE", Path.home() / ".cache" / "gleanery" / "bench"))


def _make(folder: Path, number: int, size: tuple[int, int] | None) -> None:
    random = np.random.default_rng([MADE, number])
    is_copy = number > 0 and random.random() < COPY_SHARE
    seed = int(random.integers(number)) if is_copy else number
    image = scene(seed, size)
    if is_copy:
        image = _altered(image, random, is_resized=size is None)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=int(random.integers(75, 93)))
    (folder / f"{number:06d}.jpg").write_bytes(stream.getvalue())


def scene(seed: int, size: tuple[int, int] | None = None) -> Image.Image:
    """Make one photo: two pictures blended, a person in two thirds of them, texture, grain."""
    random = np.random.default_rng([MADE, 7, seed])
    short, long = size or SIZES[int(random.choice(len(SIZES), p=SHARES))]
    width, height = (short, long) if random.random() < 0.6 else (long, short)
    first, second = (_picture(int(random.integers(2**31)), width, height) for _ in range(2))
    image = Image.blend(first, second, float(random.uniform(0.2, 0.8)))
    people = sources("lfw")
    if people and random.random() < 2 / 3:
        person = Image.open(people[int(random.integers(len(people)))]).convert("RGB")
        side = int(min(width, height) * random.uniform(0.3, 0.9))
        corner = (int(random.integers(0, width - side + 1)), int(random.integers(0, height - side + 1)))
        image.paste(person.resize((side, side), Image.Resampling.BICUBIC), corner)
    grain = np.tile(_grain(int(random.integers(16))), (-(-height // _TILE_PX), -(-width // _TILE_PX), 1))
    noisy = np.asarray(image, np.int16) + grain[:height, :width]
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _picture(seed: int, width: int, height: int) -> Image.Image:
    """Cut a random part of a real photo, or draw a smooth scene, at the size asked for."""
    random = np.random.default_rng([MADE, 8, seed])
    real = [*sources("noise/noise"), *sources("noise/good")]
    if real:
        picture = Image.open(real[int(random.integers(len(real)))]).convert("RGB")
        share = random.uniform(0.5, 1.0)
        w, h = int(picture.width * share), int(picture.height * share)
        x, y = int(random.integers(0, picture.width - w + 1)), int(random.integers(0, picture.height - h + 1))
        return picture.resize((width, height), Image.Resampling.BILINEAR, (x, y, x + w, y + h))
    coarse = [random.normal(0, 60 / 2**level, (3 * 2**level, 4 * 2**level, 3)) for level in range(5)]
    layers = [np.asarray(_enlarged(layer, width, height), np.int16) - 128 for layer in coarse]
    return Image.fromarray(np.clip(128 + sum(layers), 0, 255).astype(np.uint8))


def _enlarged(values: NDArray[np.float64], width: int, height: int) -> Image.Image:
    image = Image.fromarray(np.clip(values + 128, 0, 255).astype(np.uint8))
    return image.resize((width, height), Image.Resampling.BICUBIC)


@cache
def _grain(seed: int) -> NDArray[np.int16]:
    """Sensor noise of neighbouring pixels that belong together, as a camera's own processing leaves it."""
    noise = np.random.default_rng([MADE, 9, seed]).normal(0, 6, (_TILE_PX, _TILE_PX, 3))
    smooth = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1) + np.roll(noise, (1, 1), (0, 1))) / 2
    return smooth.astype(np.int16)


def _altered(image: Image.Image, random: np.random.Generator, *, is_resized: bool) -> Image.Image:
    """Make a copy as the web makes them: resized, brightened, cropped a little, or only encoded again."""
    kind = int(random.integers(4))
    if kind == 0 and is_resized:
        scale = random.uniform(0.5, 0.9)
        return image.resize((int(image.width * scale), int(image.height * scale)), Image.Resampling.LANCZOS)
    if kind == 1:
        return ImageEnhance.Brightness(image).enhance(random.uniform(0.85, 1.15))
    if kind == 2:
        margin = int(min(image.size) * random.uniform(0.01, 0.03))
        cut = image.crop((margin, margin, image.width - margin, image.height - margin))
        return cut if is_resized else cut.resize(image.size, Image.Resampling.BICUBIC)
    return image


@cache
def sources(folder: str) -> Sequence[Path]:
    """List the real photos of a folder of ../shared/data; none where it is missing."""
    default = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    root = Path(os.environ.get("GLEANERY_SHARED_DATA", default)) / folder
    return sorted(root.rglob("*.jpg"))

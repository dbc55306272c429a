"""A hard gallery: a folder of drawn garments in which buyers' photos must be found among thousands of look-alikes.

    python -m sampleweb.retrieval FOLDER --items 400 --distractors 4200 --seed 7

writes `ITEM/seller_1.jpg`, `ITEM/seller_2.jpg` and, unless the item is a distractor that nobody bought,
`ITEM/buyer_1.jpg`, ... as `gleanery import --layout shop` takes them. What makes it hard is planted: many items share
a colour, and a buyer's photo shows the thing in another light, place and turn than the shop's.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sampleweb.garments import COLORS, draw

SIZE_PX = (96, 128)
_WORK_PX = (300, 400)
_CUT = (85, 110, 215, 290)
"""Of the drawing: the garment with little around it, so that pictures are alike where it counts."""
_SHAKE_PX = 8
"""How far a buyer's cut may miss."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One photo to draw."""

    item: int
    color: str
    kind: str
    """seller or buyer."""
    number: int
    """From 1, among the item's photos of the kind."""

    @property
    def path(self) -> str:
        """Where it lies in the folder."""
        return f"item-{self.item:05d}/{self.kind}_{self.number}.jpg"


def shots(items: int, distractors: int, seed: int) -> Iterator[Shot]:
    """List the photos: one or two of the seller and two to four of buyers; of distractors the seller's alone.

    Args:
        items: bought by somebody.
        distractors: seen in the shop only, one photo each.
        seed: of colours and counts.
    """
    random = np.random.default_rng(seed)
    colors = list(COLORS)
    for item in range(items + distractors):
        color = colors[int(random.integers(len(colors)))]
        counts = {"seller": int(random.integers(1, 3)), "buyer": int(random.integers(2, 5))}
        if item >= items:
            counts = {"seller": 1, "buyer": 0}
        for kind, count in counts.items():
            for number in range(1, count + 1):
                yield Shot(item, color, kind, number)


def draw_shot(shot: Shot, seed: int) -> Image.Image:
    """Draw one photo: the garment close up, a buyer's a little off the middle."""
    # The third number is the shot: the first two alone give cut and pattern.
    numbers = (seed, shot.item, shot.number + 10 * (shot.kind == "buyer"))
    drawn = draw(shot.kind, numbers, shot.color, _WORK_PX)
    shake = np.random.default_rng((*numbers, 1)).integers(-_SHAKE_PX, _SHAKE_PX + 1, 2)
    dx, dy = (int(value) for value in shake) if shot.kind == "buyer" else (0, 0)
    x0, y0, x1, y1 = _CUT
    return drawn.crop((x0 + dx, y0 + dy, x1 + dx, y1 + dy)).resize(SIZE_PX, Image.Resampling.BICUBIC)


def write_gallery(folder: Path, items: int, distractors: int, seed: int) -> int:
    """Draw all photos that are not there yet; returns how many the folder holds."""
    count = 0
    for shot in shots(items, distractors, seed):
        path = folder / shot.path
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            draw_shot(shot, seed).save(part, "JPEG", quality=88)
            part.replace(path)
        count += 1
    return count


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Draw a hard gallery of garments.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=400)
    parser.add_argument("--distractors", type=int, default=4200)
    parser.add_argument("--seed", type=int, default=7)
    settings = parser.parse_args()
    print(write_gallery(settings.folder, settings.items, settings.distractors, settings.seed), "photos")


if __name__ == "__main__":
    main()

from __future__ import annotations

import imagehash
import numpy as np
from PIL import Image

from curation.ops.phash import dhash, gray_image, phash, shrunk


def bits(value: imagehash.ImageHash) -> int:
    return int(str(value), 16)


def test_equals_imagehash(draw):
    for seed in range(40):
        rgb = draw(seed, 120 + seed, 90)
        image, gray = Image.fromarray(rgb), gray_image(rgb)
        assert (phash(shrunk(gray))[0] ^ bits(imagehash.phash(image))).bit_count() <= 0
        assert dhash(gray)[0] == bits(imagehash.dhash(image))


def test_mirrored_hashes_are_those_of_the_mirror_image(draw):
    for seed in range(20):
        rgb = draw(seed, 128, 96)
        image, mirrored = gray_image(rgb), Image.fromarray(np.ascontiguousarray(rgb[:, ::-1]))
        assert (phash(shrunk(image))[1] ^ bits(imagehash.phash(mirrored))).bit_count() <= 2
        assert (dhash(image)[1] ^ bits(imagehash.dhash(mirrored))).bit_count() <= 2

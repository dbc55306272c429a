"""How far a look must reach: copies that must be known after a takedown, beside strangers that must not be silenced.

    python benchmarks/bench_looks.py ../shared/data

Copies are photos shrunk to 60 % and saved at quality 60, and photos cropped by 5 %. Strangers are pairs of different
photos that fall within the rule; true copies of the data set are among them, so the count is an upper bound. The peer
is the usual rule, a radius of the pHash alone.
"""

from __future__ import annotations

import io
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from catalog.looks import RADIUS_BITS, Look, looks_of

PHOTOS, COPIES = 3000, 600
RULES = {"pHash alone, 6 bits": (6, 64), f"pHash and dHash, {RADIUS_BITS} bits each": (RADIUS_BITS, RADIUS_BITS)}


def encoded_again(body: bytes) -> bytes:
    """Shrink to 60 % and save at quality 60."""
    with Image.open(io.BytesIO(body)) as image:
        return saved(image.convert("RGB").resize((int(image.width * 0.6), int(image.height * 0.6))), 60)


def cropped(body: bytes) -> bytes:
    """Cut 2.5 % off each side."""
    with Image.open(io.BytesIO(body)) as image:
        x, y = image.width // 40, image.height // 40
        return saved(image.convert("RGB").crop((x, y, image.width - x, image.height - y)), 80)


def saved(image: Image.Image, quality: int) -> bytes:
    """Encode as JPEG."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def distances(left: Look, right: Look) -> tuple[int, int]:
    """Bits between two looks: pHash, dHash."""
    assert left.dhash is not None
    assert right.dhash is not None
    return (left.phash ^ right.phash).bit_count(), (left.dhash ^ right.dhash).bit_count()


def measure(folder: Path) -> dict[str, Any]:
    """Measure one folder of photos."""
    files = sorted(folder.rglob("*.jpg"))
    random.Random(1).shuffle(files)
    bodies = [path.read_bytes() for path in files[:PHOTOS]]
    looks = [found[0] for body in bodies if (found := looks_of(body))]
    phashes = np.array([look.phash for look in looks], np.uint64)
    dhashes = np.array([look.dhash for look in looks], np.uint64)
    copies = {
        what: [distances(looks_of(body)[0], looks_of(change(body))[0]) for body in bodies[:COPIES]]
        for what, change in (("shrunk and saved again", encoded_again), ("cropped by 5 %", cropped))
    }
    rows = {}
    for name, (p_bits, d_bits) in RULES.items():
        pairs = 0
        for row in range(len(looks)):
            near = np.bitwise_count(phashes[row + 1 :] ^ phashes[row]) <= p_bits
            pairs += int((near & (np.bitwise_count(dhashes[row + 1 :] ^ dhashes[row]) <= d_bits)).sum())
        known = {
            what: float(np.mean([p <= p_bits and d <= d_bits for p, d in found])) for what, found in copies.items()
        }
        rows[name] = {"known_frac": {what: round(frac, 4) for what, frac in known.items()}, "pairs_of_others": pairs}
    return {"photos": len(looks), "rules": rows}


def main() -> None:
    """Measure both and write the results."""
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    results = {name: measure(data / name) for name in ("lfw", "scut-fbp5500")}
    text = json.dumps(results, indent=1)
    (Path(__file__).parent / "results" / "looks.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

"""How well copies are told from look-alikes, by kind, on pairs that nobody judged by eye.

    GLEANERY_SHARED_DATA=../shared/data python -m benchmarks.bench_copies [--pictures 40] [--fit]

Peers: pHash within 8 bits and within 10, the usual rules. Pictures that the judged lists name are left out; those
lists are then read as a test. Then, by kind, how many copies `gleanery duplicates` finds in a folder of pictures and
their copies, where something has to nominate a pair before it is compared. `--fit` prints weights for
`curation/ops/copies.py` fitted to the pairs.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
from PIL import Image

from benchmarks.copies import EDITS, FAR_EDITS, Pair, conveyor, copies, on_background, photos, recoloured
from curation.executors import InlineExecutor
from curation.folder.duplicates import find_clusters, stages_for
from curation.folder.pictures import find_pictures, list_pictures, measure
from curation.ops.copies import evidence
from curation.ops.registration import VIEWS, Look, Match, compare, look_at
from curation.stages.thumbnails import jpeg_bytes
from sampleweb.garments import COLORS
from sampleweb.garments import draw as draw_garment
from sampleweb.pictures import Picture
from sampleweb.pictures import draw as draw_picture

RESULTS = Path(__file__).parent / "results" / "copies.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One pair, measured."""

    kind: str
    is_copy: bool
    match: Match
    phash_bits: int


def looked_at(image: Image.Image) -> Look:
    """See a picture as the stage `thumbnails` gives it."""
    small = image.convert("RGB").copy()
    small.thumbnail((256, 256), Image.Resampling.LANCZOS, reducing_gap=None)
    return look_at(jpeg_bytes(small))


def measured(kind: str, pair: Pair, *, is_copy: bool) -> Row:
    """Compare a pair in the ways that its kind may need."""
    left, right = (looked_at(image) for image in pair)
    views = VIEWS if kind == "turned" else VIEWS[:2]
    best = max((compare(left, right, view) for view in views), key=lambda match: match.copy_prob)
    bits = int(imagehash.phash(pair[0]) - imagehash.phash(pair[1]))
    return Row(kind, is_copy, best, bits)


def nearest(images: Sequence[Image.Image], count: int) -> Iterator[Pair]:
    """Give the pairs that look most alike at 32 px, each picture in one pair at most."""
    vectors = np.stack([np.asarray(image.convert("L").resize((32, 32)), np.float32).ravel() for image in images])
    vectors -= vectors.mean(axis=1, keepdims=True)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6
    likeness = np.triu(vectors @ vectors.T, 1)
    used: set[int] = set()
    for place in np.argsort(-likeness, axis=None):
        first, second = divmod(int(place), len(images))
        if not used & {first, second}:
            used |= {first, second}
            yield images[first], images[second]
        if len(used) >= 2 * count:
            return


def real_photos(data: Path, count: int) -> dict[str, list[Image.Image]]:
    """Read some photos of each kind, none that a judged list names; of people, one photo per name."""
    judged = {name for row in judged_rows(data) for name in (row["a"], row["b"])}
    people = [folder / f"{folder.name}_0001.jpg" for folder in sorted((data / "lfw").iterdir())]
    found = {
        "faces": people,
        "portraits": sorted((data / "scut-fbp5500" / "Images").glob("*.jpg")),
        "garments": sorted((data / "noise" / "good").glob("*.jpg")),
        "objects": sorted((data / "noise" / "noise").glob("*.jpg")),
    }
    random = np.random.default_rng(7)
    chosen: dict[str, list[Image.Image]] = {}
    for kind, paths in found.items():
        free = [path for path in paths if path.relative_to(data).as_posix() not in judged]
        some = random.choice(len(free), min(count, len(free)), replace=False)
        chosen[kind] = photos([free[int(number)] for number in sorted(some)])
    return chosen


def drawn_pairs(count: int) -> Iterator[tuple[str, Pair]]:
    """Look-alikes that are drawn: persons of one hand, and one skirt in two colours."""
    for number in range(count):
        seeds = [(1, 100 + number + step, 0) for step in (0, count)]
        faces = [Picture(kind="portrait", seed=seed, size=(320, 400), field="econ") for seed in seeds]
        yield "drawn faces", (draw_picture(faces[0]), draw_picture(faces[1]))
        tones = [list(COLORS)[(number + step) % len(COLORS)] for step in (0, 3)]
        skirts = [draw_garment("seller", (1, number, shot), tone, (300, 400)) for shot, tone in enumerate(tones)]
        yield "drawn skirt, other colour", (skirts[0], skirts[1])


def non_copies(chosen: dict[str, list[Image.Image]], count: int) -> Iterator[tuple[str, Pair]]:
    """Give hard pairs that are no copies."""
    for kind, images in chosen.items():
        for pair in nearest(images, count):
            yield f"look-alike {kind}", pair
    things = chosen["objects"]
    for number in range(count):
        random = np.random.default_rng([11, number])
        yield "garment recoloured", recoloured(chosen["garments"][number], random)
        yield "conveyor frames", conveyor(things, random)
        yield "things on one background", on_background(things, random)
    yield from drawn_pairs(count)


def judged_rows(data: Path) -> list[dict[str, str]]:
    """Read the lists that people judged."""
    rows: list[dict[str, str]] = []
    for name in ("lfw", "scut"):
        with (data / "near_duplicates" / f"{name}_pairs.csv").open(encoding="utf-8") as stream:
            rows.extend(csv.DictReader(stream))
    return rows


def all_rows(data: Path, count: int) -> list[Row]:
    """Measure everything."""
    chosen = real_photos(data, 8 * count)
    rows = []
    per_kind = -(-count // len(chosen))
    for images in chosen.values():
        rows += [measured(kind, pair, is_copy=True) for kind, pair in copies(images[:per_kind], 3)]
    rows += [measured(kind, pair, is_copy=False) for kind, pair in non_copies(chosen, count)]
    for row in judged_rows(data):
        pair = Image.open(data / row["a"]).convert("RGB"), Image.open(data / row["b"]).convert("RGB")
        rows.append(measured(f"judged {row['label']}", pair, is_copy=row["label"] == "dup"))
    return rows


def found_in_folder(pairs: Sequence[Pair]) -> dict[str, int]:
    """Look for a copy of each picture in a folder: how many are found, how many clusters mix pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for number, (image, copy) in enumerate(pairs):
            image.save(folder / f"{number:03d}.png")
            copy.save(folder / f"{number:03d}.copy.png")
        listed = list_pictures(folder, find_pictures(folder))
        measured = measure(listed, stages_for(with_embedding=True), folder / "work", InlineExecutor())
        clusters = [{name.split(".")[0] for name in cluster.members} for cluster in find_clusters(measured)]
    alone = [next(iter(pictures)) for pictures in clusters if len(pictures) == 1]
    return {"pictures": len(pairs), "found": len(set(alone)), "mixed": len(clusters) - len(alone)}


def found_by_kind(data: Path, count: int) -> dict[str, dict[str, int]]:
    """Give what `found_in_folder` finds of each kind of copy."""
    chosen = real_photos(data, 8 * count)
    per_kind = -(-count // len(chosen))
    originals = [image for images in chosen.values() for image in images[-per_kind:]]
    pairs: dict[str, list[Pair]] = {}
    for kind, pair in copies(originals, 5, {**EDITS, **FAR_EDITS}):
        pairs.setdefault(kind, []).append(pair)
    return {kind: found_in_folder(some) for kind, some in pairs.items()}


def table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Give pairs, those taken for copies, and those the peers take, per kind."""
    found = []
    for kind in dict.fromkeys(row.kind for row in rows):
        some = [row for row in rows if row.kind == kind]
        probs = sorted(row.match.copy_prob for row in some)
        found.append(
            {
                "kind": kind,
                "is_copy": some[0].is_copy,
                "pairs": len(some),
                "taken": sum(prob >= 0.5 for prob in probs),
                "phash_8": sum(row.phash_bits <= 8 for row in some),
                "phash_10": sum(row.phash_bits <= 10 for row in some),
                "least": round(probs[0], 3),
                "most": round(probs[-1], 3),
            }
        )
    return found


def rates(rows: Sequence[Row]) -> tuple[float, float]:
    """Precision and recall at 0.5."""
    taken = [row for row in rows if row.match.copy_prob >= 0.5]
    right = sum(row.is_copy for row in taken)
    return right / max(1, len(taken)), right / max(1, sum(row.is_copy for row in rows))


def fitted(rows: Sequence[Row]) -> dict[str, float]:
    """Fit a logistic curve to the pairs made here; every weight keeps the sign that it must have."""
    from scipy.optimize import minimize

    made = [row for row in rows if not row.kind.startswith("judged")]
    names = list(evidence(made[0].match.agreement))
    values = np.array([list(evidence(row.match.agreement).values()) for row in made])
    truth = np.array([row.is_copy for row in made])
    share = np.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum())

    def loss(weights: np.ndarray) -> float:
        z = values @ weights[1:] + weights[0]
        return float((share * np.logaddexp(0, np.where(truth, -z, z))).sum() + 2e-4 * (weights[1:] ** 2).sum())

    bounds = [(None, None), *((0.0, None) for _ in names)]
    best = minimize(loss, np.zeros(len(names) + 1), bounds=bounds)
    return dict(zip(["bias", *names], (round(float(weight), 2) for weight in best.x), strict=True))


def main() -> None:
    """Print the table and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--fit", action="store_true")
    asked = parser.parse_args()
    data = Path(os.environ.get("GLEANERY_SHARED_DATA", "../shared/data"))
    rows = all_rows(data, asked.pictures)
    print(f"{'kind':28} {'truth':6} {'pairs':>5} {'taken':>5} {'pHash<=8':>8} {'<=10':>5} {'least':>6} {'most':>6}")
    for line in table(rows):
        truth = "copy" if line["is_copy"] else "other"
        print(
            f"{line['kind']:28} {truth:6} {line['pairs']:5} {line['taken']:5} {line['phash_8']:8} "
            f"{line['phash_10']:5} {line['least']:6.3f} {line['most']:6.3f}"
        )
    made = [row for row in rows if not row.kind.startswith("judged")]
    judged = [row for row in rows if row.kind in ("judged dup", "judged not_dup")]
    for name, some in (("made here", made), ("judged by eye", judged)):
        precision, recall = rates(some)
        print(f"{name}: precision {precision:.4f}, recall {recall:.4f} over {len(some)} pairs")
    if asked.fit:
        print("weights", fitted(rows))
    folders = found_by_kind(data, asked.pictures)
    print(f"\n{'in a folder of pictures and copies':36} {'pictures':>8} {'found':>6} {'mixed':>6}")
    for kind, found in folders.items():
        print(f"{kind:36} {found['pictures']:8} {found['found']:6} {found['mixed']:6}")
    facts = {"table": table(rows), "made": rates(made), "judged": rates(judged), "folders": folders}
    RESULTS.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

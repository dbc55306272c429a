"""Published lists of verification pairs: LFW's `pairs.txt` and its kin, LFWcrop's lists, and CSV.

LFW (http://vis-www.cs.umass.edu/lfw/README.txt, 3c): a first line with the number of sets and of pairs per set, then
per set so many lines `name n1 n2` of the same person, then so many `name1 n1 name2 n2` of two. LFWcrop
(https://conradsanderson.id.au/lfwcrop/): files `01_train_same.txt`, `01_test_diff.txt`, ..., a pair of picture names a
line. CSV: columns a, b, same and, where there are folds, fold.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from catalog.errors import UsageError

_CROP_LIST = re.compile(r"(\d+)_(train|test)_(same|diff)")
_NUMBERED = "{}_{:04d}"
"""How LFW numbers a person's pictures."""


@dataclass(frozen=True, slots=True)
class ListedPair:
    """Two picture names, without folder and extension."""

    a: str
    b: str
    is_same: bool
    fold: int = -1
    """As the list counts, from 1 where it only orders them; -1 in none."""


def read_pairs(name: str, text: str) -> list[ListedPair]:
    """Read a list of pairs.

    Args:
        name: of the file; LFWcrop's says fold and whether its pairs are of one person.
        text: its content.

    Raises:
        UsageError: no list of a known kind; names the line.
    """
    stem = PurePosixPath(name).stem
    if name.lower().endswith(".csv"):
        return list(_from_csv(name, text))
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if found := _CROP_LIST.search(stem):
        is_same, fold = found[3] == "same", int(found[1])
        return [ListedPair(*_two(name, number, words), is_same, fold) for number, words in lines]
    return list(_from_lfw(name, lines))


def published_pairs(
    samples: pd.DataFrame, documents: Mapping[str, str]
) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """Find the samples of published pairs.

    Args:
        samples: SAMPLE_COLUMNS and split; a picture is known by the name of its file.
        documents: name -> text of the lists.

    Returns:
        (the pairs whose pictures stand on one side, facts per list: how many there were, and why others are left out).

    Raises:
        UsageError: no list, or one that cannot be read.
    """
    if not documents:
        raise UsageError("[pairs]: lists names no file that the sources hold; import the folder with its lists")
    places = {PurePosixPath(url).stem: row for row, url in enumerate(samples["image_url"])}
    ids, splits = samples["sample_id"].tolist(), samples["split"].tolist()
    rows, facts = [], {}
    for name, text in sorted(documents.items()):
        counts = {"listed_count": 0, "taken_count": 0, "missing_count": 0, "two_sides_count": 0}
        for pair in read_pairs(name, text):
            counts["listed_count"] += 1
            if pair.a not in places or pair.b not in places:
                counts["missing_count"] += 1  # the picture is not in the folder, or was held back
                continue
            a, b = places[pair.a], places[pair.b]
            if splits[a] != splits[b]:
                counts["two_sides_count"] += 1
                continue
            counts["taken_count"] += 1
            rows.append((splits[a], *sorted((ids[a], ids[b])), pair.is_same, pair.fold))
        facts[PurePosixPath(name).name] = counts
    table = pd.DataFrame(rows, columns=["split", "sample_id_a", "sample_id_b", "is_same", "fold"])
    table = table.astype({"is_same": bool, "fold": "int64"}).drop_duplicates()
    if (table["fold"] < 0).all():
        table = table.drop(columns="fold")
    return table.sort_values(["split", "sample_id_a", "sample_id_b"], ignore_index=True), facts


def _from_csv(name: str, text: str) -> Iterator[ListedPair]:
    table = csv.DictReader(io.StringIO(text, newline=""))
    if not {"a", "b", "same"} <= set(table.fieldnames or ()):
        raise UsageError(f"{name}: expected columns a, b, same and maybe fold, found {table.fieldnames}")
    for row in table:
        if row["same"] not in ("0", "1"):
            raise UsageError(f"{name}: line {table.line_num}: same is {row['same']!r}, expected 0 or 1")
        fold = int(row["fold"]) if str(row.get("fold") or "").isdigit() else -1
        yield ListedPair(_stem(row["a"]), _stem(row["b"]), row["same"] == "1", fold)


def _from_lfw(name: str, lines: Iterable[tuple[int, list[str]]]) -> Iterator[ListedPair]:
    head, sets, each = None, 1, 0
    for position, (number, words) in enumerate(lines):
        if head is None and all(word.isdigit() for word in words):
            head = position
            sets, each = (int(words[0]), int(words[1])) if len(words) == 2 else (1, int(words[0]))
            continue
        fold = -1 if sets < 2 or not each else 1 + (position - 1) // (2 * each)
        if len(words) == 3 and words[1].isdigit() and words[2].isdigit():
            a, b = (_NUMBERED.format(words[0], int(word)) for word in words[1:])
            yield ListedPair(a, b, True, fold)
        elif len(words) == 4 and words[1].isdigit() and words[3].isdigit():
            a, b = (_NUMBERED.format(who, int(word)) for who, word in (words[:2], words[2:]))
            yield ListedPair(a, b, False, fold)
        else:
            raise UsageError(
                f"{name}: line {number}: expected `name n1 n2` or `name1 n1 name2 n2`, found {len(words)} words"
            )


def _two(name: str, number: int, words: list[str]) -> tuple[str, str]:
    if len(words) != 2:
        raise UsageError(f"{name}: line {number}: expected two picture names, found {len(words)} words")
    return _stem(words[0]), _stem(words[1])


def _stem(name: str) -> str:
    """Name without folder, and without extension where it has one: `X/Jo_L._Doe_0001.jpg` -> `Jo_L._Doe_0001`."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.stem if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".pgm", ".ppm", ".bmp") else path.name

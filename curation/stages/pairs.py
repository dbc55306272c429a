"""Table `pairs`: verification pairs, drawn per part or published.

Table: split, sample_id_a, sample_id_b, is_same; published ones with folds also `fold` (-1: in none). Settings stand
in the recipe's section `[pairs]`:

    validation = 256, test = 256, train = 40000   how many to draw of each part, in this order
    seed = 1                                      default: the seed of [splits]
    lists = ["pairs.txt"]                         take published pairs instead: lists that an imported folder holds

Half of the drawn pairs show the same identity and half two. The identity is drawn first and then its picture, so that
people with many pictures do not crowd the set; a picture may stand in several pairs of its part, in two parts never,
as no picture has two sides. Where `[splits] disjoint = "group"` no person has either (the person-disjoint protocol);
with `"image"` people may stand in several parts, their pictures not (the image-disjoint one). A part gets the pairs
asked for wherever it holds so many different ones; where it does not, the facts say how many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng

from catalog.errors import UsageError
from curation.contract import TableInputs, TableResult
from curation.decisions import decisions_frame
from curation.stages.pair_lists import published_pairs
from curation.stages.registry import check_params
from curation.stages.strata import identity_of

ASKED = {"validation": 256, "test": 256, "train": 40_000}
"""Pairs per part where the recipe names no number; drawn in this order."""
COLUMNS = ("split", "sample_id_a", "sample_id_b", "is_same")
_ROUNDS = 20
"""So often a draw is repeated for pairs that came twice; then the pairs that there are are listed."""

People = dict[str, list[str]]
"""Identity -> its samples, both sorted."""
Pair = tuple[str, str]


class PairsStage:
    """See the module."""

    name = "pairs"
    version = 2
    signals: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("samples", "groups", "splits")
    reads_verdicts: tuple[str, ...] = ()
    reads_assignments = False

    def run(self, inputs: TableInputs) -> TableResult:
        """Draw the pairs, or read them.

        Raises:
            UsageError: no splits in the recipe, a number that is none, or a list that cannot be read.
        """
        check_params(self.name, inputs.params, (*ASKED, "seed", "lists"))
        if "splits" not in inputs.tables:
            raise UsageError("[pairs] needs the section [splits] in the recipe")
        sides = inputs.tables["splits"].drop(columns="group_id")
        samples = inputs.tables["samples"].merge(sides, on="sample_id").merge(inputs.tables["groups"], on="sample_id")
        if inputs.params.get("lists"):
            table, facts = published_pairs(samples, inputs.documents)
        else:
            table, facts = drawn_pairs(samples, inputs.params, int(inputs.recipe.splits.get("seed", 0)))
        return TableResult(table=table, decisions=decisions_frame(), facts=facts)


def drawn_pairs(
    samples: pd.DataFrame, params: Mapping[str, Any], seed: int
) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """Draw the pairs of every part.

    Args:
        samples: SAMPLE_COLUMNS, group_id and split.
        params: the section `[pairs]`.
        seed: where it names none.

    Returns:
        (the table, part -> asked_count, same_count, different_count, and how many of both there are at all).

    Raises:
        UsageError: a number below zero.
    """
    identity = identity_of(samples)
    random = default_rng(int(params.get("seed", seed)))
    rows: list[tuple[str, str, str, bool]] = []
    facts: dict[str, dict[str, int]] = {}
    for split, usual in ASKED.items():
        wanted = int(params.get(split, usual))
        if wanted < 0:
            raise UsageError(f"[pairs]: {split} = {wanted}, expected a number of pairs")
        part = samples[samples["split"] == split]
        people = _people(identity[part.index], part["sample_id"])
        groups = dict(zip(part["sample_id"], part["group_id"], strict=True))
        able = {"same": count_same(people), "different": count_different(people, groups)}
        each = min(wanted // 2, *able.values())  # half and half, also of few
        same, different = draw_same(people, each, random), draw_different(people, groups, each, random)
        rows += [(split, a, b, True) for a, b in same] + [(split, a, b, False) for a, b in different]
        facts[split] = {
            "asked_count": wanted,
            **{"same_count": len(same), "different_count": len(different)},
            **{f"{kind}_possible_count": count for kind, count in able.items()},
        }
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"is_same": bool})
    return table.sort_values(["split", "sample_id_a", "sample_id_b"], ignore_index=True), facts


def _people(identity: pd.Series, samples: pd.Series) -> People:
    people: People = {}
    for who, sample in sorted(zip(identity, samples, strict=True)):
        people.setdefault(str(who), []).append(str(sample))
    return people


def count_same(people: People) -> int:
    """Count the different pairs of one identity each."""
    return sum(len(samples) * (len(samples) - 1) // 2 for samples in people.values())


def count_different(people: People, groups: Mapping[str, str]) -> int:
    """Count the different pairs of two identities each that are not of one group."""
    blocks: dict[tuple[str, str], int] = {}  # pictures of an identity in a group
    for who, samples in people.items():
        for sample in samples:
            blocks[who, groups[sample]] = blocks.get((who, groups[sample]), 0) + 1
    by_who: dict[str, int] = {}
    by_group: dict[str, int] = {}
    for (who, group), count in blocks.items():
        by_who[who] = by_who.get(who, 0) + count
        by_group[group] = by_group.get(group, 0) + count
    squares = [sum(count**2 for count in counts.values()) for counts in (by_who, by_group, blocks)]
    # Pairs of all, less those of one identity, less those of one group, and both were taken off twice.
    return (sum(by_who.values()) ** 2 - squares[0] - squares[1] + squares[2]) // 2


def draw_same(people: People, count: int, random: Generator) -> list[Pair]:
    """Draw so many different pairs of one identity each, the identity first.

    Args:
        people: identity -> samples.
        count: at most `count_same`.
        random: what draws.
    """
    able = [samples for samples in people.values() if len(samples) > 1]
    sizes = np.array([len(samples) for samples in able], np.int64)
    drawn: dict[Pair, None] = {}
    for _ in range(_ROUNDS if count else 0):
        who = random.integers(len(able), size=count)
        first = random.integers(sizes[who])
        second = random.integers(sizes[who] - 1)
        second += second >= first  # another picture than the first
        for person, a, b in zip(who, np.minimum(first, second), np.maximum(first, second), strict=True):
            if len(drawn) < count:
                drawn[able[person][a], able[person][b]] = None
        if len(drawn) == count:
            return list(drawn)
    return _filled(drawn, (pair for samples in able for pair in combinations(samples, 2)), count, random)


def draw_different(people: People, groups: Mapping[str, str], count: int, random: Generator) -> list[Pair]:
    """Draw so many different pairs of two identities each, never of one group: that may be one person of two names.

    Args:
        people: identity -> samples.
        groups: group of each sample.
        count: at most `count_different`.
        random: what draws.
    """
    able = list(people.values())
    sizes = np.array([len(samples) for samples in able], np.int64)
    drawn: dict[Pair, None] = {}
    for _ in range(_ROUNDS if count else 0):
        left = random.integers(len(able), size=count)
        right = random.integers(len(able) - 1, size=count)
        right += right >= left
        for one, a, two, b in zip(
            left, random.integers(sizes[left]), right, random.integers(sizes[right]), strict=True
        ):
            first, second = able[one][a], able[two][b]
            if len(drawn) < count and groups[first] != groups[second]:
                drawn[min(first, second), max(first, second)] = None
        if len(drawn) == count:
            return list(drawn)
    return _filled(drawn, _all_different(able, groups), count, random)


def _all_different(able: list[list[str]], groups: Mapping[str, str]) -> Iterator[Pair]:
    for ones, twos in combinations(able, 2):
        yield from ((min(a, b), max(a, b)) for a in ones for b in twos if groups[a] != groups[b])


def _filled(drawn: dict[Pair, None], every: Iterator[Pair], count: int, random: Generator) -> list[Pair]:
    """Add missing pairs from the list of all: where nearly all are asked for, drawing finds the last ones seldom."""
    missing = count - len(drawn)
    if missing:
        left = [pair for pair in every if pair not in drawn]
        drawn |= dict.fromkeys(left[row] for row in sorted(random.choice(len(left), missing, replace=False)))
    return list(drawn)

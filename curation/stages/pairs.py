"""Table `pairs`: verification pairs, drawn per part: validation first, then test, then train.

Half show the same identity and half two. The identity is drawn first and then its picture, so that people with many
pictures do not crowd the set; as parts share no group, no picture stands in two parts. Table: split, sample_id_a,
sample_id_b, is_same. Settings stand in the recipe's section `[pairs]`: how many pairs per part, and `seed`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng

from catalog.errors import UsageError
from curation.contract import TableInputs, TableResult
from curation.decisions import decisions_frame
from curation.stages.registry import check_params

ORDER = ("validation", "test", "train")
COLUMNS = ("split", "sample_id_a", "sample_id_b", "is_same")
_ROUNDS = 20
"""Draws that give a pair again are repeated so often; a small part holds fewer pairs than are asked for."""

People = dict[str, list[str]]
"""Identity -> its samples, both sorted."""
Pair = tuple[str, str]


class PairsStage:
    """See the module."""

    name = "pairs"
    version = 1
    signals: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("samples", "groups", "splits")
    reads_verdicts: tuple[str, ...] = ()
    reads_assignments = False

    def run(self, inputs: TableInputs) -> TableResult:
        """Draw the pairs.

        Raises:
            UsageError: no splits in the recipe, or a number that is none.
        """
        check_params(self.name, inputs.params, (*ORDER, "seed"))
        if "splits" not in inputs.tables:
            raise UsageError("[pairs] needs the section [splits] in the recipe")
        samples = inputs.tables["samples"].merge(inputs.tables["splits"], on="sample_id")
        identity = samples["label"].where(samples["label"] != "", samples["subject_id"])
        random = default_rng(int(inputs.params.get("seed", inputs.recipe.splits.get("seed", 0))))
        rows: list[tuple[str, str, str, bool]] = []
        facts: dict[str, dict[str, int]] = {}
        for split in ORDER:
            wanted = int(inputs.params.get(split, 0))
            part = samples[samples["split"] == split]
            people = _people(identity[part.index], part["sample_id"])
            groups = dict(zip(part["sample_id"], part["group_id"], strict=True))
            same = draw_same(people, wanted // 2, random)
            different = draw_different(people, groups, len(same), random)  # half and half, also of few
            rows += [(split, a, b, True) for a, b in same] + [(split, a, b, False) for a, b in different]
            facts[split] = {"asked_count": wanted, "same_count": len(same), "different_count": len(different)}
        table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"is_same": bool})
        table = table.sort_values(["split", "sample_id_a", "sample_id_b"], ignore_index=True)
        return TableResult(table=table, decisions=decisions_frame(), facts=facts)


def _people(identity: pd.Series, samples: pd.Series) -> People:
    people: People = {}
    for who, sample in sorted(zip(identity, samples, strict=True)):
        people.setdefault(str(who), []).append(str(sample))
    return people


def draw_same(people: People, count: int, random: Generator) -> list[Pair]:
    """Draw pairs of one identity each: all there are where `count` is not fewer, else the identity first."""
    able = [samples for samples in people.values() if len(samples) > 1]
    sizes = np.array([len(samples) for samples in able], np.int64)
    if count >= (sizes * (sizes - 1) // 2).sum():
        return [(a, b) for samples in able for row, a in enumerate(samples) for b in samples[row + 1 :]]
    drawn: dict[Pair, None] = {}
    for _ in range(_ROUNDS):
        who = random.integers(len(able), size=count)
        first = random.integers(sizes[who])
        second = random.integers(sizes[who] - 1)
        second += second >= first  # another picture than the first
        for person, a, b in zip(who, np.minimum(first, second), np.maximum(first, second), strict=True):
            if len(drawn) < count:
                drawn[able[person][a], able[person][b]] = None
    return list(drawn)


def draw_different(people: People, groups: dict[str, str], count: int, random: Generator) -> list[Pair]:
    """Draw pairs of two identities each, never of one group: that may be one person under two names."""
    able = list(people.values())
    sizes = np.array([len(samples) for samples in able], np.int64)
    drawn: dict[Pair, None] = {}
    for _ in range(_ROUNDS if len(able) > 1 else 0):
        left = random.integers(len(able), size=count)
        right = random.integers(len(able) - 1, size=count)
        right += right >= left
        for one, a, two, b in zip(
            left, random.integers(sizes[left]), right, random.integers(sizes[right]), strict=True
        ):
            first, second = able[one][a], able[two][b]
            if len(drawn) < count and groups[first] != groups[second]:
                drawn[min(first, second), max(first, second)] = None
    return list(drawn)

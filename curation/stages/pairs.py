"""Table `pairs`: verification pairs, drawn per part: validation first, then test, then train.

Half show the same identity and half two. The identity is drawn first and then its picture, so that people with many
pictures do not crowd the set; as parts share no group, no picture stands in two parts. Table: split, sample_id_a,
sample_id_b, is_same. Settings stand in the recipe's section `[pairs]`: how many pairs per part, and `seed`.
"""

from __future__ import annotations

import pandas as pd
from numpy.random import Generator, default_rng

from catalog.errors import UsageError
from curation.contract import TableInputs, TableResult
from curation.decisions import decisions_frame
from curation.stages.registry import check_params

ORDER = ("validation", "test", "train")
COLUMNS = ("split", "sample_id_a", "sample_id_b", "is_same")
_TRIES_PER_PAIR = 20
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
    possible = sum(len(samples) * (len(samples) - 1) // 2 for samples in able)
    if count >= possible:
        return [(a, b) for samples in able for row, a in enumerate(samples) for b in samples[row + 1 :]]
    drawn: dict[Pair, None] = {}
    for _ in range(count * _TRIES_PER_PAIR):
        if len(drawn) == count:
            break
        samples = able[random.integers(len(able))]
        first, second = sorted(random.choice(len(samples), 2, replace=False))
        drawn[samples[first], samples[second]] = None
    return list(drawn)


def draw_different(people: People, groups: dict[str, str], count: int, random: Generator) -> list[Pair]:
    """Draw pairs of two identities each, never of one group: that may be one person under two names."""
    names = list(people)
    drawn: dict[Pair, None] = {}
    for _ in range(count * _TRIES_PER_PAIR if len(names) > 1 else 0):
        if len(drawn) == count:
            break
        first, second = random.choice(len(names), 2, replace=False)
        a, b = (people[names[who]][random.integers(len(people[names[who]]))] for who in (first, second))
        if groups[a] != groups[b]:
            drawn[min(a, b), max(a, b)] = None
    return list(drawn)

"""How far reviewers agree: Cohen's kappa of each pair, and the cards on which they do not."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

Standing = Mapping[tuple[str, str], str]
"""(target, reviewer) -> answer, in the order given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAgreement:
    """Two reviewers on the cards that both answered."""

    reviewer_a: str
    reviewer_b: str
    common_count: int
    agreed_count: int
    kappa: float | None
    """Cohen's kappa in [-1, 1]; None where both gave one and the same answer to all: chance explains that too."""


def pair_agreements(standing: Standing) -> list[PairAgreement]:
    """Compare every two reviewers who answered common cards, by name."""
    answers: dict[str, dict[str, str]] = {}
    for (target, reviewer), answer in standing.items():
        answers.setdefault(reviewer, {})[target] = answer
    pairs = []
    for a, b in itertools.combinations(sorted(answers), 2):
        common = sorted(answers[a].keys() & answers[b].keys())
        if common:
            left, right = [answers[a][target] for target in common], [answers[b][target] for target in common]
            agreed = sum(one == other for one, other in zip(left, right, strict=True))
            pairs.append(
                PairAgreement(
                    reviewer_a=a,
                    reviewer_b=b,
                    common_count=len(common),
                    agreed_count=agreed,
                    kappa=cohen_kappa(left, right),
                )
            )
    return pairs


def cohen_kappa(left: list[str], right: list[str]) -> float | None:
    """Give the agreement of two raters beyond chance; None where chance alone would agree always.

    Source: J. Cohen, A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20
    (1960). Invariant: equals sklearn.metrics.cohen_kappa_score, whose import would cost a page a second.
    """
    total = len(left)
    by_chance = Counter(left), Counter(right)
    expected = sum(by_chance[0][word] * by_chance[1][word] for word in by_chance[0]) / total**2
    observed = sum(one == other for one, other in zip(left, right, strict=True)) / total
    return None if expected == 1 else (observed - expected) / (1 - expected)


def mean_kappa(pairs: list[PairAgreement]) -> float | None:
    """Average the kappas that there are; None where there is none."""
    known = [pair.kappa for pair in pairs if pair.kappa is not None]
    return statistics.fmean(known) if known else None


def disagreements(standing: Standing) -> dict[str, dict[str, str]]:
    """List the targets on which no answer has a majority: target -> reviewer -> answer, those answered first first."""
    answers: dict[str, dict[str, str]] = {}
    for (target, reviewer), answer in standing.items():
        answers.setdefault(target, {})[reviewer] = answer
    return {target: given for target, given in answers.items() if _is_open(list(given.values()))}


def _is_open(answers: list[str]) -> bool:
    return 2 * Counter(answers).most_common(1)[0][1] <= len(answers)

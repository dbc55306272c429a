"""What a card tells of people's answers, and of the noise head that learnt from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from catalog.db import Catalog
from curation.contract import Curated
from curation.decisions import records
from curation.release.markdown import table
from curation.review.agreement import mean_kappa, pair_agreements
from curation.stages.samples import portrait_id
from curation.verdicts import UNDONE


def reviewed_targets(curated: Curated) -> set[str]:
    """Targets of all queues of this data set."""
    samples = curated.tables["samples"]
    columns = (("duplicates", "pair_id"), ("labels", "conflict_id"))
    found = {
        str(name) for table_, column in columns if table_ in curated.tables for name in curated.tables[table_][column]
    }
    return {*found, *samples["sample_id"], *samples["subject_id"], *(portrait_id(row) for row in records(samples))}


def used_verdicts(curated: Curated, catalog: Catalog) -> list[str]:
    """List the ids of the answers to cards of this data set that stand."""
    targets = reviewed_targets(curated)
    last = {(one.queue, one.target_id, one.reviewer): one for one in catalog.verdicts() if one.target_id in targets}
    return sorted(verdict.verdict_id for verdict in last.values() if verdict.answer != UNDONE)


def kappa_of(standing: pd.DataFrame) -> float | None:
    """Average Cohen's kappa over all pairs of reviewers and queues with common cards; None where there are none."""
    pairs = []
    for _, rows in standing.groupby("queue"):
        keys = zip(rows["target_id"], rows["reviewer"], strict=True)
        pairs += pair_agreements(dict(zip(keys, rows["answer"], strict=True)))
    return mean_kappa(pairs)


def kind_of_answer(answer: str) -> str:
    """Tell what was answered, not which of many labels or faces."""
    kind = answer.split("_")[0]
    return {"label": "a label", "face": "a face"}.get(kind, answer)


def noise_facts(curated: Curated) -> dict[str, Any]:
    """Give the facts of a trained noise stage and the `key` of its folder; nothing where there is none."""
    facts = dict(curated.facts.get("noise", {}))
    return {**facts, "key": curated.stage_keys["noise"]} if facts.get("is_trained") else {}


def noise_section(noise: Mapping[str, Any]) -> str:
    """Name the head that judged the pictures, its labels, its thresholds, and what it is worth."""
    names = {"precision": "right among what it calls noise", "recall": "noise that it finds",
             "kept_noise": "noise among what it calls good"}  # fmt: skip
    rows = [
        [names[name], f"{share['frac']:.1%}", f"{share['low_frac']:.1%} to {share['high_frac']:.1%}", share["count"]]
        for name in names
        if (share := noise.get(name)) is not None
    ]
    drift = noise.get("drift", {}).get("sources", [])
    note = f"\n\nUnlike the labelled pictures, so judged with less certainty: {', '.join(drift)}." if drift else ""
    return (
        f"Judged by head `{noise['key']}`, learnt from {noise['verdicts_count']} answers (version"
        f" `{noise['data_version']}`): noise from probability {noise['drop_above']} on, good below"
        f" {noise['keep_below']}. Cross-validated on the answered pictures:\n\n"
        + table(["share", "estimate", "95 % interval", "of"], rows)
        + note
    )

"""CARD.md: the datasheet.

It holds only what follows from the data: no time, no host, no reviewer's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import select

from catalog import tables
from catalog.db import Catalog
from catalog.recipe import Recipe
from catalog.schema import REASONS
from curation.contract import Curated
from curation.release.certificate_page import pairs_table, retrieval_lines, verdict_line
from curation.release.judged import kappa_of, kind_of_answer, noise_facts, noise_section, reviewed_targets
from curation.release.markdown import inline, table
from curation.verdicts import load_standing

USE_NOTES = """This data set was collected from public pages for research. Copyright and personal rights in the
pictures remain with their owners. Do not use it to identify, rank or decide about people. Check the law and the terms
that bind you."""
_LABELS_SHOWN = 30
"""Identities may be thousands; samples.parquet holds them all."""
NO_CONTACT = "Ask whoever gave you this release; a recipe names a contact under `[recipe.card]`."


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What a card tells beside the samples."""

    permissions: Mapping[str, int]
    """`signal: value` -> released images whose server said so."""
    refusals: Mapping[str, int]
    """Reason -> addresses that were not fetched because of it."""
    reviews: Mapping[str, Mapping[str, int]]
    """Queue -> answer -> how often it stands."""
    reviewers_count: int
    kappa: float | None
    """Mean of Cohen's kappa over all pairs of reviewers and queues with common cards; None without such."""
    drops: Mapping[str, int]
    """Reason -> samples that were held back."""
    noise: Mapping[str, Any]
    """Facts of the stage `noise`, with the `key` of the folder that holds its head; empty without a trained one."""


def collect_card_facts(curated: Curated, catalog: Catalog, samples: pd.DataFrame) -> CardFacts:
    """Read what the catalog and the decisions say about the released samples."""
    standing = load_standing(catalog)
    standing = standing[standing["target_id"].isin(reviewed_targets(curated))]
    held = curated.decisions[curated.decisions["outcome"] != "keep"]
    return CardFacts(
        permissions=_permissions(catalog, set(samples["image_id"])),
        refusals=_refusals(catalog, curated.recipe),
        reviews={
            str(queue): {
                str(answer): int(count)
                for answer, count in rows["answer"].map(kind_of_answer).value_counts().sort_index().items()
            }
            for queue, rows in standing.groupby("queue")
        },
        reviewers_count=standing["reviewer"].nunique(),
        kappa=kappa_of(standing),
        noise=noise_facts(curated),
        drops={str(reason): int(count) for reason, count in held["reason"].value_counts().sort_index().items()},
    )


def write_card(recipe: Recipe, samples: pd.DataFrame, facts: CardFacts, certificate: Mapping[str, Any]) -> str:
    """Write the datasheet as Markdown."""
    sections = {
        "Purpose": inline(recipe.purpose) or "Not stated.",
        "Contents": _contents(samples, certificate),
        "How it was collected": _collected(samples),
        "Permission signals": _permission_text(facts),
        "Reviews": _review_text(facts),
        **({"Noise": noise_section(facts.noise)} if facts.noise else {}),
        "What was held back": _counts_table("reason", facts.drops, REASONS) or "Nothing.",
        "Leaks": _leaks_text(samples, certificate),
        "Known limits": inline(recipe.card.get("limits", "Not stated.")),
        "Use": f"{USE_NOTES}\n\n{inline(recipe.card['licence'])}" if "licence" in recipe.card else USE_NOTES,
        "Takedown": f"Contact: {inline(recipe.card['contact'])}" if "contact" in recipe.card else NO_CONTACT,
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# {inline(recipe.title)}\n\n{body}\n"


def _contents(samples: pd.DataFrame, certificate: Mapping[str, Any]) -> str:
    counts = pd.crosstab(samples["label"], samples["split"])
    parts = list(counts.columns)
    most = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index[:_LABELS_SHOWN]]
    rows = [
        [label or "(none)", *[int(value) for value in row]]
        for label, row in zip(most.index, most.to_numpy(), strict=True)
    ]
    rows.append(["all", *[int(value) for value in counts.sum()]])
    facts = f"{len(samples):,} pictures of {samples['subject_id'].nunique():,} subjects."
    if not samples["is_clean"].all():
        facts += f" {int((~samples['is_clean']).sum()):,} were judged noise and are marked (`is_clean`)."
    if len(counts) > len(most):
        facts += f" The {len(most)} most frequent of {len(counts):,} labels are shown."
    blocks = [facts, table(["label", *parts], rows)]
    targets = certificate["balance"]["targets"]
    if targets:
        header = ["target", *next(iter(targets.values()))]
        blocks.append(table(header, [[part, *values.values()] for part, values in targets.items()]))
    blocks += [text for text in (pairs_table(certificate), retrieval_lines(certificate)) if text]
    return "\n\n".join(blocks)


def _leaks_text(samples: pd.DataFrame, certificate: Mapping[str, Any]) -> str:
    text = f"{verdict_line(certificate)} See CERTIFICATE.md."
    copies = int(samples["is_leaking_copy"].sum())
    if copies:
        text += f" {copies:,} pictures are marked as copies of one on another side (`is_leaking_copy`)."
    yielded = sum(conflict["samples_count"] for conflict in certificate["conflicts"])
    if yielded:
        text += (
            f" {yielded:,} samples were held back since new copies joined two sides of an earlier release:"
            " the side that is tested keeps its samples."
        )
    return text


def _collected(samples: pd.DataFrame) -> str:
    grouped = samples.groupby("source")
    rows = [[str(name), len(rows), rows["page_url"].nunique()] for name, rows in grouped]
    return "Pictures stand as they were served or cropped; every row names its page and address.\n\n" + table(
        ["source", "pictures", "pages"], rows
    )


def _permission_text(facts: CardFacts) -> str:
    said = _counts_table("signal", facts.permissions) or "No server sent a signal about the released pictures."
    refused = _counts_table("refusal", facts.refusals, REASONS)
    return said + (f"\n\nNot fetched:\n\n{refused}" if refused else "")


def _review_text(facts: CardFacts) -> str:
    if not facts.reviews:
        return "Nobody was asked."
    rows = [[queue, answer, count] for queue, answers in facts.reviews.items() for answer, count in answers.items()]
    agreement = "not measurable" if facts.kappa is None else f"{facts.kappa:.2f} (mean Cohen's kappa)"
    return f"Reviewers: {facts.reviewers_count}. Agreement: {agreement}.\n\n" + table(
        ["queue", "answer", "count"], rows
    )


def _counts_table(title: str, counts: Mapping[str, int], meanings: Mapping[str, str] | None = None) -> str:
    if not counts:
        return ""
    if meanings is None:
        return table([title, "count"], sorted(counts.items()))
    return table(
        [title, "meaning", "count"], [[key, meanings.get(key, ""), count] for key, count in sorted(counts.items())]
    )


def _permissions(catalog: Catalog, image_ids: set[str]) -> dict[str, int]:
    images: dict[str, set[str]] = {}
    fetches = tables.image_fetches.c
    with catalog.engine.connect() as connection:
        for row in connection.execute(select(fetches.image_id, fetches.permission)):
            if row.image_id in image_ids:
                for signal, value in (row.permission or {}).get("signals", {}).items():
                    images.setdefault(f"{signal}: {value}", set()).add(row.image_id)
    return {signal: len(found) for signal, found in images.items()}


def _refusals(catalog: Catalog, recipe: Recipe) -> dict[str, int]:
    issues = tables.issues.c
    query = select(issues.source, issues.reason, issues.where).where(issues.reason.like("policy%")).distinct()
    with catalog.engine.connect() as connection:
        found = connection.execute(query).all()
    return dict(Counter(row.reason for row in found if recipe.matches_source(row.source)))

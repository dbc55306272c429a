"""The certificate: what was looked for across the parts of a split, what was found, and the verdict.

`certify` is pure: a frame of facts per sample goes in, a JSON value comes out. `curation.release.verify` collects the
same facts from a finished release folder and certifies again.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.errors import LeakFound
from catalog.recipe import Recipe
from catalog.schema import SPLITS
from catalog.suppressions import normalised_name
from curation.release.frames import is_folded, json_value
from curation.release.nearest import MEASURES, Nearest, nearest_embedding, nearest_hash, nearest_pixels
from curation.release.shares import balance_facts

CERTIFICATE_VERSION = 2

SHARED = {
    "subjects": "subject_id",
    "groups": "group_id",
    "items": "item_id",
    "images": "image_id",
    "pictures": "picture_sha256",
    "duplicates": "cluster_id",
    "names": "name_key",
    "pages": "page_url",
}
"""What two parts may share -> the column that says it. `images` are original bytes, `pictures` released ones."""

SAME_PICTURE = ("images", "pictures", "duplicates")
"""What no protocol lets two parts share."""
ALWAYS_LEAKS = ("subjects", "groups", *SAME_PICTURE)
RECOUNTED = ("subjects", "groups", "items", "images", "pictures", "duplicates", "pages")
"""What can be counted again from the release folder alone; names are not in it."""

FACT_COLUMNS = ("sample_id", "split", "fold", "label", "target", *SHARED.values(), "phash")
"""Columns of the facts frame; an empty text means that the sample has none of the kind."""

Vectors = Mapping[str, NDArray[Any]]
"""`pixels` (N, 256) uint8 and, where known, `embedding` (N, D) int8, in the order of the facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRules:
    """What counts as a leak under a recipe."""

    leaks: tuple[str, ...]
    """Keys of SHARED that must be zero."""
    name_scope: str
    """`source`, `organisation` or `all`: within what two equal names are one person."""
    targets: Mapping[str, float]
    """Part -> wanted share of all samples; empty where the recipe gives none."""
    is_own_split: bool
    """False for published splits, which are taken as they are."""
    parts_by: str = "split"
    """`split`, or `fold` where all samples are cross-validated."""
    has_balanced_labels: bool = False
    """Whether each class was to be shared out as the whole is."""


def rules_of(recipe: Recipe) -> CertificateRules:
    """Read what a recipe promises: same items and same names count where its groups join them."""
    groups = recipe.params("groups")
    is_by_group = recipe.splits.get("disjoint", "group") == "group"
    leaks = list(ALWAYS_LEAKS if is_by_group else (*SAME_PICTURE, "groups"))
    is_person = recipe.subject_kind == "person"
    scope = str(groups.get("same_name", "organisation")) if is_person else "none"
    if scope != "none" and is_by_group:
        leaks.append("names")
    if not is_person and groups.get("same_item", True) and is_by_group:
        leaks.append("items")
    return CertificateRules(
        leaks=tuple(leaks),
        name_scope="all" if scope == "none" else scope,
        targets=_targets(recipe),
        is_own_split=recipe.splits.get("kind") != "published",
        parts_by="fold" if is_folded(recipe) else "split",
        has_balanced_labels="label" in recipe.splits.get("stratify", ()),
    )


def _targets(recipe: Recipe) -> dict[str, float]:
    kind = recipe.splits.get("kind", "ratios")
    if kind == "kfold":
        folds = int(recipe.splits.get("folds", 5))
        return {f"fold {fold}": 1 / folds for fold in range(folds)}
    return {part: share for part, share in recipe.splits.get("ratios", {}).items() if share and kind == "ratios"}


def collect_facts(
    samples: pd.DataFrame,
    splits: pd.DataFrame,
    picture_sha256: list[str],
    phashes: NDArray[np.uint64],
    rules: CertificateRules,
) -> pd.DataFrame:
    """Lay out the facts that a certificate counts.

    Args:
        samples: released samples in sample_id order; `name` and `organisation` where known.
        splits: their rows of splits.parquet, in the same order.
        picture_sha256: of the released pictures, in the same order.
        phashes: (N,) 64-bit pHash of the released pictures, imagehash bit order.
        rules: says within what names are compared.
    """
    columns = ["sample_id", "split", "label", "target", "subject_id", "group_id", "image_id", "page_url"]
    facts = samples[columns].copy()
    facts["fold"] = splits["fold"].to_numpy(np.int64) if "fold" in splits else -1
    facts["item_id"] = [json_value(text, "item_id") or "" for text in samples["attributes"]]
    facts["picture_sha256"] = picture_sha256
    facts["cluster_id"] = splits["cluster_id"].to_numpy() if "cluster_id" in splits else ""
    facts["name_key"] = _name_keys(samples, rules.name_scope) if "name" in samples else ""
    facts["phash"] = phashes
    return facts[list(FACT_COLUMNS)].reset_index(drop=True)


def certify(facts: pd.DataFrame, rules: CertificateRules, vectors: Vectors | None = None) -> dict[str, Any]:
    """Count what each two parts share and how near their nearest pictures are.

    Published splits that have folds too are compared by both: the folds under the key `folds`.

    Invariant: equals naive loops over all pairs of samples (tests/curation/release/test_certificate.py).
    """
    by_split = facts
    if rules.parts_by == "fold":  # in cross-validation the folds are the parts that must share nothing
        by_split = facts.assign(split=["fold " + str(fold) for fold in facts["fold"]])
    certificate: dict[str, Any] = {
        "certificate_version": CERTIFICATE_VERSION,
        "is_own_split": rules.is_own_split,
        "name_scope": rules.name_scope,
        "measures": {name: text for name, text in MEASURES.items() if name == "phash" or name in (vectors or {})},
        **_compare_parts(by_split, rules, vectors or {}),
    }
    if rules.parts_by == "split" and (facts["fold"] >= 0).any():
        in_fold = (facts["fold"] >= 0).to_numpy()
        folded = facts[in_fold].reset_index(drop=True)
        chosen = {name: values[in_fold] for name, values in (vectors or {}).items()}
        folded["split"] = ["fold " + str(fold) for fold in folded["fold"]]
        certificate["folds"] = _compare_parts(folded, replace(rules, parts_by="fold", targets={}), chosen)
    return certificate


def _compare_parts(facts: pd.DataFrame, rules: CertificateRules, vectors: Vectors) -> dict[str, Any]:
    found_parts = set(facts["split"])
    present = [part for part in SPLITS if part in found_parts]
    present += sorted(found_parts - set(SPLITS), key=lambda part: (len(part), part))
    rows = {part: np.flatnonzero((facts["split"] == part).to_numpy()) for part in present}
    pairs: list[dict[str, Any]] = [
        {
            "parts": [a, b],
            "shared": _shared(facts.iloc[rows[a]], facts.iloc[rows[b]]),
            "nearest": _nearest(facts, rows[a], rows[b], vectors),
        }
        for a, b in itertools.combinations(present, 2)
    ]
    found = {what: sum(pair["shared"][what] for pair in pairs) for what in SHARED}
    return {
        "parts_by": rules.parts_by,
        "targets": dict(rules.targets),
        "is_leak_free": not any(found[what] for what in rules.leaks),
        "leaks": {what: found[what] for what in rules.leaks if found[what]},
        "must_be_zero": sorted(rules.leaks),
        "informative": sorted(set(SHARED) - set(rules.leaks)),
        "parts": {part: _part_facts(facts.iloc[rows[part]]) for part in present},
        "pairs": pairs,
        "balance": balance_facts(facts, present, rules.targets, has_balanced_labels=rules.has_balanced_labels),
    }


def require_leak_free(certificate: Mapping[str, Any], recipe: str) -> None:
    """Refuse a leaking split of our own; a published one is only reported.

    Raises:
        LeakFound: something that must not be shared stands on two sides; says what and how often.
    """
    if certificate["is_own_split"] and not certificate["is_leak_free"]:
        found = ", ".join(f"{count} {what}" for what, count in certificate["leaks"].items())
        raise LeakFound(f"recipe {recipe}: expected nothing shared between parts, found {found} on two sides")


def _shared(left: pd.DataFrame, right: pd.DataFrame) -> dict[str, int]:
    return {what: len((set(left[column]) & set(right[column])) - {""}) for what, column in SHARED.items()}


def _nearest(
    facts: pd.DataFrame, left: NDArray[np.int64], right: NDArray[np.int64], vectors: Vectors
) -> dict[str, dict[str, Any]]:
    """Find the nearest pair of samples by every measure there is."""
    phashes = facts["phash"].to_numpy(np.uint64)
    found: dict[str, Nearest | None] = {"phash": nearest_hash(phashes[left], phashes[right])}
    if "pixels" in vectors:
        found["pixels"] = nearest_pixels(vectors["pixels"][left], vectors["pixels"][right])
    if "embedding" in vectors:
        found["embedding"] = nearest_embedding(vectors["embedding"][left], vectors["embedding"][right])
    ids = facts["sample_id"].tolist()
    return {
        name: {"distance": pair.distance, "sample_ids": [ids[left[pair.left]], ids[right[pair.right]]]}
        for name, pair in found.items()
        if pair is not None
    }


def _part_facts(part: pd.DataFrame) -> dict[str, int]:
    return {
        "samples_count": len(part),
        "groups_count": part["group_id"].nunique(),
        "subjects_count": part["subject_id"].nunique(),
    }


def _name_keys(samples: pd.DataFrame, scope: str) -> list[str]:
    withins = samples["source"].astype("str")
    if scope == "organisation":  # a source that names none is an organisation of its own
        stated = samples["organisation"].fillna("").astype("str")
        withins = stated.where(stated != "", withins)
    elif scope == "all":
        withins = pd.Series("", index=samples.index)
    names = [normalised_name(name) if isinstance(name, str) else "" for name in samples["name"]]
    return [f"{within}\n{name}" if name else "" for name, within in zip(names, withins, strict=True)]

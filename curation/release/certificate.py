"""The certificate: what was looked for across the parts of a split, what was found, and the verdict.

`certify` is pure: a frame of facts per sample goes in, a JSON value comes out. `curation.release.verify` collects the
same facts from a finished release folder and certifies again.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from catalog.errors import LeakFound
from catalog.recipe import Recipe
from catalog.schema import SPLITS
from catalog.suppressions import normalised_name
from curation.release.frames import json_value

CERTIFICATE_VERSION = 1

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

ALWAYS_LEAKS = ("subjects", "groups", "images", "pictures", "duplicates")
RECOUNTED = ("subjects", "groups", "items", "images", "pictures", "pages")
"""What can be counted again from the release folder alone; clusters and names are not in it."""

FACT_COLUMNS = ("sample_id", "split", "label", *SHARED.values(), "phash")
"""Columns of the facts frame; an empty text means that the sample has none of the kind."""

_XOR_ROWS = 2048
"""Rows of one XOR block: 2048 x 100,000 distances take 200 MB."""

_ROUND_DIGITS = 6


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


def rules_of(recipe: Recipe) -> CertificateRules:
    """Read what a recipe promises: same items and same names count where its groups join them."""
    groups = recipe.params("groups")
    leaks = list(ALWAYS_LEAKS)
    is_person = recipe.subject_kind == "person"
    scope = str(groups.get("same_name", "organisation")) if is_person else "none"
    if scope != "none":
        leaks.append("names")
    if not is_person and groups.get("same_item", True):
        leaks.append("items")
    ratios = recipe.splits.get("ratios", {})
    total = sum(ratios.values())
    return CertificateRules(
        leaks=tuple(leaks),
        name_scope="all" if scope == "none" else scope,
        targets={part: value / total for part, value in ratios.items()} if total else {},
        is_own_split=recipe.splits.get("kind") != "published",
        parts_by="fold" if recipe.splits.get("kind") == "kfold" else "split",
    )


def collect_facts(
    samples: pd.DataFrame,
    splits: pd.DataFrame,
    picture_sha256: list[str],
    phashes: NDArray[np.uint64],
    rules: CertificateRules,
) -> pd.DataFrame:
    """Lay out the facts that a certificate counts.

    Args:
        samples: released samples in sample_id order; `name`, `organisation` and `cluster_id` where known.
        splits: their rows of splits.parquet, in the same order.
        picture_sha256: of the released pictures, in the same order.
        phashes: (N,) 64-bit pHash of the released pictures, imagehash bit order.
        rules: says within what names are compared.
    """
    facts = samples[["sample_id", "split", "label", "subject_id", "group_id", "image_id", "page_url"]].copy()
    if rules.parts_by == "fold":  # in cross-validation the folds are the parts that must share nothing
        facts["split"] = ["fold " + str(fold) for fold in splits["fold"]]
    facts["item_id"] = [json_value(text, "item_id") or "" for text in samples["attributes"]]
    facts["picture_sha256"] = picture_sha256
    facts["cluster_id"] = samples["cluster_id"].fillna("") if "cluster_id" in samples else ""
    facts["name_key"] = _name_keys(samples, rules.name_scope) if "name" in samples else ""
    facts["phash"] = phashes
    return facts[list(FACT_COLUMNS)]


def picture_phash(body: bytes) -> int:
    """Hash a released picture: 64-bit pHash, imagehash bit order."""
    import imagehash

    with Image.open(BytesIO(body)) as image:
        return int(str(imagehash.phash(image)), 16)


def certify(facts: pd.DataFrame, rules: CertificateRules) -> dict[str, Any]:
    """Count what each two parts share and how near their nearest pictures are.

    Invariant: equals naive loops over all pairs of samples (tests/curation/release/test_certificate.py).
    """
    found_parts = set(facts["split"])
    present = [part for part in SPLITS if part in found_parts] + sorted(found_parts - set(SPLITS))
    parts = {part: facts[facts["split"] == part] for part in present}
    pairs = [_compare(parts[a], parts[b], a, b) for a, b in itertools.combinations(present, 2)]
    found = {what: sum(pair["shared"][what] for pair in pairs) for what in SHARED}
    return {
        "certificate_version": CERTIFICATE_VERSION,
        "is_own_split": rules.is_own_split,
        "parts_by": rules.parts_by,
        "is_leak_free": not any(found[what] for what in rules.leaks),
        "leaks": {what: found[what] for what in rules.leaks if found[what]},
        "must_be_zero": sorted(rules.leaks),
        "informative": sorted(set(SHARED) - set(rules.leaks)),
        "name_scope": rules.name_scope,
        "parts": {part: _part_facts(parts[part]) for part in present},
        "pairs": pairs,
        "balance": _balance(facts, present, rules.targets),
    }


def require_leak_free(certificate: Mapping[str, Any], recipe: str) -> None:
    """Refuse a leaking split of our own; a published one is only reported.

    Raises:
        LeakFound: something that must not be shared stands on two sides; says what and how often.
    """
    if certificate["is_own_split"] and not certificate["is_leak_free"]:
        found = ", ".join(f"{count} {what}" for what, count in certificate["leaks"].items())
        raise LeakFound(f"recipe {recipe}: expected nothing shared between parts, found {found} on two sides")


def nearest_distance(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> tuple[int, int, int] | None:
    """Find the nearest pair across two sets of hashes.

    Returns:
        (distance in bits, index in left, index in right), the first such pair in row order; None for an empty set.
    """
    if not len(left) or not len(right):
        return None
    best = (65, 0, 0)
    for start in range(0, len(left), _XOR_ROWS):
        distances = np.bitwise_count(left[start : start + _XOR_ROWS, None] ^ right[None, :])
        flat = int(distances.argmin())
        row, column = divmod(flat, len(right))
        if distances[row, column] < best[0]:
            best = (int(distances[row, column]), start + row, column)
    return best


def _compare(left: pd.DataFrame, right: pd.DataFrame, left_part: str, right_part: str) -> dict[str, Any]:
    shared = {}
    for what, column in SHARED.items():
        shared[what] = len((set(left[column]) & set(right[column])) - {""})
    nearest = nearest_distance(left["phash"].to_numpy(np.uint64), right["phash"].to_numpy(np.uint64))
    return {
        "parts": [left_part, right_part],
        "shared": shared,
        "nearest_phash_distance_bits": nearest[0] if nearest else None,
        "nearest_sample_ids": (
            [left["sample_id"].iloc[nearest[1]], right["sample_id"].iloc[nearest[2]]] if nearest else None
        ),
    }


def _part_facts(part: pd.DataFrame) -> dict[str, int]:
    return {
        "samples_count": len(part),
        "groups_count": part["group_id"].nunique(),
        "subjects_count": part["subject_id"].nunique(),
    }


def _balance(facts: pd.DataFrame, present: list[str], targets: Mapping[str, float]) -> dict[str, Any]:
    """Compare the share of each class in each part with its share in the whole, and part sizes with their targets."""
    whole = facts["label"].value_counts(normalize=True)
    classes: dict[str, dict[str, Any]] = {}
    largest = 0.0
    for part in present:
        labels = facts.loc[facts["split"] == part, "label"]
        counts = labels.value_counts()
        rows = {}
        for label in sorted(whole.index):
            share = counts.get(label, 0) / len(labels)
            largest = max(largest, abs(share - whole[label]))
            rows[label] = {"count": int(counts.get(label, 0)), "share_frac": round(share, _ROUND_DIGITS)}
        classes[part] = rows
    sizes = {
        part: {
            "share_frac": round(float((facts["split"] == part).mean()), _ROUND_DIGITS),
            "target_frac": round(targets[part], _ROUND_DIGITS) if part in targets else None,
        }
        for part in present
    }
    return {
        "classes": classes,
        "whole_frac": {label: round(float(whole[label]), _ROUND_DIGITS) for label in sorted(whole.index)},
        "largest_class_deviation_frac": round(float(largest), _ROUND_DIGITS),
        "sizes": sizes,
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

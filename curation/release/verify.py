"""Checking a release from its folder alone: every file against the manifest, and the certificate by counting again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import GleaneryError
from catalog.ids import sha256_hex
from catalog.release_format import Release, open_release, verify_release
from curation.release.certificate import CERTIFICATE_VERSION, RECOUNTED, CertificateRules, certify, collect_facts
from curation.release.nearest import picture_facts


def verify_release_folder(folder: Path) -> list[str]:
    """Check a release; returns a line per problem, none where it is whole and its certificate is true.

    Shared names, and embeddings of persons, are not in a release: those figures are not repeated.

    Raises:
        UsageError: the folder holds no finished release.
        CatalogCorrupt: its manifest cannot be read.
    """
    release = open_release(folder)
    problems = verify_release(release)
    if problems:
        return problems  # a recount of broken files would only repeat it
    try:
        return _recount(release)
    except (GleaneryError, OSError, ValueError, KeyError) as error:
        return [f"certificate: cannot be counted again: {error!r}"]


def _recount(release: Release) -> list[str]:
    stated = release.certificate()
    if stated["certificate_version"] != CERTIFICATE_VERSION:
        return [f"certificate: is of version {stated['certificate_version']}, expected {CERTIFICATE_VERSION}"]
    samples = release.samples().drop(columns="name", errors="ignore")
    splits = release.splits().set_index("sample_id").reindex(samples["sample_id"])
    problems = [
        f"splits.parquet and samples.parquet differ in {column}"
        for column in ("group_id", "split")
        if splits[column].tolist() != samples[column].tolist()
    ]
    bodies = [(release.folder / path).read_bytes() for path in samples["path"]]
    rules = CertificateRules(
        leaks=tuple(what for what in stated["must_be_zero"] if what in RECOUNTED),
        name_scope=stated["name_scope"],
        targets=stated["targets"],
        is_own_split=stated["is_own_split"],
        parts_by=stated["parts_by"],
        has_balanced_labels="label" in (stated["balance"]["optimum"] or {}).get("balanced", ()),
    )
    looks = [picture_facts(body) for body in bodies]
    vectors: dict[str, NDArray[Any]] = {"pixels": np.stack([levels for _, levels in looks])}
    known = release.embeddings()
    if known is not None:
        vectors["embedding"] = np.stack(known.set_index("sample_id")["embedding"].loc[samples["sample_id"]].to_list())
    phashes = np.array([phash for phash, _ in looks], dtype=np.uint64)
    facts = collect_facts(samples, splits, [sha256_hex(body) for body in bodies], phashes, rules)
    counted = certify(facts, rules, vectors)
    for what, one, two in [("", stated, counted), ("folds: ", stated.get("folds"), counted.get("folds"))]:
        problems += _compare(what, one, two)
    if stated["is_leak_free"] and not counted["is_leak_free"]:
        problems.append(f"certificate: says leak-free, counted again {counted['leaks']}")
    return problems


def _compare(what: str, stated: dict[str, Any] | None, counted: dict[str, Any] | None) -> list[str]:
    """Compare parts, balance and pairs of two comparisons; nothing where the certificate makes none."""
    if stated is None or counted is None:
        return _differences(f"{what}comparison", stated, counted)
    measured = {name for pair in counted["pairs"] for name in pair["nearest"]}
    return [
        *_differences(f"{what}parts", stated["parts"], counted["parts"]),
        *_differences(f"{what}balance", stated["balance"], counted["balance"]),
        *_differences(
            f"{what}pairs",
            [_comparable(pair, measured) for pair in stated["pairs"]],
            [_comparable(pair, measured) for pair in counted["pairs"]],
        ),
    ]


def _comparable(pair: dict[str, Any], measured: set[str]) -> dict[str, Any]:
    """Leave out what the folder alone cannot tell: shared names, and embeddings of persons."""
    shared = {what: pair["shared"][what] for what in RECOUNTED}
    nearest = {name: found for name, found in pair["nearest"].items() if name in measured}
    return {"parts": pair["parts"], "shared": shared, "nearest": nearest}


def _differences(what: str, stated: Any, counted: Any) -> list[str]:
    if stated == counted:
        return []
    return [f"certificate: {what} is stated as {json.dumps(stated)}, counted again {json.dumps(counted)}"]

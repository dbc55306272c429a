"""Checking a release from its folder alone: every file against the manifest, and the certificate by counting again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import GleaneryError
from catalog.ids import sha256_hex
from catalog.release_format import Release, open_release, verify_release
from curation.release.certificate import RECOUNTED, CertificateRules, certify, collect_facts, picture_phash


def verify_release_folder(folder: Path) -> list[str]:
    """Check a release; returns a line per problem, none where it is whole and its certificate is true.

    Names and duplicate clusters are not in a release that does not publish them, so those two counts are not repeated.

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
        targets={},
        is_own_split=stated["is_own_split"],
        parts_by=stated["parts_by"],
    )
    phashes = np.array([picture_phash(body) for body in bodies], dtype=np.uint64)
    counted = certify(collect_facts(samples, splits, [sha256_hex(body) for body in bodies], phashes, rules), rules)
    problems += _differences("parts", stated["parts"], counted["parts"])
    problems += _differences("balance", stated["balance"]["classes"], counted["balance"]["classes"])
    problems += _differences(
        "pairs", [_comparable(p) for p in stated["pairs"]], [_comparable(p) for p in counted["pairs"]]
    )
    if stated["is_leak_free"] and not counted["is_leak_free"]:
        problems.append(f"certificate: says leak-free, counted again {counted['leaks']}")
    return problems


def _comparable(pair: dict[str, Any]) -> dict[str, Any]:
    return {**pair, "shared": {what: pair["shared"][what] for what in RECOUNTED}}


def _differences(what: str, stated: Any, counted: Any) -> list[str]:
    if stated == counted:
        return []
    return [f"certificate: {what} is stated as {json.dumps(stated)}, counted again {json.dumps(counted)}"]

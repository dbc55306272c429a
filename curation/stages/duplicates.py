"""Table `duplicates`: which pictures are copies of which. Hashes and embeddings nominate, pixels decide.

Table, one row per pair that was looked at, sorted by pair_id: pair_id (`catalog.ids.pair_key` of the two image ids:
the target of queue `duplicates`), image_id_a, image_id_b, kind (`pixels`, `near`), phash_distance_bits, is_mirrored,
inliers_count, correlation, copy_prob, verdict (`same`, `different`, `unsure` or empty), is_copy, cluster_id (empty
where it is no copy).

The best picture of a cluster stays and the others are `duplicate_of`, also across subjects of one label. A cluster
under two labels is left to the stage `labels`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from catalog.errors import UsageError
from catalog.ids import pair_key, short_id
from curation.compared import Compared
from curation.contract import TableInputs, TableResult
from curation.decisions import decision, decisions_frame, records, standing
from curation.ops.components import component_apart
from curation.ops.hamming import near_pairs
from curation.ops.neighbours import nearest_pairs
from curation.ops.registration import Look, Match, compare, look_at
from curation.stages.registry import check_params
from curation.verdicts import agreed_answers

COLUMNS = (
    "pair_id", "image_id_a", "image_id_b", "kind", "phash_distance_bits", "is_mirrored", "inliers_count",
    "correlation", "copy_prob", "verdict", "is_copy", "cluster_id",
)  # fmt: skip
SETTINGS: dict[str, Any] = {
    "radius_bits": 10,  # of the pHash; crops of 5 % reach it (LIMITS of the design: 89 %)
    "dhash_radius_bits": 14,  # the same view's dHash must agree this far: it halves the look-alikes
    "neighbours": 5,  # nearest by embedding, where there is one
    "min_similarity": 0.9,  # of such neighbours
    "copy_prob": 0.5,
    "keeps_copies": False,  # True: copies are told, none is dropped (published data sets, taken as they are)
}
"""Settings of [stages.duplicates] and their defaults."""

_LOOKS_KEPT = 4096
"""Pictures held ready for their next comparison; each takes half a megabyte with its features."""

Candidates = dict[tuple[int, int, bool], None]
"""(row a, row b, whether b is to be mirrored), in the order they are looked at."""


class DuplicatesStage:
    """See the module."""

    name = "duplicates"
    version = 2
    signals: tuple[str, ...] = ("decode", "hashes", "thumbnails", "embedding")
    tables: tuple[str, ...] = ("samples",)
    reads_verdicts: tuple[str, ...] = ("duplicates",)
    reads_assignments = False
    memory_version = 1
    """Raise when comparing two thumbnails may give another `Match`."""
    memory_signals: tuple[str, ...] = ("thumbnails",)

    def run(self, inputs: TableInputs) -> TableResult:
        """Find the copies among the pictures of all samples that stand.

        Raises:
            UsageError: the stages `hashes` and `thumbnails` are not in the recipe.
        """
        check_params(self.name, inputs.params, SETTINGS)
        missing = [name for name in ("hashes", "thumbnails") if name not in inputs.signals]
        if missing:
            raise UsageError(f"[stages.duplicates] needs the stages {', '.join(missing)} in the recipe")
        settings = {**SETTINGS, **inputs.params}
        samples = standing(inputs.tables["samples"], inputs.decisions)
        images = sorted(samples["image_id"].unique())
        answers = agreed_answers(inputs.verdicts, "duplicates")
        table = pairs_table(images, inputs.signals, settings, answers, inputs.compared or Compared())
        decisions = [
            decision(self.name, row, "drop", "duplicate_of", evidence)
            for row, evidence in duplicate_samples(samples, table, inputs.signals["decode"])
            if not settings["keeps_copies"]
        ]
        facts = {
            "candidates_count": len(table),
            "copies_count": int(table["is_copy"].sum()),
            "clusters_count": int(table.loc[table["is_copy"], "cluster_id"].nunique()),
        }
        return TableResult(table=table, decisions=decisions_frame(decisions), facts=facts)


def cluster_of_images(image_ids: Iterable[str], table: pd.DataFrame | None) -> list[str]:
    """Name the cluster of each image: that of its copies, or its own id where it has none.

    Args:
        image_ids: any, also repeated.
        table: of this stage; None where it did not run.
    """
    known: dict[str, str] = {}
    if table is not None:
        copies = table[table["is_copy"]]
        for side in ("image_id_a", "image_id_b"):
            known.update(zip(copies[side], copies["cluster_id"], strict=True))
    return [known.get(image, image) for image in image_ids]


def pairs_table(
    images: list[str],
    signals: Mapping[str, pd.DataFrame],
    settings: Mapping[str, Any],
    answers: Mapping[str, str],
    compared: Compared,
) -> pd.DataFrame:
    """Look at every pair worth a look.

    Args:
        images: sorted ids.
        signals: `hashes`, `thumbnails`, and `embedding` where there is one.
        settings: SETTINGS.
        answers: pair_id -> `same`, `different` or `unsure`.
        compared: pairs that need no second look.
    """
    hashes = signals["hashes"].set_index("image_id").reindex(images)
    digests = hashes["pixels_digest"].tolist()
    look = _looker(images, signals["thumbnails"])
    rows = []
    for a, b, is_mirrored in _candidates(images, hashes, signals.get("embedding"), settings):
        is_equal = digests[a] == digests[b]
        match = Match(0, 1.0, 1.0, False) if is_equal else _match(images, (a, b, is_mirrored), look, compared)
        rows.append(_pair_row(images[a], images[b], match, hashes, (a, b), settings, answers, is_equal=is_equal))
    rows.sort(key=lambda row: (row["pair_id"], -row["copy_prob"]))
    table = pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates("pair_id", ignore_index=True)
    return _with_clusters(table).astype(
        {"phash_distance_bits": "int64", "inliers_count": "int64", "correlation": "float64", "copy_prob": "float64"}
        | {"is_copy": bool, "is_mirrored": bool}
    )


def _match(images: list[str], pair: tuple[int, int, bool], look: Callable[[int], Look], compared: Compared) -> Match:
    """Compare a pair by its pixels, unless that was done before."""
    a, b, is_mirrored = pair

    def outcome() -> str:
        return json.dumps(asdict(compare(look(a), look(b), is_mirrored=is_mirrored)))

    return Match(**json.loads(compared.outcome(images[a], images[b], "mirror" if is_mirrored else "", outcome)))


def _looker(images: list[str], thumbnails: pd.DataFrame) -> Callable[[int], Look]:
    rows = pd.Series(np.arange(len(thumbnails)), index=thumbnails["image_id"])
    jpegs = thumbnails["jpeg"].to_numpy()

    @lru_cache(maxsize=_LOOKS_KEPT)
    def look(row: int) -> Look:
        return look_at(jpegs[rows[images[row]]])

    return look


def _pair_row(
    image_a: str,
    image_b: str,
    match: Match,
    hashes: pd.DataFrame,
    rows: tuple[int, int],
    settings: Mapping[str, Any],
    answers: Mapping[str, str],
    *,
    is_equal: bool,
) -> dict[str, Any]:
    pair_id = pair_key([image_a, image_b])
    verdict = answers.get(pair_id, "")
    prob = 1.0 if is_equal else round(match.copy_prob, 6)
    is_copy = verdict == "same" or (verdict != "different" and prob >= settings["copy_prob"])
    phash = hashes["phash"].to_numpy(np.uint64)
    return {
        "pair_id": pair_id,
        "image_id_a": image_a,
        "image_id_b": image_b,
        "kind": "pixels" if is_equal else "near",
        "phash_distance_bits": int(np.bitwise_count(phash[rows[0]] ^ phash[rows[1]])),
        "is_mirrored": match.is_mirrored,
        "inliers_count": match.inliers_count,
        "correlation": round(match.correlation, 6),
        "copy_prob": prob,
        "verdict": verdict,
        "is_copy": is_copy,
        "cluster_id": "",
    }


def _candidates(
    images: list[str], hashes: pd.DataFrame, embedding: pd.DataFrame | None, settings: Mapping[str, Any]
) -> Candidates:
    """List the pairs worth a look, each once per way it may be a copy, in image order."""
    found = set(_equal_pairs(hashes["pixels_digest"].tolist()))
    rich = np.flatnonzero(~hashes["is_low_information"].to_numpy(bool))
    views = {name: hashes[name].to_numpy(np.uint64)[rich] for name in hashes.columns if "hash" in name}
    for view, is_mirrored in (("", False), ("_mirror", True), ("_crop", False)):
        pairs = near_pairs(views[f"phash{view}"], views["phash"], settings["radius_bits"])
        other = np.bitwise_count(views[f"dhash{view}"][pairs[:, 0]] ^ views["dhash"][pairs[:, 1]])
        pairs = rich[pairs[other <= settings["dhash_radius_bits"]]]
        found |= {(int(min(a, b)), int(max(a, b)), is_mirrored) for a, b in pairs if a != b}
    if embedding is not None and len(images) > 1:
        vectors = np.stack(embedding.set_index("image_id")["embedding"].reindex(images).to_list())
        pairs = nearest_pairs(vectors, settings["neighbours"], settings["min_similarity"])
        found |= {(int(a), int(b), False) for a, b in pairs}
    return dict.fromkeys(sorted(found))


def _equal_pairs(digests: list[str]) -> list[tuple[int, int, bool]]:
    """Pair each picture with the first of equal pixels."""
    first: dict[str, int] = {}
    rows = [(first.setdefault(digest, row), row, False) for row, digest in enumerate(digests)]
    return [pair for pair in rows if pair[0] != pair[1]]


def _with_clusters(table: pd.DataFrame) -> pd.DataFrame:
    """Name the components over copies by their members; two pictures that a person told apart never share one."""
    is_copy = table["is_copy"].astype(bool)
    # The surest join first: what a person called the same, then by probability.
    copies = table[is_copy].assign(_told=table["verdict"] == "same")
    copies = copies.sort_values(["_told", "copy_prob", "pair_id"], ascending=[False, False, True])
    images = sorted({*table["image_id_a"], *table["image_id_b"]})
    number = {image: row for row, image in enumerate(images)}

    def rows_of(frame: pd.DataFrame) -> list[tuple[int, int]]:
        return [(number[a], number[b]) for a, b in zip(frame["image_id_a"], frame["image_id_b"], strict=True)]

    pairs = np.array(rows_of(copies), np.int64).reshape(-1, 2)
    components = component_apart(len(images), pairs, rows_of(table[table["verdict"] == "different"]))
    members: dict[int, list[str]] = {}
    for image, component in zip(images, components, strict=True):
        members.setdefault(int(component), []).append(image)
    names = {image: short_id("cluster", *found) for found in members.values() for image in found}
    is_joined = table["image_id_a"].map(names) == table["image_id_b"].map(names)
    table["is_copy"] = is_copy & is_joined
    table["cluster_id"] = table["image_id_a"].map(names).where(table["is_copy"], "").astype("str")
    return table


def duplicate_samples(
    samples: pd.DataFrame, table: pd.DataFrame, decode: pd.DataFrame
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """List samples that a better copy stands for, each with the evidence.

    The best has the most pixels, then the most bytes (least compressed), then the smallest id.
    """
    sizes = decode.set_index("image_id").reindex(samples["image_id"])
    pixels = (sizes["width_px"] * sizes["height_px"]).to_numpy()
    ranked = samples.assign(
        _cluster=cluster_of_images(samples["image_id"], table), _pixels=-pixels, _bytes=-sizes["size_bytes"].to_numpy()
    ).sort_values(["_cluster", "_pixels", "_bytes", "image_id", "sample_id"])
    evidence = {frozenset((row["image_id_a"], row["image_id_b"])): row for row in records(table)}
    found = []
    for _, members in groupby(records(ranked), key=lambda row: str(row["_cluster"])):
        rows = list(members)
        if len({row["label"] for row in rows}) > 1:
            continue  # one picture under two labels: not a copy to drop, but a conflict to show
        for row in rows[1:]:
            pair = evidence.get(frozenset((row["image_id"], rows[0]["image_id"])), {})
            found.append((row, _evidence(row, rows[0], pair)))
    return found


def _evidence(row: Mapping[str, Any], kept: Mapping[str, Any], pair: Mapping[str, Any]) -> dict[str, Any]:
    facts = {"kept_sample_id": kept["sample_id"], "kept_image_id": kept["image_id"]}
    if row["image_id"] == kept["image_id"]:
        return {**facts, "kind": "bytes"}
    if not pair:
        return {**facts, "kind": "chain"}  # a copy of a copy
    return {**facts, "kind": pair["kind"], "pair_id": pair["pair_id"], "copy_prob": float(pair["copy_prob"])}

"""Table `duplicates`: which pictures are copies of which. Hashes and embeddings nominate, pixels decide.

Table, one row per pair that was looked at, sorted by pair_id: pair_id (`catalog.ids.pair_key` of the two image ids:
the target of queue `duplicates`), image_id_a, image_id_b, kind (`pixels`, `near`; `chain` where the two are copies but
their clusters are not), phash_distance_bits, view (how b had to be shown: as it is, `mirror`, `turn90`, ...),
inliers_count, correlation, agreeing_frac, marked (`a` or `b` where that one bears a mark that the other lacks),
copy_prob, verdict (`same`, `different`, `unsure` or empty), is_copy, cluster_id (empty where it is no copy).

The best picture of a cluster stays and the others are `duplicate_of`, also across subjects of one label. A cluster
under two labels is left to the stage `labels`. What a person said is different never shares a cluster again.
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
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.ids import pair_key, short_id
from curation.compared import Compared
from curation.contract import TableInputs, TableResult, rows_of
from curation.decisions import decision, decisions_frame, records, standing
from curation.ops.agreement import Agreement
from curation.ops.clusters import guarded_clusters
from curation.ops.hamming import near_pairs
from curation.ops.neighbours import nearest_pairs
from curation.ops.registration import EQUAL, VIEWS, Look, Match, compare, look_at
from curation.stages.registry import check_params
from curation.verdicts import agreed_answers

COLUMNS = (
    "pair_id", "image_id_a", "image_id_b", "kind", "phash_distance_bits", "view", "inliers_count", "correlation",
    "agreeing_frac", "marked", "copy_prob", "verdict", "is_copy", "cluster_id",
)  # fmt: skip
SETTINGS: dict[str, Any] = {
    "radius_bits": 10,  # of the pHash; crops of 5 % reach it (LIMITS of the design: 89 %)
    "dhash_radius_bits": 14,  # the same view's dHash must agree this far: it halves the look-alikes;
    # but a brightened copy may lose it where white is clipped, and stands where the pHash is within sure_bits
    "turn_radius_bits": 8,  # of the pHash of quarter turns, which have no dHash
    "neighbours": 3,  # nearest by embedding, where there is one
    "min_similarity": 0.9,  # of such neighbours, and of what hashes nominate: they nominate all aligned faces,
    "sure_bits": 4,  # unless the pHash, in the view that nominates, is as near as this
    "neighbour_similarity": 0.7,  # is enough of a neighbour whose pHash, of any part, is within neighbour_bits:
    "neighbour_bits": 20,  # of 50 copies cut by a tenth all round 46 are looked at so, instead of 17
    "copy_prob": 0.5,
    "keeps_copies": False,  # True: copies are told, none is dropped (published data sets, taken as they are)
}
"""Settings of [stages.duplicates] and their defaults."""

_MARKED_FRAC = 0.02
"""Structure that one has and the other lacks from which it is a mark; compression and resizing leave less."""

_LOOKS_KEPT = 2048
"""Pictures held ready for their next comparison; each takes a third of a megabyte, with its mirror image two."""

_TELL_PAIRS = 50
"""Pairs between two words of progress."""

Compare = Callable[[int, int, str], Match]
"""Compares rows a and b, b shown in one of VIEWS."""

Candidates = dict[tuple[int, int, str], None]
"""(row a, row b, view of b), in the order they are looked at."""


class DuplicatesStage:
    """See the module."""

    name = "duplicates"
    version = 5
    signals: tuple[str, ...] = ("decode", "hashes", "thumbnails", "embedding")
    tables: tuple[str, ...] = ("samples",)
    reads_verdicts: tuple[str, ...] = ("duplicates",)
    reads_assignments = False
    memory_version = 7
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
    tell: Callable[[int, int], None] = lambda _done, _todo: None,
) -> pd.DataFrame:
    """Look at every pair worth a look.

    Args:
        images: sorted ids.
        signals: `hashes`, `thumbnails`, and `embedding` where there is one.
        settings: SETTINGS.
        answers: pair_id -> `same`, `different` or `unsure`.
        compared: pairs that need no second look.
        tell: told of (pairs looked at, pairs to look at).
    """
    hashes = signals["hashes"].set_index("image_id").reindex(images)
    digests = hashes["pixels_digest"].tolist()
    best: dict[tuple[int, int], Match] = {}
    candidates = _candidates(images, hashes, signals.get("embedding"), settings)
    nominated = {images[row] for a, b, _ in candidates for row in (a, b)}
    match_of = _comparer(images, rows_of(signals, "thumbnails", nominated), compared)
    for number, (a, b, view) in enumerate(candidates, start=1):
        match = EQUAL if digests[a] == digests[b] else match_of(a, b, view)
        if (a, b) not in best or match.copy_prob > best[a, b].copy_prob:
            best[a, b] = match
        if number % _TELL_PAIRS == 0 or number == len(candidates):
            tell(number, len(candidates))
    pairs = _Pairs(images, hashes, settings, answers, match_of, best)
    table = pd.DataFrame(pairs.rows(), columns=list(COLUMNS)).sort_values("pair_id", ignore_index=True)
    return table.astype(
        {
            "phash_distance_bits": "int64",
            "inliers_count": "int64",
            "correlation": "float64",
            "agreeing_frac": "float64",
            "copy_prob": "float64",
            "is_copy": "bool",
        }
    )


def _comparer(images: list[str], thumbnails: pd.DataFrame, compared: Compared) -> Compare:
    """Make the function that compares a pair by its pixels, unless that was done before.

    Pairs that clusters ask for are of images that are nominated too: a cluster is made of such.
    """
    rows = pd.Series(np.arange(len(thumbnails)), index=thumbnails["image_id"])
    jpegs = thumbnails["jpeg"].to_numpy()

    @lru_cache(maxsize=_LOOKS_KEPT)
    def look(row: int) -> Look:
        return look_at(jpegs[rows[images[row]]])

    def match_of(a: int, b: int, view: str) -> Match:
        def outcome() -> str:
            return json.dumps(asdict(compare(look(a), look(b), view)))

        facts = json.loads(compared.outcome(images[a], images[b], view, outcome))
        return Match(**{**facts, "agreement": Agreement(**facts["agreement"])})

    return match_of


class _Pairs:
    """The pairs that were looked at, what people said of them, and the clusters that they make."""

    def __init__(
        self,
        images: list[str],
        hashes: pd.DataFrame,
        settings: Mapping[str, Any],
        answers: Mapping[str, str],
        match_of: Compare,
        matches: dict[tuple[int, int], Match],
    ) -> None:
        self._images = images
        self._digests = hashes["pixels_digest"].tolist()
        self._phash = hashes["phash"].to_numpy(np.uint64)
        self._copy_prob = float(settings["copy_prob"])
        self._answers = answers
        self._match_of = match_of
        self._matches = matches

    def rows(self) -> list[dict[str, Any]]:
        """One row of COLUMNS per pair."""
        copies = {pair: self._prob(pair) for pair in sorted(self._matches) if self._is_copy(pair)}
        has_parted = "different" in self._answers.values()
        heart = guarded_clusters(copies, self._are_copies, self._are_parted if has_parted else None)
        members: dict[int, list[str]] = {}
        for row in sorted(heart):
            members.setdefault(heart[row], []).append(self._images[row])
        names = {row: short_id("cluster", *found) for row, found in members.items()}
        return [self._row(pair, heart, names) for pair in sorted(self._matches)]

    def _answer(self, pair: tuple[int, int]) -> str:
        return self._answers.get(pair_key([self._images[pair[0]], self._images[pair[1]]]), "")

    def _prob(self, pair: tuple[int, int]) -> float:
        return 1.0 if self._is_equal(pair) or self._answer(pair) == "same" else self._matches[pair].copy_prob

    def _is_equal(self, pair: tuple[int, int]) -> bool:
        return bool(self._digests[pair[0]] == self._digests[pair[1]])

    def _is_copy(self, pair: tuple[int, int]) -> bool:
        return self._answer(pair) != "different" and self._prob(pair) >= self._copy_prob

    def _are_copies(self, a: int, b: int) -> bool:
        """Look at a pair that nothing nominated, as clusters are to be joined over it."""
        if (a, b) not in self._matches:
            found = (self._match_of(a, b, view) for view in VIEWS)
            self._matches[a, b] = max(found, key=lambda match: match.copy_prob)
        return self._is_copy((a, b))

    def _are_parted(self, a: int, b: int) -> bool:
        return self._answer((a, b)) == "different"

    def _row(self, pair: tuple[int, int], heart: Mapping[int, int], names: Mapping[int, str]) -> dict[str, Any]:
        a, b = pair
        match = self._matches[pair]
        is_joined = self._is_copy(pair) and heart.get(a, -1) == heart.get(b, -2)
        kind = "pixels" if self._is_equal(pair) else "chain" if self._is_copy(pair) and not is_joined else "near"
        return {
            "pair_id": pair_key([self._images[a], self._images[b]]),
            "image_id_a": self._images[a],
            "image_id_b": self._images[b],
            "kind": kind,
            "phash_distance_bits": int(np.bitwise_count(self._phash[a] ^ self._phash[b])),
            "view": match.view,
            "inliers_count": match.inliers_count,
            "correlation": round(match.correlation, 6),
            "agreeing_frac": round(match.agreement.agreeing_frac, 6),
            "marked": _marked(match) if is_joined else "",
            "copy_prob": 1.0 if self._is_equal(pair) else round(match.copy_prob, 6),
            "verdict": self._answer(pair),
            "is_copy": is_joined,
            "cluster_id": names[heart[a]] if is_joined else "",
        }


def _marked(match: Match) -> str:
    """Tell which of two copies bears what the other lacks."""
    left, right = match.agreement.extra_left_frac, match.agreement.extra_right_frac
    if max(left, right) < _MARKED_FRAC or min(left, right) > max(left, right) / 2:
        return ""
    return "a" if left > right else "b"


def _candidates(
    images: list[str], hashes: pd.DataFrame, embedding: pd.DataFrame | None, settings: Mapping[str, Any]
) -> Candidates:
    """List the pairs worth a look, each once per way it may be a copy, in image order."""
    nominated = _near_by_hash(hashes, settings)
    found = set(nominated)
    if embedding is not None and len(images) > 1:
        vectors = np.stack(embedding.set_index("image_id")["embedding"].reindex(images).to_list())
        # The hashes alone nominate all aligned faces.
        found = {
            (a, b, view)
            for (a, b, view), bits in nominated.items()
            if bits <= settings["sure_bits"] or float(vectors[a] @ vectors[b]) >= settings["min_similarity"]
        }
        found.update(_near_by_embedding(vectors, hashes, settings))
    return dict.fromkeys(sorted(found))


def _near_by_hash(hashes: pd.DataFrame, settings: Mapping[str, Any]) -> dict[tuple[int, int, str], int]:
    """Nominate pairs, each with the bits in which the pHash differs in the view that nominates it."""
    found = dict.fromkeys(_equal_pairs(hashes["pixels_digest"].tolist()), 0)
    rich = np.flatnonzero(~hashes["is_low_information"].to_numpy(bool))
    views = {name: hashes[name].to_numpy(np.uint64)[rich] for name in hashes.columns if "hash_" in f"{name}_"}

    def nominate(pairs: NDArray[np.integer], bits: NDArray[np.uint8], view: str) -> None:
        is_pair = pairs[:, 0] != pairs[:, 1]
        named = np.sort(rich[pairs[is_pair]], axis=1)
        for (a, b), count in zip(named.tolist(), bits[is_pair].tolist(), strict=True):
            found[a, b, view] = min(count, found.get((a, b, view), count))

    every, framed = np.arange(len(rich)), np.flatnonzero(views["phash_content"] != views["phash"])
    joins = ("", "", every), ("_mirror", "", every), ("_crop", "", every), ("_content", "_content", framed)
    for suffix, of, rows in joins:
        pairs = near_pairs(views[f"phash{suffix}"][rows], views[f"phash{of}"], settings["radius_bits"])
        pairs[:, 0] = rows[pairs[:, 0]]
        bits, other = (
            np.bitwise_count(views[f"{kind}{suffix}"][pairs[:, 0]] ^ views[f"{kind}{of}"][pairs[:, 1]])
            for kind in ("phash", "dhash")
        )
        is_near = (other <= settings["dhash_radius_bits"]) | (bits <= settings["sure_bits"])
        nominate(pairs[is_near], bits[is_near], "mirror" if suffix == "_mirror" else "")
    for view in (name for name in VIEWS if name.startswith("turn")):
        pairs = near_pairs(views["phash"], views[f"phash_{view}"], settings["turn_radius_bits"])
        pairs = pairs[pairs[:, 0] < pairs[:, 1]]
        nominate(pairs, np.bitwise_count(views["phash"][pairs[:, 0]] ^ views[f"phash_{view}"][pairs[:, 1]]), view)
    return found


def _near_by_embedding(
    vectors: NDArray[np.float32], hashes: pd.DataFrame, settings: Mapping[str, Any]
) -> list[tuple[int, int, str]]:
    """Nominate pairs of near neighbours; of farther ones those whose hashes are not those of any two pictures."""
    pairs, cosines = nearest_pairs(vectors, settings["neighbours"], settings["neighbour_similarity"])
    a, b = pairs.T
    plain, mirrored, centre, content = (
        hashes[f"phash{suffix}"].to_numpy(np.uint64) for suffix in ("", "_mirror", "_crop", "_content")
    )
    compared = (plain, plain), (plain, centre), (centre, plain), (content, content)
    bits = np.minimum.reduce([np.bitwise_count(one[a] ^ other[b]) for one, other in compared])
    mirror_bits = np.bitwise_count(plain[a] ^ mirrored[b])
    is_worth = cosines >= settings["min_similarity"]
    is_worth |= np.minimum(bits, mirror_bits) <= settings["neighbour_bits"]
    views = np.where(mirror_bits < bits, "mirror", "")
    return list(zip(a[is_worth].tolist(), b[is_worth].tolist(), views[is_worth].tolist(), strict=True))


def _equal_pairs(digests: list[str]) -> list[tuple[int, int, str]]:
    """Pair each picture with the first of equal pixels."""
    first: dict[str, int] = {}
    rows = [(first.setdefault(digest, row), row, "") for row, digest in enumerate(digests)]
    return [pair for pair in rows if pair[0] != pair[1]]


def duplicate_samples(
    samples: pd.DataFrame, table: pd.DataFrame, decode: pd.DataFrame
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """List samples that a better copy stands for, each with the evidence.

    The best comes first by `best_first`.
    """
    clustered = samples.assign(_cluster=cluster_of_images(samples["image_id"], table))
    clustered = clustered[clustered["_cluster"].duplicated(keep=False)]
    if clustered.empty:
        return []
    order = best_first(clustered["image_id"], clustered["_cluster"], table, decode)
    ranked = clustered.assign(_place=clustered["image_id"].map(order)).sort_values(["_cluster", "_place", "sample_id"])
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


def best_first(
    images: Iterable[str], clusters: Iterable[str], table: pd.DataFrame, decode: pd.DataFrame
) -> dict[str, int]:
    """Order images so that of each cluster the best comes first: image -> its place.

    Without a mark (unless the picture without one has less than a quarter of the most pixels), then with the most
    pixels, then with the most bytes (least compressed), then by id.
    """
    of = dict(zip(images, clusters, strict=True))
    measured = decode.loc[decode["image_id"].isin(of), ["image_id", "width_px", "height_px", "size_bytes"]]
    sizes = {row["image_id"]: row for row in records(measured)}
    pixels = {
        image: int(row["width_px"]) * int(row["height_px"]) for image, row in sizes.items() if row["width_px"] > 0
    }
    most: dict[str, int] = {}
    for image, cluster in of.items():
        most[cluster] = max(most.get(cluster, 0), pixels.get(image, 0))
    copies = table[table["is_copy"]]
    marked = {*copies.loc[copies["marked"] == "a", "image_id_a"], *copies.loc[copies["marked"] == "b", "image_id_b"]}

    def rank(image: str) -> tuple[bool, int, int, str]:
        own = pixels.get(image, 0)
        size = sizes[image]["size_bytes"] if image in pixels else 0
        return image in marked or 4 * own < most[of[image]], -own, -int(size), image

    return {image: place for place, image in enumerate(sorted(of, key=rank))}


def _evidence(row: Mapping[str, Any], kept: Mapping[str, Any], pair: Mapping[str, Any]) -> dict[str, Any]:
    facts = {"kept_sample_id": kept["sample_id"], "kept_image_id": kept["image_id"]}
    if row["image_id"] == kept["image_id"]:
        return {**facts, "kind": "bytes"}
    if not pair:
        return {**facts, "kind": "chain"}  # a copy of a copy
    return {**facts, "kind": pair["kind"], "pair_id": pair["pair_id"], "copy_prob": float(pair["copy_prob"])}

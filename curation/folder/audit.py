"""Does a data set leak? Copies within and across splits and labels, identities on two sides, unreadable files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from curation.folder.duplicates import Cluster
from curation.folder.roster import Roster, Values

FINDINGS = ("unreadable", "duplicates", "leaks", "conflicts", "identities")
"""What --fail-on may name."""


@dataclass(frozen=True, slots=True)
class Told:
    """A cluster with what the data set says of its members."""

    cluster: Cluster
    member_splits: tuple[tuple[str, ...], ...]
    member_labels: tuple[tuple[str, ...], ...]

    @property
    def splits(self) -> list[str]:
        """Distinct ones, sorted."""
        return _distinct(self.member_splits)

    @property
    def labels(self) -> list[str]:
        """Distinct ones, sorted."""
        return _distinct(self.member_labels)

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints: `splits` and `labels` of the cluster, and those of each member in their order."""
        return {
            **self.cluster.to_json(),
            "splits": self.splits,
            "labels": self.labels,
            "member_splits": [" ".join(names) for names in self.member_splits],
            "member_labels": [" ".join(names) for names in self.member_labels],
        }


@dataclass(frozen=True, slots=True)
class Identity:
    """Pictures that share an identity, on several sides."""

    identity: str
    splits: tuple[str, ...]
    members: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {"identity": self.identity, "splits": list(self.splits), "members": list(self.members)}


@dataclass(frozen=True, slots=True)
class Audit:
    """All that was found."""

    roster: Roster
    reasons: dict[str, str]
    """Path -> why it is unreadable."""
    clusters: tuple[Told, ...]
    listed_twice: tuple[Told, ...]
    """Single pictures that lists put on two sides."""
    identities: tuple[Identity, ...]

    @property
    def leaks(self) -> list[Told]:
        """Clusters across a split, and pictures listed on two sides."""
        return [told for told in (*self.clusters, *self.listed_twice) if len(told.splits) > 1]

    @property
    def conflicts(self) -> list[Told]:
        """Clusters across a label."""
        return [told for told in self.clusters if len(told.labels) > 1]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each of FINDINGS."""
        found: Sequence[Sequence[object]] = (
            list(self.reasons), self.clusters, self.leaks, self.conflicts, self.identities,
        )  # fmt: skip
        return {name: len(rows) for name, rows in zip(FINDINGS, found, strict=True)}

    def to_json(self) -> dict[str, Any]:
        """What `gleanery audit --json` prints."""
        roster = self.roster
        return {
            "images": len(roster.paths),
            "splits": _shares(roster.splits),
            "labels": len(set(_distinct(roster.labels.values()))),
            "notes": list(roster.notes),
            "not_found": list(roster.not_found),
            "unreadable": list(self.reasons),
            "reasons": self.reasons,
            "duplicates": [told.to_json() for told in self.clusters],
            "leaks": [told.to_json() for told in self.leaks],
            "conflicts": [told.to_json() for told in self.conflicts],
            "identities": [found.to_json() for found in self.identities],
        }


def audit(roster: Roster, reasons: dict[str, str], clusters: Iterable[Cluster]) -> Audit:
    """Lay what is said of the pictures over the copies among them.

    Args:
        roster: the pictures, with splits, labels and identities where there are any.
        reasons: path -> why it is unreadable.
        clusters: of `duplicates.find_clusters`.
    """
    copies = tuple(_told(roster, cluster) for cluster in clusters)
    twice = [path for path in roster.paths if len(roster.splits.get(path, ())) > 1]
    inside = {path for told in copies if len(told.splits) > 1 for path in told.cluster.members}
    return Audit(
        roster=roster,
        reasons=reasons,
        clusters=copies,
        listed_twice=tuple(_told(roster, Cluster((path,), "bytes", path)) for path in twice if path not in inside),
        identities=tuple(_identities(roster)),
    )


def _told(roster: Roster, cluster: Cluster) -> Told:
    return Told(
        cluster,
        tuple(roster.splits.get(path, ()) for path in cluster.members),
        tuple(roster.labels.get(path, ()) for path in cluster.members),
    )


def _identities(roster: Roster) -> Iterable[Identity]:
    members: dict[str, list[str]] = {}
    for path in roster.paths:
        for name in roster.identities.get(path, ()):
            members.setdefault(name, []).append(path)
    for name, paths in sorted(members.items()):
        splits = _distinct(roster.splits.get(path, ()) for path in paths)
        if len(splits) > 1:
            yield Identity(name, tuple(splits), tuple(paths))


def _distinct(values: Iterable[Iterable[str]]) -> list[str]:
    return sorted({value for some in values for value in some})


def _shares(splits: Values) -> dict[str, int]:
    return dict(sorted(Counter(name for names in splits.values() for name in names).items()))

"""Compares what was collected and decided with the planted truth of the sample web, and answers reviews from it.

Only the demo and the end-to-end tests use this; the parts that do the work know nothing of any truth.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog import tables
from catalog.db import Catalog

if TYPE_CHECKING:
    from catalog.release_format import Release
    from curation.contract import Curated
    from curation.review.queues.contract import Card

Truth = Mapping[str, Any]
"""truth.json of `sampleweb.truth`."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of the table of planted truth against what was found."""

    what: str
    planted: int
    found: int
    """Of the planted ones."""
    extra: int = 0
    """Found although not planted."""
    needed_frac: float = 0.98
    """Share of the planted that must be found, and of the found that must be planted."""

    @property
    def is_good(self) -> bool:
        """Whether recall and precision reach what is needed."""
        total = self.found + self.extra
        is_complete = self.found >= math.floor(self.planted * self.needed_frac)
        return is_complete and (total == 0 or self.found / total >= self.needed_frac)


def noise_answers(truth: Truth) -> Callable[[Card], str | None]:
    """Give the function that answers noise cards from the truth; None for a picture that it does not know."""
    is_noise = {photo["sha256"]: photo["is_noise"] for item in truth["items"] for photo in item["buyer"]}

    def answer(card: Card) -> str | None:
        if card.image_id not in is_noise:
            return None
        return "noise" if is_noise[card.image_id] else "good"

    return answer


def compare_staff(truth: Truth, curated: Curated, catalog: Catalog) -> list[Comparison]:
    """Compare people, portraits, copies and spoils."""
    return [
        _people(truth, catalog),
        _roles(truth, catalog),
        _portraits(truth, catalog),
        _copies(truth, curated),
        *_spoils(truth, curated, catalog),
    ]


def _people(truth: Truth, catalog: Catalog) -> Comparison:
    subjects = catalog.frame(tables.subjects, tables.subjects.c.kind == "person")
    found = Counter(zip(subjects["source"], subjects["name"], strict=True))
    planted = Counter((row["site"], row["name"]) for row in truth["people"])
    return Comparison("people on staff pages", planted.total(), (planted & found).total(), (found - planted).total())


def _roles(truth: Truth, catalog: Catalog) -> Comparison:
    """Each person must stand under the right field of study and role class."""
    subjects = catalog.frame(tables.subjects, tables.subjects.c.kind == "person")
    columns = ("source", "name", "label", "role_class")
    found = Counter(zip(*(subjects[column] for column in columns), strict=True))
    planted = Counter(tuple(row[key] for key in ("site", *columns[1:])) for row in truth["people"])
    right = (planted & found).total()
    return Comparison("people, with label and role class", planted.total(), right, found.total() - right)


def _portraits(truth: Truth, catalog: Catalog) -> Comparison:
    """Each usable photo must stand with the right person of the right site."""
    sightings, subjects = catalog.frame(tables.sightings), catalog.frame(tables.subjects)
    seen = sightings[sightings["slot"] == "portrait"].merge(
        subjects[subjects["kind"] == "person"][["subject_id", "name"]], on="subject_id"
    )
    found = {(row.source, row.name, row.image_id) for row in seen.itertuples() if isinstance(row.image_id, str)}
    names = {row["listing"]: row["name"] for row in truth["people"]}
    usable = {(row["site"], names[row["listing"]], row["sha256"]) for row in truth["photos"] if row["reason"] is None}
    known = {row["sha256"] for row in truth["photos"]}
    extra = {row for row in found if row[2] not in known or (row not in usable and row[2] in {u[2] for u in usable})}
    return Comparison("portraits, with their person", len(usable), len(usable & found), len(extra - usable))


def _copies(truth: Truth, curated: Curated) -> Comparison:
    """Each planted copy that reaches curation must be linked to its original."""
    pairs = curated.tables["duplicates"]
    confirmed = pairs[pairs["is_copy"]]
    cluster_of = dict(zip(confirmed["image_id_a"], confirmed["cluster_id"], strict=True))
    cluster_of |= zip(confirmed["image_id_b"], confirmed["cluster_id"], strict=True)
    photos = {row["listing"]: row for row in truth["photos"]}
    planted = {
        (photos[row["copy_of"]]["sha256"], row["sha256"])
        for row in truth["photos"]
        if row["copy_of"] is not None and row["edits"]
    }
    samples = set(curated.tables["samples"]["image_id"])
    reachable = {pair for pair in planted if set(pair) <= samples}
    linked = {pair for pair in reachable if cluster_of.get(pair[0], 0) == cluster_of.get(pair[1], 1)}
    person_of: dict[str, set[int]] = defaultdict(set)
    for row in truth["photos"]:
        person_of[row["sha256"]].add(row["person"])
    linked_pairs = zip(confirmed["image_id_a"], confirmed["image_id_b"], strict=True)
    wrong = sum(not person_of[one] & person_of[other] for one, other in linked_pairs)
    return Comparison("edited copies, linked", len(reachable), len(linked), wrong)


def _spoils(truth: Truth, curated: Curated, catalog: Catalog) -> list[Comparison]:
    """Each unusable photo must be refused with the reason that fits it."""
    issues = catalog.frame(tables.issues)
    reasons: dict[str, set[str]] = defaultdict(set)
    for row in issues.itertuples():
        reasons[str(row.where)].add(str(row.reason))
    for row in curated.decisions.itertuples():
        reasons[str(row.image_id)].add(str(row.reason))
    # Somebody whose role is not wanted is dropped for that, before their picture is judged.
    decoded = curated.signals["decode"]
    for image, reason in zip(decoded["image_id"], decoded["reason"], strict=True):
        reasons[image].add(reason)
    accepted = {
        "record_placeholder": {"record_placeholder", "quality_placeholder"},
        "decode_not_an_image": {"decode_not_an_image", "fetch_not_an_image"},
        "decode_bomb": {"decode_bomb"},
        "policy_noai": {"policy_noai", "policy_noimageai"},
    }
    planted = [row for row in truth["photos"] if row["reason"] is not None]
    found = sum(
        bool((reasons[row["sha256"] or ""] | reasons[row["url"]]) & accepted.get(row["reason"], {row["reason"]}))
        for row in planted
    )
    kept = set(curated.kept()["image_id"])
    slipped = sum(row["sha256"] in kept for row in planted)
    return [Comparison("spoiled pictures, with their reason", len(planted), found, slipped)]


def compare_shop(truth: Truth, curated: Curated, catalog: Catalog) -> list[Comparison]:
    """Compare photos by item and colour, and noise."""
    return [*compare_photos(truth, catalog), _noise(truth, curated)]


def compare_photos(truth: Truth, catalog: Catalog) -> list[Comparison]:
    """Compare items, and studio photos, further photos and buyers' photos with their item and colour."""
    sightings = catalog.frame(tables.sightings).merge(
        catalog.frame(tables.subjects)[["subject_id", "kind", "attributes"]], on="subject_id"
    )
    seen = sightings[sightings["kind"] == "item"]
    placed = {
        (slot, facts.get("item_id"), facts.get("color"), image)
        for slot, facts, image in zip(seen["slot"], seen["attributes"], seen["image_id"], strict=True)
        if slot in ("seller", "buyer", "gallery")
    }
    seller = {
        ("seller", item["item_id"], color or None, photo["sha256"])
        for item in truth["items"]
        for color, photo in item["colors"].items()
    }
    buyer = {
        ("buyer", item["item_id"], photo["color"], photo["sha256"])
        for item in truth["items"]
        for photo in item["buyer"]
    }
    gallery = {
        ("gallery", item["item_id"], None, photo["sha256"]) for item in truth["items"] for photo in item["gallery"]
    }
    described = {
        ("gallery", item["item_id"], None, photo["sha256"])
        for item in truth["items"]
        for photo in item["descriptions"]
    }
    found = {slot: {row for row in placed if row[0] == slot} for slot in ("seller", "buyer", "gallery")}
    lines = (
        ("studio photos, by item and colour", seller, found["seller"]),
        ("further photos, by item", gallery, found["gallery"] - described),  # read where a recipe asks for them
        ("buyers' photos, by item and colour", buyer, found["buyer"]),
    )
    items = {item["item_id"] for item in truth["items"]}
    known = {row[1] for row in placed}
    return [
        Comparison("items of the shop", len(items), len(items & known), len(known - items)),
        *(Comparison(what, len(planted), len(planted & seen), len(seen - planted)) for what, planted, seen in lines),
    ]


def _noise(truth: Truth, curated: Curated) -> Comparison:
    is_noise = {photo["sha256"]: photo["is_noise"] for item in truth["items"] for photo in item["buyer"]}
    samples = set(curated.tables["samples"]["image_id"])
    decisions = curated.decisions
    # Also where the recipe keeps it, marked, for a test set of all pictures.
    judged = decisions["reason"].isin(["noise_verdict", "noise_above_threshold"])
    dropped = set(decisions.loc[judged, "image_id"])
    planted = {image for image, noise in is_noise.items() if noise and image in samples}
    wrong = {image for image in dropped if not is_noise.get(image, False)}
    return Comparison("noise among buyers' photos", len(planted), len(planted & dropped), len(wrong), needed_frac=0.9)


def leaks_of_a_random_split(truth: Truth, curated: Curated) -> Comparison:
    """Count the pairs of pictures of one person or product that a split by picture would put on two sides.

    A picture's side is drawn from its id, by the shares of the recipe. Found are the pairs that stand in one group,
    and so on one side of our split.
    """
    shows = _who_is_shown(truth)
    groups = curated.tables["groups"].merge(curated.tables["samples"][["sample_id", "image_id"]], on="sample_id")
    members: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in groups.drop_duplicates("image_id").itertuples():
        if row.image_id in shows:
            members[shows[str(row.image_id)]].append((str(row.image_id), str(row.group_id)))
    ratios = curated.recipe.splits["ratios"]
    planted = found = 0
    for pictures in members.values():
        for (one, group), (other, other_group) in itertools.combinations(pictures, 2):
            if _random_side(one, ratios) != _random_side(other, ratios):
                planted += 1
                found += group == other_group
    return Comparison(f"leaks of a random split, {curated.recipe.name}", planted, found, needed_frac=1.0)


def _random_side(image_id: str, ratios: Mapping[str, float]) -> str:
    place, bound = int(image_id[:8], 16) / 2**32, 0.0
    for side, share in ratios.items():
        bound += share
        if place < bound:
            return side
    return side


def _who_is_shown(truth: Truth) -> dict[str, str]:
    """Say for each picture, by its sha256, which person or product it shows."""
    shows = {row["sha256"]: f"person {row['person']}" for row in truth["photos"] if row["reason"] is None}
    for item in truth["items"]:
        for photo in (*item["colors"].values(), *item["buyer"]):
            shows[photo["sha256"]] = f"item {item['item_id']}"
    return shows


def planted_leaks(truth: Truth, release: Release) -> int:
    """Count people, and products, whose pictures a release puts on more than one side; by the truth alone."""
    shows = _who_is_shown(truth)
    sides: dict[str, set[str]] = defaultdict(set)
    for row in release.samples().itertuples():
        if row.image_id in shows:
            sides[shows[str(row.image_id)]].add(str(row.split))
    return sum(len(split) > 1 for split in sides.values())

"""The records and closed lists that every part of Gleanery shares.

Records are frozen and plain; `to_json` and `from_json` are exact inverses. Times are UTC ISO 8601 with Z,
addresses absolute, `_raw` fields untouched source text.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from catalog.ids import Box

SLOTS = ("portrait", "seller", "buyer", "gallery")
"""What part a picture plays on its page."""

SUBJECT_KINDS = ("person", "item")

ROLE_CLASSES = (
    "professor", "researcher", "doctoral", "student", "administration", "technical", "former", "other",
)  # fmt: skip

SPLITS = ("train", "validation", "test")

OUTCOMES = ("keep", "drop", "review")

RUN_STATES = ("ok", "rejected", "failed", "blocked")
"""`ok` counts; `rejected` fell below the source's minimum; `failed` broke; `blocked` met a challenge."""

REASONS: dict[str, str] = {
    # collecting
    "policy_robots": "robots.txt disallows the address, or could not be had (5xx)",
    "policy_noai": "X-Robots-Tag or meta robots says noai",
    "policy_noimageai": "X-Robots-Tag or meta robots says noimageai",
    "policy_tdm": "TDMRep reserves text and data mining rights",
    "policy_content_signal": "Content-Signal says ai-train=no",
    "policy_address": "the address is not a public http(s) address",
    "policy_suppressed": "a takedown covers it",
    "fetch_not_found": "the server answered 404 or 410",
    "fetch_forbidden": "the server answered 401, 403 or 451",
    "fetch_failed": "the server answered another error, or too often failed",
    "fetch_timeout": "no whole answer in time",
    "fetch_dns": "the host's name did not resolve",
    "fetch_tls": "the TLS handshake or certificate failed",
    "fetch_too_large": "the body exceeds the size limit",
    "fetch_not_an_image": "the body is no picture of a known kind",
    "page_blocked": "a challenge or captcha page",
    "page_foreign": "a page of another kind or site",
    "page_changed": "the page lost the structure that its reader stands on",
    "record_odd": "one record could not be read as expected",
    "record_no_image": "the record names no picture",
    "record_placeholder": "the picture stands for a missing one",
    "record_drift": "the page holds an unknown part",
    # decoding
    "decode_truncated": "the bytes end before the picture does",
    "decode_bomb": "more pixels, in all or on one side, or more frames than is allowed",
    "decode_not_an_image": "HTML, text or other bytes under a picture's name",
    "decode_vector": "a vector drawing (SVG)",
    "decode_animated": "more than one frame",
    "decode_empty": "zero bytes",
    "decode_timeout": "reading it took longer than a picture may",
    "decode_failed": "the decoder gave up for another reason",
    # curation
    "quality_too_small": "a side is shorter than the recipe's minimum",
    "quality_blank": "almost no information: a blank or solid picture",
    "quality_blurred": "less sharp than the recipe's minimum",
    "quality_placeholder": "one picture stands for many subjects",
    "faces_none_found": "no face found",
    "faces_many": "several faces and none is clearly the subject's",
    "faces_small": "the face is smaller than the recipe's minimum",
    "faces_cut_off": "the face touches the border",
    "faces_tilted": "the face is turned further than allowed",
    "faces_verdict": "a person rejected the face",
    "duplicate_of": "a better copy is kept",
    "noise_above_threshold": "the noise head is sure that it is noise",
    "noise_uncertain": "the noise head is not sure",
    "noise_verdict": "a person said noise",
    "labels_conflict": "one picture or person stands under two labels",
    "labels_verdict": "a person rejected the picture under its label",
    "labels_missing": "no label",
    "labels_role": "the person's role class is not wanted",
    "labels_former": "the person no longer works there",
    "splits_test_wins": "a new duplicate joined two sides; the train side yields",
    "suppressed": "a takedown covers it",
}
"""The closed list of reason slugs, each with what it means."""

FAILURE_CLASSES: dict[str, str] = {
    "fetch_dns": "dns",
    "fetch_tls": "tls",
    "fetch_timeout": "timeout",
    "fetch_forbidden": "forbidden",
    "page_blocked": "challenge",
    "fetch_not_found": "moved",
    "page_foreign": "moved",
    "page_changed": "structure",
    "fetch_failed": "server",
    "fetch_too_large": "size",
    "fetch_not_an_image": "format",
}
"""What kind of trouble a reason of collecting is; refusals and odd records are none."""

T = TypeVar("T", bound="Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Base of the records that travel as JSON lines."""

    TYPE: ClassVar[str] = ""

    def to_json(self) -> dict[str, Any]:
        """Give the record as JSON values, with its type; tuples become lists."""
        return {"type": self.TYPE, **self.to_row()}

    def to_row(self) -> dict[str, Any]:
        """Give the fields alone, as a table's columns are called."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls: type[T], row: dict[str, Any]) -> T:
        """Read a record back.

        Raises:
            ValueError: an unknown or a missing field.
        """
        fields = {f.name for f in dataclasses.fields(cls)}
        values = {key: value for key, value in row.items() if key != "type"}
        unknown = values.keys() - fields
        if unknown:
            raise ValueError(f"{cls.TYPE}: unknown fields {sorted(unknown)}, expected some of {sorted(fields)}")
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"{cls.TYPE}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What a server said, when it was asked, about use of a page or image."""

    is_allowed: bool = True
    reason: str | None = None
    """Slug from REASONS where refused."""
    signals: dict[str, str] = field(default_factory=dict)
    """The raw signals seen: `x-robots-tag`, `tdm-reservation`, `content-signal`, `meta-robots`, `robots.txt`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRecord(Record):
    """A fetched document."""

    TYPE: ClassVar[str] = "page"
    page_id: str
    source: str
    url: str
    """As requested."""
    final_url: str
    """After redirects."""
    status: int
    via: str
    """`http`, `browser` or `file`."""
    body_sha256: str | None
    """Blob of the body; None where it was refused or failed."""
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    fetched_at: str
    permission: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord(Record):
    """Bytes fetched from one address; the same image may be served at many."""

    TYPE: ClassVar[str] = "image"
    image_id: str
    source: str
    url: str
    content_type: str = ""
    size_bytes: int
    etag: str | None = None
    last_modified: str | None = None
    fetched_at: str
    permission: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRecord(Record):
    """What pictures show: a person, or an item in one colour."""

    TYPE: ClassVar[str] = "subject"
    subject_id: str
    source: str
    kind: str
    """`person` or `item`."""
    label: str | None
    """The class the source declares (field of study, item-colour, identity), or None."""
    name: str | None = None
    """Person's or item's name as shown, without academic title."""
    title: str | None = None
    """Academic title as shown."""
    role: str | None = None
    role_class: str | None = None
    is_former: bool = False
    profile_url: str | None = None
    organisation: str | None = None
    """Who runs the site: names are compared within one organisation, or across all if a recipe says so."""
    attributes: dict[str, Any] = field(default_factory=dict)
    """Further facts, as JSON values: item_id, color, store_id, price, rating_mean, fold, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingRecord(Record):
    """This image stood on this page as this."""

    TYPE: ClassVar[str] = "sighting"
    sighting_id: str
    source: str
    page_id: str
    subject_id: str
    slot: str
    rank: int
    """Position among the subject's pictures of the slot, from 0."""
    image_url: str
    image_id: str | None
    """None where the picture was refused or could not be had (an issue says why)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRecord(Record):
    """Something odd or refused; never an exception."""

    TYPE: ClassVar[str] = "issue"
    source: str
    reason: str
    """Slug from REASONS."""
    where: str
    """An address or a path inside a page; never a person's name."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord(Record):
    """One crawl or import of a source; `run.json`, written last: without it the run is not done."""

    TYPE: ClassVar[str] = "run"
    run_id: str
    source: str
    kind: str
    """`crawl` or `import`."""
    state: str
    """From RUN_STATES."""
    started_at: str
    finished_at: str
    detail: str = ""
    """Why it is not ok, for people."""
    counts: dict[str, int] = field(default_factory=dict)
    """pages, subjects, sightings, images, images_new, refused, failed, ..."""
    source_facts: dict[str, Any] = field(default_factory=dict)
    """title, url, kind, label, organisation, expected_min, expected_max."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Record):
    """A person's answer to one card; rows are only ever added."""

    TYPE: ClassVar[str] = "verdict"
    verdict_id: str
    queue: str
    """noise, duplicates, faces, labels or roles."""
    target_id: str
    """The image, sample, subject or pair that was judged."""
    answer: str
    """Queue's own words: good/noise, same/different/unsure, ...; `undone` takes the last one back."""
    reviewer: str
    answered_at: str
    shown: dict[str, Any] = field(default_factory=dict)
    """What the card showed: image ids, boxes, labels."""
    model_answer: str | None = None
    model_prob: float | None = None
    """Probability that the model gave to `noise`, `same`, ... at that time."""
    duration_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression(Record):
    """A takedown that no later crawl may undo."""

    TYPE: ClassVar[str] = "suppression"
    suppression_id: str
    kind: str
    """url, image, phash, subject or name (salted hash)."""
    value: str
    reason: str
    created_at: str


LANDED_TYPES: dict[str, type[Record]] = {
    cls.TYPE: cls for cls in (PageRecord, ImageRecord, SubjectRecord, SightingRecord)
}
"""The record types of records.jsonl."""


@dataclass(frozen=True, slots=True)
class FaceBox:
    """One face found on an image."""

    box: Box
    face_score: float
    """YuNet's confidence in [0, 1], 1 = sure."""
    landmarks: tuple[tuple[float, float], ...]
    """Right eye, left eye, nose tip, right and left mouth corner (as the picture shows them), (x, y) px."""

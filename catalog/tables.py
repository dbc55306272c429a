"""The tables of the catalog.

`runs`, `pages`, `images`, `image_fetches`, `subjects`, `sightings` and `issues` are a view of landing and can be
rebuilt from it. `verdicts`, `verdict_releases`, `suppressions`, `split_assignments`, `releases`, `waits` and
`stage_runs` cannot: back them up.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData()

schema_version = Table("schema_version", METADATA, Column("version", Integer, primary_key=True))

facts = Table("facts", METADATA, Column("name", String(40), primary_key=True), Column("value", Text, nullable=False))
"""Settings that belong to this catalog alone: `salt`, the key of hashed names."""

runs = Table(
    "runs",
    METADATA,
    Column("run_id", String(64), primary_key=True),
    Column("source", String(200), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("started_at", String(40), nullable=False),
    Column("finished_at", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("source_facts", JSON, nullable=False),
)

pages = Table(
    "pages",
    METADATA,
    Column("page_id", String(40), primary_key=True),
    Column("source", String(200), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("final_url", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("via", String(20), nullable=False),
    Column("body_sha256", String(64)),
    Column("content_type", Text, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("fetched_at", String(40), nullable=False),
    Column("permission", JSON, nullable=False),
    Column("first_run_id", String(64), nullable=False),
    Column("last_run_id", String(64), nullable=False),
)

images = Table(
    "images",
    METADATA,
    Column("image_id", String(64), primary_key=True),
    Column("size_bytes", Integer, nullable=False),
    Column("first_run_id", String(64), nullable=False),
)

image_fetches = Table(
    "image_fetches",
    METADATA,
    Column("source", String(200), primary_key=True),
    Column("url", Text, primary_key=True),
    Column("image_id", String(64), primary_key=True),
    Column("content_type", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("fetched_at", String(40), nullable=False),
    Column("permission", JSON, nullable=False),
    Column("first_run_id", String(64), nullable=False),
    Column("last_run_id", String(64), nullable=False),
)

subjects = Table(
    "subjects",
    METADATA,
    Column("subject_id", String(40), primary_key=True),
    Column("source", String(200), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("label", String(200)),
    Column("name", Text),
    Column("title", Text),
    Column("role", Text),
    Column("role_class", String(20)),
    Column("is_former", Boolean, nullable=False),
    Column("profile_url", Text),
    Column("organisation", Text),
    Column("attributes", JSON, nullable=False),
    Column("first_run_id", String(64), nullable=False),
    Column("last_run_id", String(64), nullable=False),
)

sightings = Table(
    "sightings",
    METADATA,
    Column("sighting_id", String(40), primary_key=True),
    Column("source", String(200), nullable=False, index=True),
    Column("page_id", String(40), nullable=False),
    Column("subject_id", String(40), nullable=False, index=True),
    Column("slot", String(20), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("image_url", Text, nullable=False),
    Column("image_id", String(64), index=True),
    Column("first_run_id", String(64), nullable=False),
    Column("last_run_id", String(64), nullable=False),
)

issues = Table(
    "issues",
    METADATA,
    Column("issue_id", String(40), primary_key=True),
    Column("run_id", String(64), nullable=False, index=True),
    Column("source", String(200), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("where", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

verdicts = Table(
    "verdicts",
    METADATA,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("verdict_id", String(40), nullable=False, unique=True),
    Column("queue", String(20), nullable=False),
    Column("target_id", String(64), nullable=False),
    Column("answer", String(40), nullable=False),
    Column("reviewer", String(80), nullable=False),
    Column("answered_at", String(40), nullable=False),
    Column("shown", JSON, nullable=False),
    Column("model_answer", String(40)),
    Column("model_prob", Float),
    Column("duration_s", Float),
    Index("ix_verdicts_queue_target", "queue", "target_id"),
)

verdict_releases = Table(
    "verdict_releases",
    METADATA,
    Column("verdict_id", String(40), primary_key=True),
    Column("recipe", String(100), primary_key=True),
    Column("version", String(40), primary_key=True),
)
"""Which releases an answer went into: it stood when they were built, and one of their cards was its target."""

suppressions = Table(
    "suppressions",
    METADATA,
    Column("suppression_id", String(40), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("value", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", String(40), nullable=False),
)

split_assignments = Table(
    "split_assignments",
    METADATA,
    Column("recipe", String(100), primary_key=True),
    Column("sample_id", String(64), primary_key=True),
    Column("split", String(20), nullable=False),
)

releases = Table(
    "releases",
    METADATA,
    Column("recipe", String(100), primary_key=True),
    Column("version", String(40), primary_key=True),
    Column("manifest_sha256", String(64), nullable=False),
    Column("state", String(20), nullable=False),  # whole or tombstoned
    Column("created_at", String(40), nullable=False),
    Column("summary", JSON, nullable=False),
)

waits = Table(
    "waits",
    METADATA,
    Column("wait_id", String(40), primary_key=True),
    Column("recipe", String(100), nullable=False),
    Column("queue", String(20), nullable=False),
    Column("state", String(20), nullable=False),  # waiting or continued
    Column("continuation", JSON, nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("continued_at", String(40)),
)

stage_runs = Table(
    "stage_runs",
    METADATA,
    Column("stage", String(60), primary_key=True),
    Column("key", String(40), primary_key=True),
    Column("made_at", String(40), primary_key=True),
    Column("host", String(200), nullable=False),
    Column("rows_count", Integer, nullable=False),
    Column("rows_new_count", Integer, nullable=False),
    Column("duration_s", Float, nullable=False),
)

LANDED_TABLES = (runs, pages, images, image_fetches, subjects, sightings, issues)
"""What `Catalog.rebuild` empties and fills again from landing."""

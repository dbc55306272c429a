"""Curation from the catalog to groups and splits: measures what is new, then runs table stages whose inputs changed.

Nothing here deletes: a sample that is dropped has a row that says why.
"""

from __future__ import annotations

import dataclasses
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from catalog.blobs import BlobStore
from catalog.config import Config
from catalog.db import Catalog, upsert
from catalog.ids import digest
from catalog.manifests import stage_key
from catalog.paths import DataRoot
from catalog.recipe import Recipe
from catalog.suppressions import Suppressions
from catalog.suspects import read_suspects
from catalog.tables import stage_runs
from curation.candidates import images_alike, load_documents, load_sightings
from curation.compared import Compared, memory_folder
from curation.contract import Curated, TableInputs, TableStage, columns_of
from curation.decisions import decisions_frame, sorted_decisions, standing
from curation.derived import DerivedFolder
from curation.engine import ImageSet, Signals, measure_images, plan_measures
from curation.executors import Executor, executor_for
from curation.results import Results, read_decisions, write_result
from curation.sightings import Sightings, table_digest
from curation.stages import registry
from curation.verdicts import load_standing

Progress = Callable[[str, int, int], None]
"""(stage, done, to do); the measures are one stage, `measure`."""


def curate(
    recipe: Recipe,
    catalog: Catalog,
    root: DataRoot,
    config: Config,
    executor: Executor | None = None,
    on_progress: Progress | None = None,
) -> Curated:
    """Curate a recipe; what was done before is read, not done again.

    Args:
        recipe: what goes in, and how.
        catalog: has the sightings, verdicts and split assignments; is told of what was computed.
        root: data root.
        config: where blobs and derived results are, and how many workers there may be.
        executor: where shards run; None takes the one that the settings name.
        on_progress: told of each stage and shard.

    Raises:
        UsageError: the recipe asks for what cannot be; says what.
        CatalogCorrupt: a blob is missing or does not match its name.
    """
    registry.check_names(recipe.stages)
    tell = on_progress or (lambda *_: None)
    derived = config.derived_url or str(root.derived)
    blobs = config.blobs_url or str(root.blobs)
    suppressions = Suppressions.load(catalog)
    sightings = load_sightings(catalog, recipe, suppressions)
    images = ImageSet.of(sightings.image_ids)
    plan = plan_measures(recipe)
    started = time.perf_counter()
    measured = measure_images(
        plan,
        images,
        blobs,
        derived,
        executor or executor_for(config),
        lambda done, todo: tell("measure", done, todo),
    )
    record = _RunRecorder(catalog)
    for name, count in measured.items():
        record.add(name, plan.keys[name], len(images), count, time.perf_counter() - started)
    signals = Signals(plan, derived, images)
    if suppressions.looks and "hashes" in signals:
        blocked = images_alike(signals["hashes"], suppressions)
        sightings = sightings.with_images(blocked, is_with=False)
        signals = Signals(plan, derived, sightings.image_ids)
    documents = load_documents(catalog, recipe, recipe.pairs.get("lists", ()), BlobStore(blobs))
    state = _TableRun(recipe, catalog, sightings, signals, derived, documents)
    names = table_names(recipe)
    for position, name in enumerate(names):
        tell(name, position, len(names))
        begun = time.perf_counter()
        if state.run(registry.table(name)):
            rows = len(state.tables[name])
            record.add(name, state.keys[name], rows, rows, time.perf_counter() - begun)
    tell("done", len(names), len(names))
    record.write()
    suspects = {suspect.sample_id: suspect for _, suspect in read_suspects(root.runs, recipe.name)}
    return dataclasses.replace(
        state.curated({**plan.keys, **state.keys}, max(measured.values(), default=0)),
        suspects=tuple(suspects.values()),
    )


def table_names(recipe: Recipe) -> list[str]:
    """Table stages of a recipe, in the order they run: `samples` always, splits and pairs also by their sections."""
    asked = {"samples", *recipe.stages}
    asked |= {name for name, section in (("splits", recipe.splits), ("pairs", recipe.pairs)) if section}
    if "splits" in asked:
        asked.add("groups")
    return [name for name in registry.TABLES if name in asked]


def table_params(recipe: Recipe, name: str) -> dict[str, Any]:
    """Settings of a table stage: its own section, and for splits and pairs the recipe's section of that name."""
    section = {"splits": recipe.splits, "pairs": recipe.pairs}.get(name, {})
    return {**recipe.params(name), **section}


@dataclass
class _TableRun:
    """Runs the table stages one after the other; each sees what the earlier ones gave."""

    recipe: Recipe
    catalog: Catalog
    sightings: Sightings
    signals: Signals
    derived: str
    documents: Mapping[str, str]
    keys: dict[str, str] = field(default_factory=dict)
    tables: Results = field(default_factory=Results)
    facts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    decisions: pd.DataFrame = field(default_factory=decisions_frame)

    def run(self, stage: TableStage) -> bool:
        """Run a stage, or read its result where its inputs are those of an earlier run; tells whether it ran."""
        params = table_params(self.recipe, stage.name)
        verdicts = load_standing(self.catalog, stage.reads_verdicts)
        assignments = self.catalog.assignments(self.recipe.name) if stage.reads_assignments else {}
        recipe = self.recipe
        known = self.signals.inputs()
        documents = self.documents if stage.name == "pairs" else {}
        inputs = {
            "recipe": [recipe.label, recipe.subject_kind, sorted(recipe.role_classes), recipe.with_former],
            "sightings": self.sightings.digest,
            "signals": {name: known[name] for name in stage.signals if name in known},
            "stages": dict(self.keys),  # tables and decisions of all earlier stages
            "verdicts": table_digest(pa.Table.from_pandas(verdicts, preserve_index=False)),
            "assignments": digest(assignments),
            "documents": digest(dict(documents)),
        }
        key = stage_key(stage.name, stage.version, params, inputs)
        folder = DerivedFolder(self.derived, stage.name, key)
        manifest = folder.read_manifest()
        is_new = manifest is None
        if manifest is None:
            compared = Compared(memory_folder(self.derived, stage, self.signals.keys_of_stages))
            given = TableInputs(
                recipe=recipe,
                params=params,
                sightings=self.sightings.frame,
                signals=self.signals.only(stage.signals),
                tables=self.tables.only(stage.tables),
                decisions=self.decisions,
                verdicts=verdicts,
                assignments=assignments,
                documents=documents,
                compared=compared,
            )
            manifest = write_result(folder, params, inputs, stage.run(given))
            compared.save()
        self.keys[stage.name] = key
        self.tables.add(folder)
        self.facts[stage.name] = manifest["facts"]
        if manifest["decisions_count"]:
            self.decisions = sorted_decisions([self.decisions, read_decisions(folder)])
        return is_new

    def curated(self, keys: Mapping[str, str], images_new_count: int) -> Curated:
        """Put the outcome together."""
        samples = columns_of(self.tables, "samples", ["sample_id", "subject_id"])
        kept = standing(samples, self.decisions)
        counts = {
            "images_count": len(self.signals.images),
            "images_new_count": images_new_count,
            "sightings_count": len(self.sightings),
            "subjects_count": len(self.sightings.subjects),
            "samples_count": len(samples),
            "kept_count": len(kept),
            "kept_subjects_count": kept["subject_id"].nunique(),
        }
        return Curated(
            recipe=self.recipe,
            sightings=self.sightings,
            signals=self.signals,
            tables=self.tables,
            decisions=self.decisions,
            facts=self.facts,
            stage_keys=keys,
            counts=counts,
        )


class _RunRecorder:
    """Collects what ran, for the catalog's table `stage_runs`: when and where, which no manifest may hold."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._rows: list[dict[str, Any]] = []

    def add(self, stage: str, key: str, rows_count: int, rows_new_count: int, duration_s: float) -> None:
        """Remember one stage; one that did nothing is no run."""
        if rows_new_count:
            self._rows.append(
                {
                    "stage": stage,
                    "key": key,
                    "made_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                    "host": socket.gethostname(),
                    "rows_count": rows_count,
                    "rows_new_count": rows_new_count,
                    "duration_s": round(duration_s, 3),
                }
            )

    def write(self) -> None:
        """Write the rows in one transaction."""
        if self._rows:
            with self._catalog.begin() as connection:
                upsert(connection, stage_runs, self._rows)

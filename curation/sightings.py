"""What curation starts from: pictures as they were seen, and whom or what they show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curation.contract import SIGHTING_COLUMNS
from curation.ops.text_order import text_order

_DIGEST_ROWS = 1 << 16


@dataclass(frozen=True)
class Sightings:
    """Sightings and their subjects, as read; joined when somebody asks for the frame.

    Where nothing is new nobody asks: what a million rows cost is mostly memory that is touched for the first time.
    """

    seen: pa.Table
    """The SIGHTING_COLUMNS that the catalog tells of a sighting, sorted by sighting_id."""
    subjects: pa.Table
    """The others, by subject_id; each subject that was seen, once, sorted."""

    @classmethod
    def of(cls, seen: pa.Table, subjects: pa.Table) -> Sightings:
        """Sort both; sightings without a subject and subjects without a sighting are left out."""
        seen = seen.take(text_order(seen["sighting_id"]))
        seen = _where(seen, pc.is_in(seen["subject_id"], value_set=subjects["subject_id"]))
        subjects = _where(subjects, pc.is_in(subjects["subject_id"], value_set=seen["subject_id"]))
        return cls(seen, subjects.take(text_order(subjects["subject_id"])))

    def __len__(self) -> int:
        return len(self.seen)

    @property
    def image_ids(self) -> pa.Array:
        """Of every sighting, in order."""
        return self.seen["image_id"].combine_chunks()

    @property
    def sources(self) -> set[str]:
        """All that they come from."""
        return set(pc.unique(self.subjects["source"]).to_pylist())

    @cached_property
    def frame(self) -> pd.DataFrame:
        """SIGHTING_COLUMNS, one row per sighting, sorted by sighting_id."""
        rows = pc.index_in(self.seen["subject_id"], value_set=self.subjects["subject_id"])
        columns = {name: self.subjects[name].take(rows) for name in self.subjects.column_names}
        columns |= {name: self.seen[name] for name in self.seen.column_names}
        return pa.table({name: columns[name] for name in SIGHTING_COLUMNS}).to_pandas()

    @cached_property
    def digest(self) -> str:
        """What names them in keys: 32 hex digits."""
        return f"{table_digest(self.seen)[:16]}{table_digest(self.subjects)[:16]}"

    def with_images(self, image_ids: Iterable[str], *, is_with: bool = True) -> Sightings:
        """Give the sightings of some images alone, or of all but those."""
        has = pc.is_in(self.seen["image_id"], value_set=pa.array(list(image_ids), self.seen["image_id"].type))
        return Sightings.of(self.seen.filter(has if is_with else pc.invert(has)), self.subjects)


def table_digest(table: pa.Table) -> str:
    """Hash a table by its columns and values, in row order: 32 hex digits."""
    table = table.replace_schema_metadata().combine_chunks()
    found = sha256(table.schema.serialize())
    for batch in table.to_batches(max_chunksize=_DIGEST_ROWS):
        found.update(batch.serialize())
    return found.hexdigest()[:32]


def _where(table: pa.Table, is_kept: pa.ChunkedArray) -> pa.Table:
    """Filter, but do not copy what is kept whole."""
    return table if pc.all(is_kept, min_count=0).as_py() else table.filter(is_kept)

"""Results of table stages in their derived folders: written whole, each read when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from curation.contract import TableResult
from curation.derived import DerivedFolder
from curation.lazy_frames import LazyFrames

TABLE, DECISIONS = "table.parquet", "decisions.parquet"


class Results(LazyFrames):
    """Table stage -> its table."""

    def __init__(self) -> None:
        super().__init__()
        self._folders: dict[str, DerivedFolder] = {}

    def add(self, folder: DerivedFolder) -> None:
        """Take in what a folder holds."""
        self._folders[folder.stage] = folder
        self._names = (*self._names, folder.stage)

    def _read(self, name: str) -> pd.DataFrame:
        return self._folders[name].read_table(TABLE).to_pandas()

    def read_columns(self, name: str, columns: list[str]) -> pa.Table:
        """Read some columns of a table."""
        if name in self._frames:
            return pa.Table.from_pandas(self._frames[name][columns], preserve_index=False)
        return self._folders[name].read_table(TABLE, columns)


def write_result(
    folder: DerivedFolder, params: Mapping[str, Any], inputs: Mapping[str, Any], given: TableResult
) -> dict[str, Any]:
    """Write what a stage gave, the manifest last, so that a result that was not finished is none; gives the manifest.

    What is read afterwards is the same as in any later run: facts that JSON would change are given as changed.
    """
    folder.write_table(TABLE, pa.Table.from_pandas(given.table, preserve_index=False))
    folder.write_table(DECISIONS, pa.Table.from_pandas(given.decisions, preserve_index=False))
    for name, data in given.files.items():
        folder.write(name, data)
    folder.write_manifest(
        {
            "stage": folder.stage,
            "key": folder.key,
            "params": dict(params),
            "inputs": dict(inputs),
            "rows_count": len(given.table),
            "decisions_count": len(given.decisions),
            "facts": dict(given.facts),
        }
    )
    manifest = folder.read_manifest()
    assert manifest is not None
    return manifest


def read_decisions(folder: DerivedFolder) -> pd.DataFrame:
    """Read the decisions of a finished stage."""
    return folder.read_table(DECISIONS).to_pandas()

"""Queries and gallery: buyers' photos of a part ask, every seller's photo answers, those of train included.

    retrieval.parquet   sample_id, role (`query` or `gallery`), split, label, is_clean, matches_count

`matches_count` of a query says how many gallery pictures show the same label: with none it can only miss.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

COLUMNS = ("sample_id", "role", "split", "label", "is_clean", "matches_count")
_ROLES = {"buyer": "query", "seller": "gallery"}


def retrieval_table(samples: pd.DataFrame) -> pd.DataFrame | None:
    """Lay out who asks and who answers; None where there are no buyers' or no sellers' photos.

    Args:
        samples: rows of samples.parquet.
    """
    role = samples["slot"].map(_ROLES)
    if not {"query", "gallery"} <= set(role.dropna()):
        return None
    table = samples.assign(role=role)[role.notna()]
    answers = table.loc[table["role"] == "gallery", "label"].value_counts()
    table["matches_count"] = table["label"].map(answers).fillna(0).astype("int64")
    return table[list(COLUMNS)].sort_values("sample_id", ignore_index=True)


def retrieval_facts(table: pd.DataFrame) -> dict[str, Any]:
    """Count the gallery, and per part all queries, clean ones, and those that nothing in the gallery matches."""
    queries = table[table["role"] == "query"]
    return {
        "gallery_count": int((table["role"] == "gallery").sum()),
        "queries": {
            str(part): {
                "queries_count": len(rows),
                "clean_count": int(rows["is_clean"].sum()),
                "unmatched_count": int((rows["matches_count"] == 0).sum()),
            }
            for part, rows in queries.groupby("split")
        },
    }

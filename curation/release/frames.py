"""The tables of a release: which samples go in, with what columns; equal frames become equal bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.recipe import Recipe
from catalog.release_format import NAME_COLUMN, SAMPLE_COLUMNS
from catalog.suppressions import Suppressions, normalised_name
from curation.candidates import images_alike
from curation.contract import Curated
from curation.release.layout import picture_path
from curation.release.nearest import quantised
from curation.stages.clean import NOISE_REASONS

WORK_COLUMNS = ("face_index", "organisation", "name", "cluster_id")
"""Columns that building needs beside SAMPLE_COLUMNS; they are not written (`name` only where the recipe says so)."""

_FLOATS = {"target"}
_INTEGERS = {"box_x0", "box_y0", "box_x1", "box_y1", "width_px", "height_px", "fold", "matches_count"}
_BOOLEANS = {"is_clean", "is_leaking_copy", "is_same"}


def released_samples(curated: Curated, suppressions: Suppressions) -> pd.DataFrame:
    """Select the samples of a release: kept, on a side, and not taken down.

    Returns:
        SAMPLE_COLUMNS without the picture's size, and WORK_COLUMNS; sorted by sample_id.

    Raises:
        UsageError: the recipe makes no splits.
    """
    if "splits" not in curated.tables:
        raise UsageError(f"recipe {curated.recipe.name}: a release needs [splits]")
    splits = curated.tables["splits"]
    frame = curated.kept().merge(splits[["sample_id", "split"]], on="sample_id", how="inner", validate="one_to_one")
    frame = frame[frame["split"].notna()]
    frame = frame[~_suppressed(frame, curated, suppressions)]
    frame = frame.merge(_group_ids(curated), on="sample_id", how="left", validate="one_to_one")
    frame["group_id"] = frame["group_id"].fillna(frame["subject_id"])
    hides_names = curated.recipe.subject_kind == "person" and not curated.recipe.release.get("names", False)
    frame["label"] = _released_labels(frame, hides_names=hides_names)
    frame["target"] = pd.to_numeric(frame["target"]).astype("float64")
    frame["is_clean"] = ~frame["sample_id"].isin(_kept_noise(curated.decisions))
    frame["cluster_id"] = _cluster_ids(frame["image_id"], curated.tables.get("duplicates"))
    frame["is_leaking_copy"] = _is_leaking_copy(frame)
    has_folders = "class_folders" in curated.recipe.release.get("exports", ())
    frame["path"] = [
        picture_path(split, label, sample_id, has_class_folders=has_folders)
        for split, label, sample_id in zip(frame["split"], frame["label"], frame["sample_id"], strict=True)
    ]
    columns = [name for name in SAMPLE_COLUMNS if name not in {"width_px", "height_px"}]
    return frame[[*columns, *WORK_COLUMNS]].sort_values("sample_id", ignore_index=True)


def released_splits(samples: pd.DataFrame, curated: Curated) -> pd.DataFrame:
    """Give sample_id, group_id, cluster_id, split and, where folds were made, fold."""
    frame = samples[["sample_id", "group_id", "cluster_id", "split"]]
    splits = curated.tables["splits"]
    if "fold" in splits:
        frame = frame.merge(splits[["sample_id", "fold"]], on="sample_id", how="left", validate="one_to_one")
    return frame.sort_values("sample_id", ignore_index=True)


def released_pairs(samples: pd.DataFrame, curated: Curated) -> pd.DataFrame | None:
    """Give the pairs whose two samples are in the release; None where the recipe draws none."""
    pairs = curated.tables.get("pairs")
    if pairs is None or not curated.recipe.pairs:
        return None
    known = set(samples["sample_id"])
    frame = pairs[pairs["sample_id_a"].isin(known) & pairs["sample_id_b"].isin(known)]
    columns = ["split", "sample_id_a", "sample_id_b", "is_same", *(["fold"] if "fold" in frame else [])]
    return frame[columns].sort_values(columns, ignore_index=True)


def embedding_rows(samples: pd.DataFrame, curated: Curated) -> NDArray[np.int8] | None:
    """Give the quantised embeddings of the samples' originals, (N, D); None where the recipe measures none."""
    signal = curated.signals.get("embedding")
    if signal is None or samples.empty:
        return None
    vectors = signal.set_index("image_id")["embedding"].reindex(samples["image_id"])
    return quantised(np.stack(vectors.to_list()).astype(np.float32))


def write_embeddings(samples: pd.DataFrame, embeddings: NDArray[np.int8], path: Path) -> None:
    """Write sample_id and embedding, a list of whole numbers: 127 times the vector of length 1."""
    values = pa.FixedSizeListArray.from_arrays(pa.array(embeddings.ravel(), pa.int8()), embeddings.shape[1])
    table = pa.table({"sample_id": pa.array(samples["sample_id"], pa.string()), "embedding": values})
    pq.write_table(table, path, compression="zstd", compression_level=3, row_group_size=65_536, version="2.6")


def sample_columns(*, has_names: bool) -> list[str]:
    """List the columns of samples.parquet in order."""
    return [*SAMPLE_COLUMNS, *([NAME_COLUMN] if has_names else [])]


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame so that equal frames give equal bytes: fixed types and compression, no pandas metadata."""
    fields = [(name, _arrow_type(name)) for name in frame.columns]
    columns = {
        name: pa.array(frame[name], type=kind, from_pandas=not pa.types.is_floating(kind)) for name, kind in fields
    }
    table = pa.table(columns, schema=pa.schema(fields))
    pq.write_table(table, path, compression="zstd", compression_level=3, row_group_size=65_536, version="2.6")


def json_value(text: str | None, key: str) -> str | None:
    """Read one value of an attributes column as text; None where it is missing or null."""
    value = json.loads(text or "{}").get(key)
    return None if value is None else str(value)


def _arrow_type(name: str) -> pa.DataType:
    if name in _FLOATS:
        return pa.float64()
    if name in _INTEGERS:
        return pa.int32()
    return pa.bool_() if name in _BOOLEANS else pa.string()


def _suppressed(frame: pd.DataFrame, curated: Curated, guard: Suppressions) -> pd.Series:
    alike: set[str] = set()
    if guard.looks and "hashes" in curated.signals:
        alike = images_alike(curated.signals["hashes"], guard)
    is_blocked = [
        guard.blocks_image(row["image_id"])
        or guard.blocks_subject(row["subject_id"])
        or guard.blocks_url(row["image_url"])
        or guard.blocks_url(row["page_url"])
        or guard.blocks_name(row["name"] if isinstance(row["name"], str) else None)
        or row["image_id"] in alike
        for row in frame[["image_id", "subject_id", "image_url", "page_url", "name"]].to_dict("records")
    ]
    return pd.Series(is_blocked, index=frame.index, dtype="bool")


def _group_ids(curated: Curated) -> pd.DataFrame:
    """Give what the split did not part."""
    splits = curated.tables["splits"]
    groups = splits if "group_id" in splits else curated.tables.get("groups")
    if groups is None:
        return pd.DataFrame({"sample_id": [], "group_id": []}, dtype="str")
    return groups[["sample_id", "group_id"]]


def _released_labels(frame: pd.DataFrame, *, hides_names: bool) -> list[str]:
    """Give the labels; where names are hidden, a label that is the person's name becomes the subject's id."""
    labels = []
    for label, name, subject_id in zip(frame["label"], frame["name"], frame["subject_id"], strict=True):
        text = label if isinstance(label, str) else ""
        is_name = bool(text) and isinstance(name, str) and _name_key(text) == _name_key(name)
        labels.append(str(subject_id) if is_name and hides_names else text)
    return labels


def _name_key(name: str) -> str:
    return normalised_name(name.replace("_", " "))


def _kept_noise(decisions: pd.DataFrame) -> pd.Series:
    is_kept = (decisions["stage"] == "noise") & (decisions["outcome"] == "keep")
    return decisions.loc[is_kept & decisions["reason"].isin(NOISE_REASONS), "sample_id"]


def _cluster_ids(image_ids: pd.Series, duplicates: pd.DataFrame | None) -> pd.Series:
    """Give the duplicate cluster of each image; one without copies is a cluster of its own."""
    clusters: dict[str, str] = {}
    if duplicates is not None:
        copies = duplicates[duplicates["is_copy"].astype("bool")]
        for side in ("image_id_a", "image_id_b"):
            clusters.update(zip(copies[side], copies["cluster_id"], strict=True))
    return pd.Series([clusters.get(image_id, image_id) for image_id in image_ids], index=image_ids.index, dtype="str")


def _is_leaking_copy(frame: pd.DataFrame) -> pd.Series:
    """Tell which samples have a copy on another side, as published splits may."""
    return frame.groupby("cluster_id")["split"].transform("nunique") > 1


def sides_to_keep(splits: pd.DataFrame, recipe: Recipe) -> list[tuple[str, str]]:
    """Say what later releases must keep of each sample: its split, or `fold <n>` where the folds are the parts."""
    if is_folded(recipe):
        return [(str(row.sample_id), f"fold {row.fold}") for row in splits.itertuples()]
    return list(zip(splits["sample_id"].astype("str"), splits["split"].astype("str"), strict=True))


def is_folded(recipe: Recipe) -> bool:
    """Tell whether a recipe's folds are its parts, rather than its splits."""
    kind = recipe.splits.get("kind")
    return kind == "kfold" or (kind == "leave_one_source_out" and not recipe.splits.get("test_source"))

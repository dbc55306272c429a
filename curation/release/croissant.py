"""Croissant metadata of a release (https://docs.mlcommons.org/croissant/), with the fields of its RAI vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from catalog.recipe import Recipe
from catalog.release_format import PAIRS, RETRIEVAL, SAMPLE_COLUMNS, SAMPLES, SPLITS

_CONTEXT: dict[str, Any] = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/", "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
    "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
    "samplingRate": "cr:samplingRate", "sc": "https://schema.org/", "separator": "cr:separator",
    "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
"""The context of Croissant 1.0, with `rai`."""

_TYPES = {
    "target": "sc:Float", "is_clean": "sc:Boolean", "is_leaking_copy": "sc:Boolean", "is_same": "sc:Boolean",
    **dict.fromkeys(("box_x0", "box_y0", "box_x1", "box_y1", "width_px", "height_px", "matches_count"), "sc:Integer"),
    "image_url": "sc:URL", "page_url": "sc:URL",
}  # fmt: skip
_TABLES: dict[str, dict[str, str]] = {
    SAMPLES: SAMPLE_COLUMNS,
    SPLITS: {"sample_id": "", "group_id": "no split parts it", "cluster_id": "copies share it", "split": ""},
    PAIRS: {"split": "", "sample_id_a": "", "sample_id_b": "", "is_same": "whether both show the same identity"},
    RETRIEVAL: {
        "sample_id": "", "role": "query or gallery", "split": "", "label": "", "is_clean": "",
        "matches_count": "gallery pictures of the label",
    },
}  # fmt: skip


def croissant_of(recipe: Recipe, samples: pd.DataFrame, files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Describe a release; the same content gives the same description, without date or version.

    Args:
        recipe: title, purpose and card texts.
        samples: the released rows.
        files: of the manifest: name -> sha256 and size_bytes.
    """
    tables = [name for name in _TABLES if name in files]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": recipe.name,
        "description": _text(recipe.purpose) or recipe.title,
        "alternateName": recipe.title,
        "license": _text(recipe.card.get("licence", "")) or "Rights remain with the owners of the pictures.",
        "url": str(recipe.card.get("url", f"urn:gleanery:{recipe.name}")),
        "citeAs": str(recipe.card.get("cite", recipe.title)),
        **_responsible(recipe, samples),
        "distribution": [
            *[
                {
                    "@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name,
                    "contentSize": f"{files[name]['size_bytes']} B", "encodingFormat": "application/x-parquet",
                    "sha256": files[name]["sha256"],
                }
                for name in tables
            ],
        ],
        "recordSet": [_record_set(name) for name in tables],
    }  # fmt: skip


def _responsible(recipe: Recipe, samples: pd.DataFrame) -> dict[str, Any]:
    """Give the fields of the RAI vocabulary."""
    is_person = recipe.subject_kind == "person"
    sources = ", ".join(sorted(samples["source"].unique()))
    facts = {
        "dataCollection": f"Pictures that stood on public pages or in folders: {sources}. Every row names page and "
        "address; robots.txt, noai, TDMRep and Content-Signal opt-outs were obeyed while collecting.",
        "dataCollectionType": ["Web Scraping", "Existing datasets"],
        "dataCollectionMissingData": "What was held back is counted with its reason in CARD.md.",
        "dataPreprocessingProtocol": [f"{stage}: {dict(params)}" for stage, params in sorted(recipe.stages.items())],
        "dataAnnotationProtocol": ["Labels are what the page or folder says; answers of reviewers stand in CARD.md."],
        "dataUseCases": [_text(recipe.purpose) or "Research."],
        "dataLimitations": [_text(recipe.card.get("limits", "Not stated."))],
        "dataBiases": [_text(recipe.card.get("biases", "The pictures are those that somebody chose to show."))],
        "dataSocialImpact": "Not to be used to identify, rank or decide about people.",
        "dataReleaseMaintenancePlan": "A takedown ends a release and issues a new version. "
        + _text(recipe.card.get("contact", "")),
    }
    if is_person:
        facts["personalSensitiveInformation"] = ["Pictures of people's faces; no names unless the recipe says so."]
    return {f"rai:{name}": value for name, value in facts.items()}


def _record_set(table: str) -> dict[str, Any]:
    name = table.removesuffix(".parquet")
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [
            {
                "@type": "cr:Field", "@id": f"{name}/{column}", "name": column, "description": meaning or column,
                "dataType": _TYPES.get(column, "sc:Text"),
                "source": {"fileObject": {"@id": table}, "extract": {"column": column}},
            }
            for column, meaning in _TABLES[table].items()
        ],
    }  # fmt: skip


def _text(value: Any) -> str:
    return " ".join(str(value).split())

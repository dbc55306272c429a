"""The certificate for people: CERTIFICATE.md, and certificate.html, one file that needs no other.

Both hold only what follows from the data: no time, no host.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from catalog.recipe import Recipe
from curation.release.markdown import inline, table
from curation.release.skew import skew_svg

_LABELS_SHOWN = 30
"""Identities may be thousands; certificate.json holds them all."""
_CONFLICTS_SHOWN = 20
_THUMBNAIL_PX = 112


def write_certificate_page(recipe: Recipe, certificate: Mapping[str, Any]) -> str:
    """Write the certificate as Markdown."""
    blocks = [f"# Certificate: {inline(recipe.title)}", f"**{verdict_line(certificate)}**", *_comparison(certificate)]
    if "folds" in certificate:
        blocks += ["# Folds", f"**{verdict_line(certificate['folds'])}**", *_comparison(certificate["folds"])]
    conflicts = conflict_rows(certificate)
    if conflicts:
        header = ["group", "keeps", "yields", "samples held back"]
        blocks.append("## Copies that joined two sides\n\n" + table(header, conflicts[:_CONFLICTS_SHOWN]))
    drawn, retrieval = pairs_table(certificate), retrieval_lines(certificate)
    blocks += [f"## {title}\n\n{text}" for title, text in (("Pairs", drawn), ("Retrieval", retrieval)) if text]
    blocks.append("## What was checked\n\n" + table(["", ""], checked_rows(certificate)))
    blocks.append("Check it again with `gleanery release verify`.\n")
    return "\n\n".join(blocks)


def write_certificate_html(recipe: Recipe, certificate: Mapping[str, Any], samples: pd.DataFrame, folder: Path) -> str:
    """Write the certificate as a page that needs no other file: the nearest pairs are shown side by side.

    Args:
        recipe: named in the heading.
        certificate: of `certify`, and what was checked.
        samples: sample_id and path of the released pictures.
        folder: that holds them.
    """
    paths = dict(zip(samples["sample_id"], samples["path"], strict=True))
    environment = Environment(
        loader=PackageLoader("curation.release"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("certificate.html").render(
        title=recipe.title,
        certificate=certificate,
        comparisons=[certificate, *([certificate["folds"]] if "folds" in certificate else [])],
        verdict_line=verdict_line,
        shown_classes=_shown_classes,
        checked=checked_rows(certificate),
        skew=skew_svg(certificate["skew"]) if "skew" in certificate else "",
        thumbnail=lambda sample_id: _thumbnail(folder / paths[sample_id]),
        conflicts_shown=_CONFLICTS_SHOWN,
    )


def verdict_line(certificate: Mapping[str, Any]) -> str:
    """Say the verdict in a sentence."""
    if certificate["is_leak_free"]:
        return "No leak between the parts."
    found = ", ".join(f"{count} {what}" for what, count in certificate["leaks"].items())
    return f"Leaks between the parts: {found}."


def pairs_table(certificate: Mapping[str, Any]) -> str:
    """Say how many verification pairs were drawn or read, and what there was less of than asked; empty without."""
    drawn = certificate.get("pairs_drawn")
    if not drawn:
        return ""
    header = list(next(iter(drawn.values())))
    text = table(["pairs", *header], [[part, *counts.values()] for part, counts in drawn.items()])
    short = [
        part
        for part, counts in drawn.items()
        if "asked_count" in counts
        and counts["same_count"] + counts["different_count"] < counts["asked_count"] // 2 * 2
    ]
    if short:
        text += f"\n\nFewer than asked for in {', '.join(short)}: the part holds no more different pairs of each kind."
    return text


def retrieval_lines(certificate: Mapping[str, Any]) -> str:
    """Say how many queries each part asks, and how large the gallery is; empty without queries."""
    facts = certificate.get("retrieval")
    if not facts:
        return ""
    header = ["queries", "all", "clean", "nothing in the gallery matches"]
    rows = [[part, *counts.values()] for part, counts in facts["queries"].items()]
    return f"Gallery: {facts['gallery_count']:,} sellers' photos of all parts.\n\n" + table(header, rows)


def conflict_rows(certificate: Mapping[str, Any]) -> list[list[Any]]:
    """List the groups that copies joined across two sides of an earlier release."""
    return [
        [conflict["group_id"], conflict["keeps"], conflict["yields"], conflict["samples_count"]]
        for conflict in certificate["conflicts"]
    ]


def checked_rows(certificate: Mapping[str, Any]) -> list[list[str]]:
    """Say on what data, and with what thresholds."""
    checked = certificate["checked"]
    rows = [
        ["recipe", checked["recipe"]],
        ["sources", ", ".join(checked["sources"])],
        ["samples", f"{checked['samples_count']:,}"],
        ["never parted", "a group" if checked["disjoint"] == "group" else "a picture and its copies"],
        ["names are compared within", certificate["name_scope"]],
    ]
    rows += [[f"groups: {name}", str(value)] for name, value in sorted(checked["grouped_by"].items())]
    copies = checked["copies"]
    rows += [[f"copies: {name}", str(value)] for name, value in sorted((copies or {}).items())]
    if copies is None:
        rows.append(["copies", "not looked for: only equal bytes and equal released pictures count"])
    rows += [[f"distance, {name}", text] for name, text in certificate["measures"].items()]
    return rows


def _comparison(certificate: Mapping[str, Any]) -> list[str]:
    """Write one comparison of parts as blocks of Markdown."""
    must, told = certificate["must_be_zero"], certificate["informative"]
    measures = sorted({name for pair in certificate["pairs"] for name in pair["nearest"]})
    pairs = [
        [" / ".join(pair["parts"]), *[pair["shared"][what] for what in (*must, *told)]]
        + [pair["nearest"][name]["distance"] for name in measures]
        for pair in certificate["pairs"]
    ]
    header = ["parts", *must, *[f"{what} (told only)" for what in told], *[f"nearest, {name}" for name in measures]]
    balance, parts = certificate["balance"], list(certificate["parts"])
    sizes = [
        [part, *certificate["parts"][part].values(), size["share_frac"], size["target_frac"] or "-"]
        for part, size in balance["sizes"].items()
    ]
    classes = [[label or "(none)", share, *shares] for label, share, shares in _shown_classes(certificate)]
    return [
        "## What two parts share\n\n" + table(header, pairs),
        "The nearest distances across parts are told, not judged.",
        "## Parts\n\n" + table(["part", "samples", "groups", "subjects", "share", "wanted"], sizes),
        *_optimum_lines(balance["optimum"]),
        f"## Balance\n\nLargest deviation of a class share: {balance['largest_class_deviation_frac']}"
        f" ({len(classes)} of {len(balance['whole_frac'])} classes shown)\n\n"
        + table(["class", "whole", *parts], classes),
    ]


def _optimum_lines(optimum: Mapping[str, Any] | None) -> list[str]:
    if optimum is None:
        return []
    return [
        f"Largest deviation from a wanted share (of {' and of each '.join(optimum['balanced'])}):"
        f" {optimum['largest_share_deviation_frac']}; no deal of these groups is nearer than"
        f" {optimum['least_possible_frac']}."
    ]


def _shown_classes(certificate: Mapping[str, Any]) -> list[tuple[str, float, list[float]]]:
    """The most frequent classes: label, share of the whole, share of each part."""
    balance = certificate["balance"]
    frequent = sorted(balance["whole_frac"].items(), key=lambda item: (-item[1], item[0]))[:_LABELS_SHOWN]
    return [
        (label, share, [balance["classes"][part][label]["share_frac"] for part in certificate["parts"]])
        for label, share in frequent
    ]


def _thumbnail(path: Path) -> str:
    """Give a small picture as a data address."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX), Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii")

"""A page that shows what was found, picture beside picture; self-contained, so that it can be mailed."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from PIL import Image

from catalog import files
from catalog.schema import REASONS
from curation.decisions import records
from curation.folder.audit import Audit, Told
from curation.folder.duplicates import Cluster
from curation.folder.pictures import FORBIDDEN, MISSING, Measured
from curation.stages.thumbnails import jpeg_bytes

_THUMB_PX = 176
_THUMB_QUALITY = 82
_SHOWN_MAX = 1000
"""Clusters shown per section: some 15 kB each. The JSON holds all."""
_MEMBERS_MAX = 24
_KINDS = {"bytes": "same bytes", "pixels": "same pixels", "near": "near copy"}
_VIEWS = {"mirror": "mirrored", "turn90": "turned by 90°", "turn180": "turned by 180°", "turn270": "turned by 270°"}
_FILE_REASONS = {MISSING: "there is no such file", FORBIDDEN: "the file cannot be read"}


@dataclass(frozen=True, slots=True)
class Section:
    """Clusters under one heading."""

    title: str
    hint: str
    clusters: Sequence[Told]


def write_audit_page(path: Path, title: str, audit: Audit, measured: Measured, *, with_sides: bool = True) -> None:
    """Write the page.

    Args:
        path: HTML file.
        title: heading.
        audit: what was found.
        measured: has the thumbnails.
        with_sides: whether splits and labels are spoken of.
    """
    page = _template().render(
        title=title,
        counts=audit.counts,
        audit=audit,
        with_sides=with_sides,
        sections=list(_sections(audit, with_sides=with_sides)),
        shown_max=_SHOWN_MAX,
        members_max=_MEMBERS_MAX,
        thumb=_Thumbs(measured),
        kinds=_KINDS,
        distances=_distances,
        reasons={**REASONS, **_FILE_REASONS},
        unread=sorted(audit.reasons.items())[:_SHOWN_MAX],
    )
    files.write_text(path, page)


def _surest_first(clusters: Iterable[Told]) -> list[Told]:
    """What nobody needs to look at twice comes first, what may be a mistake last."""
    return sorted(clusters, key=lambda told: (-told.cluster.copy_prob, told.cluster.members))


def _distances(cluster: Cluster) -> list[str]:
    """Say in words how far apart the members of a near cluster are."""
    if cluster.kind != "near":
        return []
    words = [
        f"certain to {100 * cluster.copy_prob:.1f} %",
        f"{100 * cluster.agreeing_frac:.0f} % of the detail agrees",
    ]
    if cluster.view:
        return [*words, _VIEWS[cluster.view]]
    return [*words, f"pHash differs in {cluster.phash_distance_bits} of 64 bits"]


def _sections(audit: Audit, *, with_sides: bool) -> Iterable[Section]:
    """Every cluster once, under the worst that can be said of it."""
    if not with_sides:
        yield Section("Duplicates", "", _surest_first(audit.clusters))
        return
    leaks = _surest_first(audit.leaks)
    conflicts = _surest_first(told for told in audit.conflicts if told not in leaks)
    rest = _surest_first(told for told in audit.clusters if told not in leaks and told not in conflicts)
    yield Section("Leaks", "One picture on several sides of the split: a score on one side knows the other.", leaks)
    yield Section("Label conflicts", "One picture under several labels, on one side.", conflicts)
    yield Section("Duplicates within one side and label", "They weigh more than once, but do not leak.", rest)


class _Thumbs:
    """Gives the thumbnail of a path as a data URI; empty where there is no picture."""

    def __init__(self, measured: Measured) -> None:
        frame = measured.signals["thumbnails"]
        self._jpegs = dict(zip(frame["image_id"], frame["jpeg"], strict=True))
        self._images = measured.listed.image_of
        decode = measured.signals["decode"]
        self._sizes = {row["image_id"]: row for row in records(decode)}

    def uri(self, path: str) -> str:
        """Small JPEG of a picture."""
        jpeg = self._jpegs.get(self._images.get(path, ""))
        if jpeg is None:
            return ""
        small = Image.open(io.BytesIO(jpeg))
        small.thumbnail((_THUMB_PX, _THUMB_PX))
        return "data:image/jpeg;base64," + base64.b64encode(jpeg_bytes(small, _THUMB_QUALITY)).decode()

    def facts(self, path: str) -> str:
        """Size of a picture in words."""
        size = self._sizes.get(self._images.get(path, ""))
        if size is None or not size["width_px"] > 0:
            return ""
        return f"{size['width_px']:.0f} × {size['height_px']:.0f} px, {size['size_bytes'] / 1000:.0f} kB"


def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("curation.folder"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")

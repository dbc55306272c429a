"""What a run shows on the dashboard: progress, tables, pages, pictures and links, as Prefect's artifacts.

Pictures are shown by address, from our own web app: Prefect's database never holds a pixel, so that what is taken
down is gone from the dashboard too.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from flows.progress import Progress, current_progress

if TYPE_CHECKING:
    from uuid import UUID

    import pandas as pd

_UPDATE_EVERY_S = 2.0
"""A progress artifact is a request to the server: seldom enough to cost nothing."""


def artifact_key(*parts: str) -> str:
    """Make a key as Prefect wants it: lower case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


def show_progress(key: str) -> Progress:
    """Give a function that moves a progress artifact of this key, and the bars of the context.

    One artifact is made for each thing that is told of, at its first word.
    """
    bars = current_progress()
    shown: dict[str, tuple[UUID, float]] = {}

    def show(what: str, done: int, total: int) -> None:
        bars(what, done, total)
        percent = 100.0 * min(done, total) / total if total else 100.0
        text = f"{what}: {done} of {total}"
        now_s = time.monotonic()
        if what not in shown:
            made = create_progress_artifact(percent, key=artifact_key(key, "progress"), description=text)
            artifact = cast("UUID", made)
            shown[what] = (artifact, now_s)
        elif percent >= 100.0 or now_s - shown[what][1] >= _UPDATE_EVERY_S:
            artifact = shown[what][0]
            update_progress_artifact(artifact, percent, description=text)
            shown[what] = (artifact, now_s)

    return show


def show_rows(key: str, rows: Sequence[Mapping[str, Any]], description: str) -> None:
    """Show records as a table."""
    # Prefect stores the table as JSON: plain values only.
    plain = json.loads(json.dumps([dict(row) for row in rows], default=str))
    create_table_artifact(table=plain, key=key, description=description)


def show_frame(key: str, frame: pd.DataFrame, description: str) -> None:
    """Show a frame as a table."""
    show_rows(key, frame.to_dict("records"), description)  # type: ignore[arg-type]


def show_link(key: str, address: str, text: str, description: str) -> None:
    """Show a link."""
    create_link_artifact(key=key, link=address, link_text=text, description=description)


def show_picture(key: str, address: str, description: str) -> None:
    """Show a picture that our web app serves."""
    create_image_artifact(image_url=address, key=key, description=description)


def show_page(key: str, markdown: str, description: str) -> None:
    """Show a page of Markdown: a certificate, a card."""
    create_markdown_artifact(key=key, markdown=markdown, description=description)

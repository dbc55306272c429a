"""What a run shows on the dashboard: tables, certificates and links, as Prefect's artifacts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

if TYPE_CHECKING:
    import pandas as pd


def artifact_key(*parts: str) -> str:
    """Make a key as Prefect wants it: lower case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


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


def show_page(key: str, markdown: str, description: str) -> None:
    """Show a page of Markdown: a certificate, a card."""
    create_markdown_artifact(key=key, markdown=markdown, description=description)

"""Refuses to train on a person's inner trait where the release does not say what that is for."""

from __future__ import annotations

import re

from catalog.errors import GateFailed
from catalog.release_format import CARD, Release

PURPOSE_HEADING = re.compile(r"^#+\s*purpose\b.*?$\n(.*?)(?=^#|\Z)", re.IGNORECASE | re.MULTILINE | re.DOTALL)
MIN_WORDS = 10
"""Fewer explain nothing; the purpose of the shipped recipe `majors` has fifty."""


def release_purpose(release: Release) -> str:
    """Read what a release is for: `purpose` of its manifest, else the section "Purpose" of its card; may be empty."""
    stated = str(release.manifest.get("purpose", "")).strip()
    card = release.folder / CARD
    if stated or not card.exists():
        return stated
    found = PURPOSE_HEADING.search(card.read_text(encoding="utf-8"))
    return found.group(1).strip() if found else ""


def check_purpose(release: Release, is_inner_trait: bool) -> None:
    """Let a label that is a person's inner trait pass only with an explained purpose.

    Raises:
        GateFailed: the release does not explain it.
    """
    words = len(release_purpose(release).split())
    if is_inner_trait and words < MIN_WORDS:
        raise GateFailed(
            f"release {release.recipe}@{release.version}: its label is a person's inner trait, and neither "
            f"manifest nor {CARD} explains the purpose (expected {MIN_WORDS} words, found {words}); write `purpose` "
            "into the recipe, or set is_inner_trait=false where the label is none"
        )

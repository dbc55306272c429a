"""Fixtures of all tests."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

# A deadline would time the machine, not the code: the first example may import what takes longer than all others.
hypothesis.settings.register_profile("gleanery", deadline=None)
hypothesis.settings.load_profile("gleanery")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real pages and pictures; tests that need it are skipped, with the reason, where it is missing."""
    folder = Path(os.environ.get("GLEANERY_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real pages and pictures at {folder} (set GLEANERY_SHARED_DATA)")
    return folder

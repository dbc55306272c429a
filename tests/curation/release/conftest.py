from __future__ import annotations

import pytest

from tests.curation.handmade import make_world


@pytest.fixture
def world(tmp_path):
    made = make_world(tmp_path)
    yield made
    made.catalog.close()

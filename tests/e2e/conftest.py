"""A command line in a data root and on ports of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.command_line import CommandLine, command_line


@pytest.fixture(scope="module")
def gleanery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    line = command_line(tmp_path_factory.mktemp("root"))
    yield line
    line.run("down")

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.config import config_environment, load_config
from catalog.errors import UsageError


def test_the_command_line_wins_over_environment_over_file(tmp_path: Path) -> None:
    (tmp_path / "gleanery.toml").write_text('root = "from-file"\nworkers = 3\ncontact = "file"\n')
    environment = {"GLEANERY_ROOT": "from-environment", "GLEANERY_WORKERS": "4", "OTHER": "x"}
    config = load_config(environment, tmp_path, {"root": "from-command", "contact": None})
    assert (config.root, config.workers, config.contact) == (Path("from-command"), 4, "file")


def test_defaults_need_no_file(tmp_path: Path) -> None:
    config = load_config({}, tmp_path)
    assert config.catalog_url.startswith("sqlite:///")
    assert config.prefect_host == "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "words"), [("wrokers = 1", "wrokers"), ('workers = "many"', "whole number"), ("root = [", "not TOML")]
)
def test_a_bad_file_is_a_usage_error_that_names_the_spot(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "gleanery.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        load_config({}, tmp_path)


def test_a_child_reads_the_same_settings(tmp_path: Path) -> None:
    config = load_config({}, tmp_path, {"root": str(tmp_path / "r"), "workers": 2, "contact": "a@b"})
    assert load_config(config_environment(config), tmp_path) == config

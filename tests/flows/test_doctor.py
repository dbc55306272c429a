from __future__ import annotations

import socket
from pathlib import Path

from catalog.config import Config
from flows.doctor import diagnose
from flows.services import prefect_home


def _state(config: Config, name: str) -> tuple[str, str]:
    (check,) = [check for check in diagnose(config) if check.name == name]
    return check.state, check.remedy


def test_a_taken_port_is_found_with_its_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        state, remedy = _state(Config(root=tmp_path, web_port=taken.getsockname()[1]), "web_port")
    assert state == "broken"
    assert "GLEANERY_WEB_PORT" in remedy


def test_a_missing_browser_is_no_failure_but_is_told_with_a_remedy(tmp_path: Path) -> None:
    state, remedy = _state(Config(root=tmp_path, chromium=str(tmp_path / "nothing")), "chromium")
    assert state == "absent"
    assert "apt-get install chromium" in remedy


def test_a_database_that_cannot_be_opened_is_broken(tmp_path: Path) -> None:
    assert _state(Config(root=tmp_path, database_url="mysql://nowhere/x"), "catalog")[0] == "broken"


def test_events_that_the_flow_server_gave_up_on_are_told(tmp_path: Path) -> None:
    config = Config(root=tmp_path)
    assert _state(config, "events")[0] == "ok"
    # Where Prefect's own broker puts what it cannot deliver.
    folder = prefect_home(config) / "dlq"
    folder.mkdir(parents=True)
    (folder / "0.json").write_text("{}")
    state, remedy = _state(config, "events")
    assert state == "broken"
    assert str(folder) in remedy


def test_looking_changes_nothing(tmp_path: Path) -> None:
    diagnose(Config(root=tmp_path / "none-yet"))
    assert list(tmp_path.iterdir()) == []

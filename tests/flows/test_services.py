from __future__ import annotations

import socket
from pathlib import Path

import pytest

from catalog.config import Config, load_config
from catalog.errors import UsageError
from flows.services import Addresses, load_state, port_is_free, run_services, service_environment, stop_services


def test_listening_beyond_loopback_needs_an_auth_string(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="auth"):
        service_environment(Config(root=tmp_path, prefect_host="0.0.0.0"))
    environment = service_environment(Config(root=tmp_path, prefect_host="0.0.0.0", auth="a:b"))
    assert environment["PREFECT_SERVER_API_AUTH_STRING"] == "a:b"


def test_children_read_our_settings_and_phone_nobody(tmp_path: Path) -> None:
    config = Config(root=tmp_path / "r", prefect_port=4999, workers=2)
    environment = service_environment(config)
    assert load_config(environment, tmp_path) == config
    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environment["DO_NOT_TRACK"] == "1"
    assert environment["PREFECT_API_URL"] == "http://127.0.0.1:4999/api"
    assert Addresses.of(config).dashboard == "http://127.0.0.1:4999"


def test_a_taken_port_is_named_with_the_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not port_is_free("127.0.0.1", port)
        with pytest.raises(UsageError, match=f"port {port} .*GLEANERY_PREFECT_PORT"):
            run_services(Config(root=tmp_path, prefect_port=port))


def test_stopping_nothing_says_so(tmp_path: Path) -> None:
    config = Config(root=tmp_path)
    assert load_state(config) is None
    assert not stop_services(config)

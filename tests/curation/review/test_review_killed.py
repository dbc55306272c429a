"""A review server that is killed between two answers has lost none of those it confirmed."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from catalog.db import Catalog
from curation.verdicts import load_standing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
SERVER = """
import sys, uvicorn
from pathlib import Path
from tests.curation.handmade import make_world
from tests.curation.review.serving import review_app
world = make_world(Path(sys.argv[1]))
uvicorn.run(review_app(world), host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_killed_server_has_lost_no_confirmed_answer(tmp_path):
    def start(port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", SERVER, str(tmp_path), str(port)]
        server = subprocess.Popen(command, cwd=Path(__file__).parents[3])
        deadline = time.monotonic() + 90
        while True:
            try:
                requests.get(f"http://127.0.0.1:{port}/api", timeout=5)
                return server
            except requests.ConnectionError:
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)

    confirmed: dict[str, str] = {}
    for life in range(2):
        port = free_port()
        server = start(port)
        api = f"http://127.0.0.1:{port}/api/garments/noise"
        try:
            open_now = [card["target_id"] for card in requests.get(api, timeout=20).json()["cards"]]
            assert not set(open_now) & set(confirmed)
            answers = {target: ("good", "noise")[n % 2] for n, target in enumerate(open_now[:5])}
            body = {
                "batch_id": f"life {life}",
                "reviewer": "ana",
                "answers": [{"target_id": target, "answer": answer} for target, answer in answers.items()],
            }
            requests.post(f"{api}/answers", json=body, timeout=20).raise_for_status()
            confirmed |= answers
        finally:
            server.kill()
            server.wait()
    with Catalog(f"sqlite:///{tmp_path / 'catalog.db'}") as catalog:
        standing = load_standing(catalog)
    assert dict(zip(standing["target_id"], standing["answer"], strict=True)) == confirmed
    assert len(confirmed) == 10

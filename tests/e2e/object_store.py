"""An S3 server on loopback, for tests that keep blobs and derived results there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sampleweb.server import free_port

BUCKET = "gleanery"


@pytest.fixture(scope="module")
def object_store() -> Iterator[dict[str, str]]:
    """A server with an empty bucket; gives the variables by which it is found."""
    pytest.importorskip("s3fs", reason="the extra s3 is not installed")
    moto = pytest.importorskip("moto.server", reason="moto is not installed")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    found = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    # moto keeps objects per process: another module's server left its own here.
    requests.post(f"{found['AWS_ENDPOINT_URL']}/moto-api/reset", timeout=10).raise_for_status()
    _client(found).create_bucket(Bucket=BUCKET)
    yield found
    server.stop()


def _client(store: dict[str, str]) -> Any:
    import boto3

    return boto3.client(
        "s3", endpoint_url=store["AWS_ENDPOINT_URL"], aws_access_key_id="test", aws_secret_access_key="test",
        region_name="us-east-1",
    )  # fmt: skip


def objects(store: dict[str, str], prefix: str = "") -> list[str]:
    """Names of all objects under a prefix."""
    pages = _client(store).get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [row["Key"] for page in pages for row in page.get("Contents", [])]


def copy_objects(store: dict[str, str], folder: Path) -> None:
    """Write every object as a file, to be searched."""
    for key in objects(store):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_client(store).get_object(Bucket=BUCKET, Key=key)["Body"].read())

"""The web app: review pages, release and training results, behind one address on loopback.

`python -m flows.web` is what `gleanery up` runs.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, PlainTextResponse
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from catalog.config import Config, load_config
from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ids import is_image_id
from catalog.paths import DataRoot
from curation.contract import Curated
from curation.review.app import create_app
from flows import steps
from flows.services import is_loopback

_SHOWN_SUFFIXES = {".html", ".json", ".md", ".png", ".csv", ".jpg"}
"""What may be read of runs and releases through the web: no checkpoints, no databases."""


def build_app(config: Config, hosts: Sequence[str] = (), token: str = "") -> FastAPI:
    """Mount the apps into one: review at `/`, `/runs/...` and `/releases/...` as files, `/health`.

    Args:
        config: settings.
        hosts: host names under which others reach it, beside loopback.
        token: what others must show.
    """
    app = FastAPI(title="Gleanery", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    def health() -> PlainTextResponse:
        return PlainTextResponse("ok")

    for name, folder in (("runs", config.data_root.runs), ("releases", config.data_root.releases)):
        _serve_files(app, name, folder)

    def load_curated(recipe: str) -> Curated:
        # Inline: a page must not start worker processes; a flow has measured what there is.
        return steps.curate_recipe(dataclasses.replace(config, executor="inline"), recipe)

    def tell(recipe: str, picture: str) -> dict[str, Any]:
        if not is_image_id(picture):
            raise UsageError(f"expected the id of a picture or a sample, 64 hex digits, found {picture[:80]!r}")
        return steps.tell_lineage(dataclasses.replace(config, executor="inline"), recipe, picture)

    def make_review() -> FastAPI:
        return create_app(
            open_catalog=lambda: Catalog(config.catalog_url),
            recipes=lambda: _recipes_with_gates(config),
            load_curated=load_curated,
            read_blob=steps.blob_store(config).get,
            now=steps.utc_now,
            new_batch_id=lambda: secrets.token_hex(8),
            hosts=hosts,
            token=token,
            story=tell,
        )

    app.mount("/", _FreshAfterTakedowns(make_review, config.data_root))
    return app


class _FreshAfterTakedowns:
    """The review app, made anew once a takedown is done: what it holds in memory may show who has gone."""

    def __init__(self, make: Callable[[], FastAPI], root: DataRoot) -> None:
        self._make, self._folder = make, root.takedowns / "receipts"
        self._stamp, self._app = self._seen(), make()

    @property
    def routes(self) -> list[BaseRoute]:
        """Of the app inside: addresses of its pages are looked up through the one outside."""
        return self._app.routes

    def _seen(self) -> int:
        return self._folder.stat().st_mtime_ns if self._folder.exists() else 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._seen() != self._stamp:
            self._stamp, self._app = self._seen(), self._make()
        await self._app(scope, receive, send)


def _serve_files(app: FastAPI, name: str, folder: Path) -> None:
    root = folder.resolve()

    @app.get(f"/{name}/{{path:path}}", name=name)
    def file(path: str) -> FileResponse:
        found = (root / path).resolve()
        if not found.is_relative_to(root) or found.suffix not in _SHOWN_SUFFIXES or not found.is_file():
            raise HTTPException(404, "no such file")
        return FileResponse(found, headers={"X-Content-Type-Options": "nosniff"})


def _recipes_with_gates(config: Config) -> list[str]:
    """Names of the recipes that ask people anything."""
    from catalog.recipe import SHIPPED

    folders = (config.data_root.recipes, *SHIPPED)
    names = sorted({path.stem for folder in folders for path in folder.glob("*.toml")})
    return [name for name in names if steps.recipe_named(config, name).gates]


def serve(config: Config, host: str = "127.0.0.1") -> None:
    """Serve until SIGTERM or Ctrl-C."""
    hosts = [] if is_loopback(host) else [host]
    if hosts and not config.auth:
        raise UsageError(f"to listen on {host} set auth = 'user:password': its password is the reviewers' token")
    app = build_app(config, hosts, config.auth.partition(":")[2] if hosts else "")
    uvicorn.run(app, host=host, port=config.web_port, log_level="warning", access_log=False)


if __name__ == "__main__":
    settings = load_config(os.environ)
    serve(settings, settings.prefect_host)

"""The web app: review pages, release and training results, behind one address on loopback.

`python -m flows.web` is what `gleanery up` runs.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from catalog import tables
from catalog.clock import utc_now
from catalog.config import Config, load_config
from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ids import is_image_id
from catalog.paths import DataRoot
from catalog.recipe import Recipe
from catalog.schema import REASONS
from curation.review.app import Guard, create_app
from flows import models, sheets, steps
from flows.photos import photo_for_model
from flows.services import is_loopback

_SHOWN_SUFFIXES = {".html", ".json", ".md", ".png", ".csv", ".jpg"}
"""What may be read of runs and releases through the web: no checkpoints, no databases."""


def build_app(config: Config, hosts: Sequence[str] = (), token: str = "") -> FastAPI:
    """Mount the apps into one: review at `/`, models to try at `/models`, runs and releases as files, `/health`.

    Args:
        config: settings.
        hosts: host names under which others reach it, beside loopback.
        token: what others must show.
    """
    app = FastAPI(title="Gleanery", docs_url=None, redoc_url=None, openapi_url=None)
    guard = Guard(frozenset(hosts), token)

    @app.middleware("http")
    async def protect(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        is_open = request.url.path == "/health"  # says nothing but that the app is there
        return (None if is_open else guard.refuse(request)) or await call_next(request)

    @app.get("/health")
    def health() -> PlainTextResponse:
        return PlainTextResponse("ok")

    for name, folder in (("runs", config.data_root.runs), ("releases", config.data_root.releases)):
        _serve_files(app, name, folder)

    _serve_sheets(app, config)

    def tell(recipe: str, picture: str) -> dict[str, Any]:
        if not is_image_id(picture):
            raise UsageError(f"expected the id of a picture or a sample, 64 hex digits, found {picture[:80]!r}")
        return steps.tell_lineage(dataclasses.replace(config, executor="inline"), recipe, picture)

    def make_review() -> FastAPI:
        return create_app(
            open_catalog=lambda: Catalog(config.catalog_url),
            recipes=lambda: _recipes(config),
            load_curated=lambda recipe: steps.curate_measured(config, recipe),
            read_blob=steps.blob_store(config).get,
            now=utc_now,
            new_batch_id=lambda: secrets.token_hex(8),
            hosts=hosts,
            token=token,
            story=tell,
        )

    app.mount("/models", _models_app(config, hosts, token))
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


def _models_app(config: Config, hosts: Sequence[str], token: str) -> FastAPI:
    from training.app import create_app as create_models_app

    return create_models_app(
        root=config.data_root,
        photo_for_model=lambda model, body: photo_for_model(config, model, body),
        release_of=lambda folder: models.searched_release(config, folder),
        in_words=models.in_words,
        hosts=hosts,
        token=token,
    )


def _serve_files(app: FastAPI, name: str, folder: Path) -> None:
    root = folder.resolve()

    @app.get(f"/{name}/{{path:path}}", name=name)
    def file(path: str) -> FileResponse:
        found = (root / path).resolve()
        if not found.is_relative_to(root) or found.suffix not in _SHOWN_SUFFIXES or not found.is_file():
            raise HTTPException(404, "no such file")
        return FileResponse(found, headers={"X-Content-Type-Options": "nosniff"})


def _serve_sheets(app: FastAPI, config: Config) -> None:
    """Serve contact sheets: a page of all of a recipe, and each as a picture, drawn when it is asked for."""
    blobs = steps.blob_store(config)

    def index_of(recipe: str) -> dict[str, list[str]]:
        if recipe not in steps.recipe_names(config):
            raise HTTPException(404, "no such recipe")
        return sheets.read_index(config, recipe)

    @app.get("/sheets/{recipe}")
    def page(recipe: str) -> HTMLResponse:
        rows = [
            f"<h2>{name}</h2><p>{REASONS.get(name, '')}</p><img loading=lazy alt='{name}' src='{recipe}/{name}.jpg'>"
            for name in index_of(recipe)
        ]
        text = "".join(rows) or "<p>Nothing yet: run the flow curate.</p>"
        style = "body{font-family:sans-serif;margin:2rem}img{max-width:100%}"
        return HTMLResponse(f"<!doctype html><title>{recipe}</title><style>{style}</style><h1>{recipe}</h1>{text}")

    @app.get("/sheets/{recipe}/{name}.jpg")
    def sheet(recipe: str, name: str) -> Response:
        image_ids = index_of(recipe).get(name)
        if image_ids is None:
            raise HTTPException(404, "no such sheet")
        # Not kept by the browser: a picture that was taken down must be gone at the next look.
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return Response(sheets.draw_sheet(image_ids, blobs.get), media_type="image/jpeg", headers=headers)


def _recipes(config: Config) -> list[str]:
    """Names of the recipes that ask people anything, or for which something was collected."""
    names = steps.recipe_names(config)
    with Catalog(config.catalog_url) as catalog:
        sources = set(catalog.frame(tables.runs)["source"])

    def is_shown(recipe: Recipe) -> bool:
        return bool(recipe.gates) or any(recipe.matches_source(source) for source in sources)

    return [name for name in names if is_shown(steps.recipe_named(config, name))]


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

"""Pages on which a person tries a finished model: a score for a photo, one person or two, the items that it may show.

Nothing that is sent is kept. Everything on a page comes from this app, under a strict Content-Security-Policy; photos
are accepted from the app's own pages only, under a host name that is known, and, where a token is set, with it.
"""

from __future__ import annotations

import base64
import hmac
import io
import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import numpy as np
from fastapi import FastAPI, File, Request, Response, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from numpy.typing import NDArray
from PIL import Image

from catalog.errors import UsageError
from catalog.paths import DataRoot
from catalog.release_format import Release
from training.evaluate import find_model
from training.find import Finder
from training.finished import read_model_config
from training.predict import Predictor

HERE = Path(__file__).parent
PHOTO_BYTES_MAX = 25_000_000
SHOWN_PX = 220
FOUND_COUNT = 12
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' data:; style-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_TOKEN_COOKIE = "gleanery_token"  # noqa: S105 -- the name that the review pages set, not a secret
_QUESTIONS = {
    "classification": ("Which class?", 1),
    "regression": ("Which number?", 1),
    "verification": ("Is it the same person?", 2),
    "metric": ("Which item is it?", 1),
}
"""Per task what a page asks, and how many photos it takes."""

Photo = Annotated[list[UploadFile], File()]


def create_app(
    *,
    root: DataRoot,
    photo_for_model: Callable[[Mapping[str, Any], bytes], NDArray[np.uint8]],
    release_of: Callable[[Path], Release],
    in_words: Callable[[Mapping[str, Any]], Mapping[str, str]],
    hosts: Sequence[str] = (),
    token: str = "",
) -> FastAPI:
    """Make the app, to be mounted under a path of another.

    Args:
        root: where the models are.
        photo_for_model: config.json of a model and a photo's bytes -> the photo cut as the model wants it; raises
            UsageError.
        release_of: folder of a metric model -> the release to search; raises UsageError.
        in_words: an answer (see `Task.describe`) as names and texts.
        hosts: host names under which others reach the app, beside loopback.
        token: what others must show.
    """
    app = FastAPI(title="Gleanery models", docs_url=None, redoc_url=None, openapi_url=None)
    templates = Jinja2Templates(directory=HERE / "templates" / "app")
    predictor = lru_cache(maxsize=8)(Predictor)
    finder = lru_cache(maxsize=4)(lambda folder: Finder(folder, release_of(folder), root))

    @app.middleware("http")
    async def protect(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = _refuse(request, hosts, token) or await call_next(request)
        response.headers.update(SECURITY_HEADERS)
        return response

    @app.exception_handler(UsageError)
    async def explain(request: Request, error: UsageError) -> Response:
        return templates.TemplateResponse(request, "problem.html", {"problem": str(error)}, status_code=422)

    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")

    @app.get("/", name="models", response_class=HTMLResponse)
    def models(request: Request) -> Response:
        return templates.TemplateResponse(request, "models.html", {"models": list_models(root)})

    @app.get("/{run}", name="ask", response_class=HTMLResponse)
    def ask(request: Request, run: str) -> Response:
        return templates.TemplateResponse(request, "ask.html", _question(find_model(root, run)))

    @app.post("/{run}", name="answer", response_class=HTMLResponse)
    def answer(request: Request, run: str, photo: Photo) -> Response:
        folder = find_model(root, run)
        page = _question(folder)
        bodies = [_read(each) for each in photo]
        if len(bodies) != page["photo_count"]:
            raise UsageError(f"this model takes {page['photo_count']} photos, {len(bodies)} came")
        config = read_model_config(folder)
        images = [photo_for_model(config, body) for body in bodies]
        page["photos"] = [_data_uri(image) for image in images]
        if folder.parent.name == "metric":
            page["found"] = finder(folder).find(images[0], FOUND_COUNT)
        elif len(images) == 2:
            page["answer"] = in_words(predictor(folder).predict_pair(*images))
        else:
            page["answer"] = in_words(predictor(folder).predict(images[0]))
        return templates.TemplateResponse(request, "ask.html", page)

    @app.get("/{run}/pictures/{sample_id}", name="picture")
    def picture(run: str, sample_id: str) -> Response:
        path = finder(find_model(root, run)).picture(sample_id)
        return FileResponse(path) if path else JSONResponse({"error": "no such picture"}, status_code=404)

    return app


def list_models(root: DataRoot) -> list[dict[str, Any]]:
    """List the finished models, newest first: run, task, release, and the headline figure of the test part."""
    rows = []
    for path in sorted(root.models.glob("*/*/config.json"), key=lambda path: -path.stat().st_mtime_ns):
        task = path.parent.parent.name
        metrics = root.runs / task / path.parent.name / "metrics.json"
        if task in _QUESTIONS and metrics.exists():
            parts = json.loads(metrics.read_text(encoding="utf-8"))["parts"]
            rows.append(_question(path.parent) | {"figures": _headline(parts.get("test") or parts["validation"])})
    return rows


def _headline(measures: Mapping[str, Any]) -> str:
    for name, text in (("accuracy", "accuracy"), ("pearson", "correlation"), ("recall_at_1", "R@1")):
        if name in measures:
            return f"{text} {measures[name]:.3f}"
    return ""


def _question(folder: Path) -> dict[str, Any]:
    config = read_model_config(folder)
    task = folder.parent.name
    question, photo_count = _QUESTIONS[task]
    release = f"{config['release']['recipe']}@{config['release']['version']}"
    return {"run": folder.name, "task": task, "release": release, "question": question, "photo_count": photo_count}


def _read(upload: UploadFile) -> bytes:
    body = upload.file.read(PHOTO_BYTES_MAX + 1)
    if not body or len(body) > PHOTO_BYTES_MAX:
        raise UsageError(f"expected a photo of at most {PHOTO_BYTES_MAX // 1_000_000} MB")
    return body


def _data_uri(rgb: NDArray[np.uint8]) -> str:
    image = Image.fromarray(rgb)
    image.thumbnail((SHOWN_PX, SHOWN_PX))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _refuse(request: Request, hosts: Sequence[str], token: str) -> Response | None:
    """Answer a request that must not go on; None where it may."""
    host = request.url.hostname or ""
    if host not in hosts and not _is_loopback(host):
        return JSONResponse({"error": f"unknown host {host[:80]!r}"}, status_code=400)
    origin = request.headers.get("origin")
    is_own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    is_own &= request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    if request.method not in {"GET", "HEAD"} and not is_own:
        return JSONResponse({"error": "expected a photo from a page of this app"}, status_code=403)
    if int(request.headers.get("content-length") or 0) > 2 * PHOTO_BYTES_MAX + 10_000:
        return JSONResponse({"error": "too large"}, status_code=413)
    shown = request.cookies.get(_TOKEN_COOKIE) or request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and not hmac.compare_digest(shown.encode(), token.encode()):
        return JSONResponse({"error": "open the review page by the link that holds your token first"}, status_code=401)
    return None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""The review pages: a local web app over `board` and `answers`.

Everything on a page comes from this app, under a strict Content-Security-Policy. Answers are accepted as JSON from
the app's own pages only (or from programs that are no browser), under a host name that is known, and, where a token
is set, with that token. Every page has a JSON twin under `/api`.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ids import is_image_id
from curation.contract import Curated
from curation.release.pictures import fit_jpeg
from curation.review.agreement import disagreements, mean_kappa, pair_agreements
from curation.review.answers import Batch, checked_reviewer, save_answers, undo_last
from curation.review.board import Board, Boards, Page
from curation.review.lineage_page import Story, lineage_router
from curation.review.progress import people, read_given

HERE = Path(__file__).parent
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PICTURE_CACHE = {"Cache-Control": "private, max-age=3600"}
"""An hour, not for ever: a takedown must reach the browsers of reviewers too."""
_TOKEN_COOKIE, _REVIEWER_COOKIE = "gleanery_token", "gleanery_reviewer"
_DEFAULT_REVIEWER = "reviewer"
_LARGE_PX = 1024
_LOOK_MAX_PIXELS = 80_000_000
_DURATION_MAX_S = 600.0
"""A page that stood open for longer says nothing about the pace."""


class AnswerBody(BaseModel):
    """One answer of a saved page."""

    model_config = ConfigDict(extra="forbid")
    target_id: str = Field(max_length=64)
    answer: str = Field(max_length=40)


class SaveBody(BaseModel):
    """A saved page."""

    model_config = ConfigDict(extra="forbid")
    batch_id: str = Field(min_length=1, max_length=64)
    reviewer: str = Field(max_length=200)
    answers: list[AnswerBody] = Field(min_length=1, max_length=500)
    duration_s: float | None = Field(default=None, ge=0)


class UndoBody(BaseModel):
    """Whose last page is taken back."""

    model_config = ConfigDict(extra="forbid")
    reviewer: str = Field(max_length=200)


def create_app(
    *,
    open_catalog: Callable[[], Catalog],
    recipes: Callable[[], Sequence[str]],
    load_curated: Callable[[str], Curated],
    read_blob: Callable[[str], bytes],
    now: Callable[[], str],
    new_batch_id: Callable[[], str],
    hosts: Sequence[str] = (),
    token: str = "",
    story: Story | None = None,
) -> FastAPI:
    """Make the app; it may also be mounted under a path of another.

    Args:
        open_catalog: called once, at the first request.
        recipes: names of the recipes to show.
        load_curated: recipe's name -> its latest curation; raises UsageError where there is none.
        read_blob: image id -> original bytes, for the large view; raises KeyError.
        now: UTC ISO 8601 with Z.
        new_batch_id: gives a text that was never given before.
        hosts: host names under which others reach the app, beside loopback.
        token: what others must show.
        story: tells a picture's lineage; None leaves those pages out.

    Raises:
        UsageError: there are `hosts` but no token.
    """
    if hosts and not token:
        raise UsageError("review: listening beyond loopback needs a token")
    app = FastAPI(title="Gleanery review", docs_url=None, redoc_url=None, openapi_url=None)
    review = _Review(open_catalog, recipes, Boards(load_curated), read_blob, now, new_batch_id)
    guard = Guard(frozenset(hosts), token)

    @app.middleware("http")
    async def protect(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = guard.refuse(request) or await call_next(request)
        response.headers.update(SECURITY_HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.exception_handler(UsageError)
    async def explain(request: Request, error: UsageError) -> Response:
        status = 404 if request.method == "GET" else 422
        return JSONResponse({"error": str(error)}, status_code=status)

    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    if story is not None:  # before the routes that take any recipe's name
        app.include_router(lineage_router(story, review.boards.thumbnail, review.templates))
    _add_pages(app, review, token)
    _add_api(app, review)
    return app


class _Review:
    """What the routes share."""

    def __init__(
        self,
        open_catalog: Callable[[], Catalog],
        recipes: Callable[[], Sequence[str]],
        boards: Boards,
        read_blob: Callable[[str], bytes],
        now: Callable[[], str],
        new_batch_id: Callable[[], str],
    ) -> None:
        self._open_catalog = open_catalog
        self._catalog: Catalog | None = None
        self._recipes = recipes
        self.boards = boards
        self.read_blob = read_blob
        self.now = now
        self.new_batch_id = new_batch_id
        self.templates = Jinja2Templates(directory=HERE / "templates")

    @property
    def catalog(self) -> Catalog:
        if self._catalog is None:
            self._catalog = self._open_catalog()
        return self._catalog

    def check(self, recipe: str) -> None:
        # Listing recipes reads files and the catalog: not for every thumbnail.
        if not self.boards.is_loaded(recipe) and recipe not in self._recipes():
            raise UsageError(f"no recipe {recipe[:80]!r} under review")

    def board(self, recipe: str, queue: str) -> Board:
        self.check(recipe)
        return self.boards.board(recipe, queue)

    def overview(self, reviewer: str) -> list[dict[str, Any]]:
        """One entry per recipe; one that was never curated says so."""
        entries: list[dict[str, Any]] = []
        for recipe in self._recipes():
            try:
                boards = self.boards.boards(recipe)
            except UsageError as error:
                entries.append({"recipe": recipe, "title": recipe, "problem": str(error), "queues": []})
                continue
            queues = [
                {"name": name, "title": board.queue.title, "question": board.queue.question,
                 "progress": board.progress(self.catalog, reviewer)}
                for name, board in boards.items()
                if board.queue.applies(board.curated)
            ]  # fmt: skip
            title = next(iter(boards.values())).curated.recipe.title
            entries.append({"recipe": recipe, "title": title, "problem": "", "queues": queues})
        return entries

    def people(self, board: Board) -> dict[str, Any]:
        """Who answered how much, how far they agree, and how many cards they disagree on."""
        given = read_given(self.catalog, board.queue.name)
        known = {card.target_id for card in board.cards}
        standing = {key: answer for key, answer in given.standing.items() if key[0] in known}
        pairs = pair_agreements(standing)
        return {
            "people": people(given, known),
            "pairs": pairs,
            "mean_kappa": mean_kappa(pairs),
            "unsettled_count": len(disagreements(standing)),
        }


class Guard:
    """Who may ask."""

    def __init__(self, hosts: frozenset[str], token: str) -> None:
        self._hosts = hosts
        self._token = token

    def refuse(self, request: Request) -> Response | None:
        """Answer a request that must not go on; None where it may."""
        host = request.url.hostname or ""
        if host not in self._hosts and not _is_loopback(host):
            return JSONResponse({"error": f"unknown host {host!r}"}, status_code=400)
        if request.method not in {"GET", "HEAD"} and not _is_own_request(request):
            return JSONResponse({"error": "expected JSON from a page of this app"}, status_code=403)
        return self._ask_token(request) if self._token else None

    def _ask_token(self, request: Request) -> Response | None:
        shown = request.query_params.get("token")
        if shown is not None and self._is_token(shown):
            rest = [(key, value) for key, value in request.query_params.multi_items() if key != "token"]
            path = request.url.path + (f"?{urlencode(rest)}" if rest else "")
            response = RedirectResponse(path, status_code=303)
            response.set_cookie(_TOKEN_COOKIE, self._token, httponly=True, samesite="strict")
            return response
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._is_token(bearer) or self._is_token(request.cookies.get(_TOKEN_COOKIE, "")):
            return None
        return JSONResponse({"error": "open the link that holds your token"}, status_code=401)

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self._token.encode())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_own_request(request: Request) -> bool:
    """Tell whether a writing request is JSON and, if a browser sent it, comes from a page of this very host."""
    is_json = request.headers.get("content-type", "").split(";")[0].strip() == "application/json"
    origin = request.headers.get("origin")
    is_same_host = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    return is_json and is_same_host and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


def _reviewer(request: Request) -> str:
    """The name in a shared link, else the one kept from before."""
    kept = unquote(request.cookies.get(_REVIEWER_COOKIE, "")) or _DEFAULT_REVIEWER
    try:
        return checked_reviewer(request.query_params.get("reviewer") or kept)
    except UsageError:
        return _DEFAULT_REVIEWER


Reviewer = Annotated[str, Depends(_reviewer)]


def _add_pages(app: FastAPI, review: _Review, token: str) -> None:
    def render(request: Request, template: str, reviewer: str, **context: Any) -> Response:
        response = review.templates.TemplateResponse(request, template, {"reviewer": reviewer, **context})
        response.set_cookie(_REVIEWER_COOKIE, quote(reviewer), httponly=True, samesite="lax")
        return response

    @app.get("/", name="index", response_class=HTMLResponse)
    def index(request: Request, reviewer: Reviewer) -> Response:
        return render(request, "index.html", reviewer, entries=review.overview(reviewer))

    @app.get("/review/{recipe}/{queue}", name="queue", response_class=HTMLResponse)
    def queue_page(
        request: Request, recipe: str, queue: str, reviewer: Reviewer, page: int = 0, settle: bool = False
    ) -> Response:
        board = review.board(recipe, queue)
        cut = board.settling_page if settle else board.page
        return render(
            request,
            "queue.html",
            reviewer,
            recipe=recipe,
            recipe_title=board.curated.recipe.title,
            queue=board.queue,
            page=cut(review.catalog, page, reviewer),
            is_settling=settle,
            batch_id=review.new_batch_id(),
        )

    @app.get("/people/{recipe}/{queue}", name="people", response_class=HTMLResponse)
    def people_page(request: Request, recipe: str, queue: str, reviewer: Reviewer, invite: str = "") -> Response:
        board = review.board(recipe, queue)
        link = ""
        if invite:
            shared = {"reviewer": checked_reviewer(invite), **({"token": token} if token else {})}
            link = f"{request.url_for('queue', recipe=recipe, queue=queue)}?{urlencode(shared)}"
        return render(
            request,
            "people.html",
            reviewer,
            recipe=recipe,
            recipe_title=board.curated.recipe.title,
            queue=board.queue,
            invite=invite,
            link=link,
            **review.people(board),
        )

    @app.get("/thumbnails/{recipe}/{image_id}.jpg", name="thumbnail")
    def thumbnail(recipe: str, image_id: str) -> Response:
        review.check(recipe)
        body = review.boards.thumbnail(recipe, image_id)
        if body is None:
            return JSONResponse({"error": "no such picture"}, status_code=404)
        return Response(body, media_type="image/jpeg", headers=_PICTURE_CACHE)

    @app.get("/pictures/{recipe}/{image_id}.jpg", name="picture")
    def picture(recipe: str, image_id: str) -> Response:
        """The large view, only of pictures that the recipe shows, and always as a JPEG of ours."""
        review.check(recipe)
        small = review.boards.thumbnail(recipe, image_id)
        if small is None or not is_image_id(image_id):
            return JSONResponse({"error": "no such picture"}, status_code=404)
        return Response(
            _large_jpeg(review.read_blob, image_id) or small, media_type="image/jpeg", headers=_PICTURE_CACHE
        )


def _large_jpeg(read_blob: Callable[[str], bytes], image_id: str) -> bytes | None:
    """Give the picture as a large JPEG; None where it is gone, unreadable or too large to decode for a look."""
    try:
        body = read_blob(image_id)
        with Image.open(BytesIO(body)) as image:
            if image.width * image.height > _LOOK_MAX_PIXELS:
                return None
        return fit_jpeg(body, _LARGE_PX)
    except (KeyError, OSError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None


def _add_api(app: FastAPI, review: _Review) -> None:
    @app.get("/api")
    def overview(reviewer: Reviewer) -> Any:
        return review.overview(reviewer)

    @app.get("/api/{recipe}/{queue}")
    def cards(recipe: str, queue: str, reviewer: Reviewer, page: int = 0) -> Page:
        return review.board(recipe, queue).page(review.catalog, page, reviewer)

    @app.post("/api/{recipe}/{queue}/answers", name="save")
    def save(recipe: str, queue: str, body: SaveBody) -> dict[str, Any]:
        board = review.board(recipe, queue)
        answers = [(board.card(item.target_id), item.answer) for item in body.answers]
        timed = body.duration_s is not None and body.duration_s <= _DURATION_MAX_S
        batch = Batch(
            batch_id=body.batch_id,
            reviewer=body.reviewer,
            answered_at=review.now(),
            duration_s=body.duration_s if timed else None,
        )
        saved_count = save_answers(review.catalog, answers, batch)
        review.boards.learn(recipe, board.queue, saved_count)
        return {"saved_count": saved_count}

    @app.post("/api/{recipe}/{queue}/undo", name="undo")
    def undo(recipe: str, queue: str, body: UndoBody) -> dict[str, Any]:
        board = review.board(recipe, queue)
        taken = undo_last(review.catalog, queue, body.reviewer, review.now())
        answers = {verdict.target_id: verdict.answer for verdict in taken}
        return {"answers": answers, "page": board.page_of(review.catalog, list(answers), body.reviewer)}

    @app.get("/api/{recipe}/{queue}/people")
    def people_twin(recipe: str, queue: str) -> dict[str, Any]:
        return review.people(review.board(recipe, queue))

    @app.post("/api/{recipe}/reload", name="reload")
    def reload(recipe: str) -> dict[str, Any]:
        review.check(recipe)
        review.boards.forget(recipe)
        return {"reloaded": recipe}

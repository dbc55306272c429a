"""Pages that scripts fill, in the real browser, and the rules that bind it."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog import landing
from catalog.blobs import BlobStore
from catalog.config import Config
from spiders.fetch.browser import find_browser
from spiders.run import crawl_source
from spiders.sources import Source

pytestmark = pytest.mark.browser

WHEN = "2026-11-21T05:00:00Z"
CONFIG = Config(contact="rendered-pages@example.org")

SHELL = """<html><head><title>Our staff</title></head><body><h1>Staff</h1><div id="app"></div>
<script>
%s
const people = ["Anna Weber", "Jonas Keller", "Mira Vogt"];
function show() {
  document.getElementById("app").innerHTML = "<ul>" + people.map((name, n) =>
    `<li class="card"><img src="/img/${n}.png" alt="${name}" width="150" height="200"><h3>Dr. ${name}</h3>` +
    "<p>Professor</p></li>"
  ).join("") + "</ul>";
}
setTimeout(show, 200);
</script></body></html>"""


@pytest.fixture(scope="module", autouse=True)
def _browser():
    try:
        find_browser("", "")
    except Exception as error:
        pytest.skip(str(error))


@pytest.fixture
def private() -> Iterator[socket.socket]:
    """A listener on an address of this machine that is not loopback; nothing must ever come."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 9))  # sends nothing: it asks which address would be used
        except OSError:
            pytest.skip("this machine has no address but loopback")
        own = probe.getsockname()[0]
    if own.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    listener = socket.create_server((own, 0))
    listener.settimeout(0.2)
    yield listener
    listener.close()


def source_of(web, **settings) -> Source:
    given = {"name": "trial", "kind": "staff", "allow_loopback": True, "delay_s": 0.01, "render": "auto"}
    return Source(url=web.url("/staff"), **given | settings)


def names(root, run) -> set[str]:
    records = landing.iter_records(root.run_folder(run.source, run.run_id))
    return {record.name for record in records if record.TYPE == "subject"}


def browsers() -> list[str]:
    """Find this file's browsers by what they call themselves: other tests may have theirs open."""
    found = subprocess.run(["pgrep", "-af", CONFIG.contact], capture_output=True, text=True, check=False)
    return found.stdout.splitlines()


def test_auto_opens_the_browser_where_scripts_bring_the_people(web, root, answer, picture_of):
    web.answers["/staff"] = answer((SHELL % "").encode())
    for number in range(3):
        web.answers[f"/img/{number}.png"] = answer(picture_of(number), kind="image/png")
    run = crawl_source(source_of(web), root, CONFIG, WHEN)
    assert (run.state, run.detail) == ("ok", "")
    assert names(root, run) == {"Anna Weber", "Jonas Keller", "Mira Vogt"}
    assert run.counts["images"] == 3
    pages = [r for r in landing.iter_records(root.run_folder("trial", run.run_id)) if r.TYPE == "page"]
    assert [page.via for page in pages] == ["http", "browser"]
    assert b"Jonas Keller</h3>" in BlobStore(root.blobs).get(pages[1].body_sha256)
    assert web.asked("/img") == [
        "/img/0.png",
        "/img/1.png",
        "/img/2.png",
    ]  # once each: pictures are off in the browser
    agents = {entry.headers["user-agent"] for entry in web.log}
    assert agents == {f"GleaneryBot/0.1 (+{CONFIG.contact})"}
    assert browsers() == []


def test_never_says_that_the_page_needs_scripts(web, root, answer):
    web.answers["/staff"] = answer((SHELL % "").encode())
    run = crawl_source(source_of(web, render="never"), root, CONFIG, WHEN)
    assert run.state == "failed"
    assert "render = auto" in run.detail


def test_scripts_sockets_and_frames_reach_nothing_that_is_not_allowed(web, root, answer, picture_of, private):
    host = "{}:{}".format(*private.getsockname())
    attack = f"""
    fetch("http://{host}/fetch").catch(() => 0);
    fetch("/hop").catch(() => 0);
    new WebSocket("ws://{host}/socket");
    new Image().src = "http://{host}/image.png";
    const frames = '<iframe src="http://{host}/frame"></iframe><iframe src="/private/frame"></iframe>';
    document.body.insertAdjacentHTML("beforeend", frames);
    navigator.sendBeacon("http://{host}/beacon", "x");
    """
    web.answers["/robots.txt"] = answer(b"User-agent: *\nDisallow: /private/\n", kind="text/plain")
    web.answers["/hop"] = answer(b"", status=302, headers={"Location": f"http://{host}/redirected"})
    web.answers["/staff"] = answer((SHELL % attack).encode())
    for number in range(3):
        web.answers[f"/img/{number}.png"] = answer(picture_of(number), kind="image/png")
    run = crawl_source(source_of(web, render="always"), root, CONFIG, WHEN)
    assert names(root, run) == {"Anna Weber", "Jonas Keller", "Mira Vogt"}
    assert web.asked("/hop") == ["/hop"]  # the attack did run
    assert web.asked("/private/") == []
    with pytest.raises(TimeoutError):
        private.accept()


def test_a_page_that_leads_elsewhere_is_not_read(web, root, answer, private):
    host = "{}:{}".format(*private.getsockname())
    web.answers["/staff"] = answer(f"<script>location.href = 'http://{host}/'</script>".encode())
    run = crawl_source(source_of(web, render="always"), root, CONFIG, WHEN)
    assert run.state == "failed"
    with pytest.raises(TimeoutError):
        private.accept()
    web.answers["/robots.txt"] = answer(b"User-agent: *\nDisallow: /private/\n", kind="text/plain")
    web.answers["/staff"] = answer(b"", status=302, headers={"Location": "/private/staff"})
    run = crawl_source(source_of(web, name="other", render="always"), root, CONFIG, WHEN)
    assert run.state == "failed"
    assert web.asked("/private/") == []


def test_headers_that_the_browser_saw_bind(web, root, answer):
    web.answers["/staff"] = answer((SHELL % "").encode(), headers={"X-Robots-Tag": "noai"})
    run = crawl_source(source_of(web, render="always"), root, CONFIG, WHEN)
    assert run.state == "failed"
    assert "policy_noai" in run.detail
    assert web.asked("/img") == []


def test_a_cancelled_crawl_takes_its_browser_along(web, root, answer):
    import threading

    from spiders.run import CrawlCancelled

    cancelled = threading.Event()
    open_ones = []

    def stall(asked):
        open_ones.extend(browsers())
        cancelled.set()
        return answer((SHELL % "").encode(), wait_s=1.0)

    web.answers["/staff"] = stall
    with pytest.raises(CrawlCancelled):
        crawl_source(source_of(web, render="always"), root, CONFIG, WHEN, cancelled=cancelled)
    profiles = {found[1] for line in open_ones if (found := re.search(r"--user-data-dir=(\S+)", line))}
    assert profiles
    time.sleep(0.3)
    assert browsers() == []
    assert not any(Path(profile).exists() for profile in profiles)

"""Whole crawls, in their child process, of a web on loopback."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from catalog import landing
from catalog.blobs import BlobStore
from catalog.config import Config
from catalog.errors import GleaneryError, UsageError
from catalog.paths import DataRoot
from catalog.suppressions import Suppressions
from spiders.run import CrawlCancelled, crawl_many, crawl_source
from spiders.sources import Source

WHEN = "2026-11-21T05:00:00Z"
LATER = "2026-11-28T05:00:00Z"


def source_of(web, path="/staff", **settings) -> Source:
    given = {"name": "trial", "kind": "staff", "label": "cs", "allow_loopback": True, "delay_s": 0.01}
    return Source(url=web.url(path), **given | settings)


def mean_gap(times: list[float]) -> float:
    """The pace as a whole: a busy server notes single arrivals late, and then the next gap looks short."""
    return (times[-1] - times[0]) / (len(times) - 1)


def landed(root, run, kind=None) -> list[dict]:
    folder = root.run_folder(run.source, run.run_id)
    return [r.to_json() for r in landing.iter_records(folder) if kind is None or kind == r.TYPE]


def issues(root, run) -> Counter:
    folder = root.run_folder(run.source, run.run_id)
    return Counter((issue.reason, issue.where.rsplit("/", 1)[-1]) for issue in landing.iter_issues(folder))


def facts(rows) -> set[str]:
    return {repr(sorted((k, v) for k, v in row.items() if k != "fetched_at")) for row in rows}


def test_people_and_portraits_land_byte_for_byte(staff_site, root, config, people, picture_of):
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert (run.state, run.detail) == ("ok", "")
    names = {row["subject_id"]: row["name"] for row in landed(root, run, "subject")}
    assert set(names.values()) == set(people)
    blobs = BlobStore(root.blobs)
    shown = {names[row["subject_id"]]: blobs.get(row["image_id"]) for row in landed(root, run, "sighting")}
    assert shown == {name: picture_of(number) for number, name in enumerate(people)}
    assert run.counts["images_new"] == run.counts["images"] == 6
    assert {row["label"] for row in landed(root, run, "subject")} == {"cs"}
    assert landing.load_run(root.run_folder("trial", run.run_id)) == run


def test_a_second_crawl_fetches_no_body_twice_and_finds_the_same(staff_site, root, config):
    first = crawl_source(source_of(staff_site), root, config, WHEN)
    staff_site.log.clear()
    second = crawl_source(source_of(staff_site), root, config, LATER)
    bodies = [entry.path for entry in staff_site.log if entry.sent_bytes and entry.status == 200]
    assert bodies == []
    assert second.counts["not_modified"] == 7
    assert second.counts["images_new"] == 0
    assert facts(landed(root, first)) == facts(landed(root, second))


def test_a_replaced_photo_is_another_sighting_of_the_same_person(staff_site, root, config, answer, picture_of):
    first = crawl_source(source_of(staff_site), root, config, WHEN)
    staff_site.answers["/img/0.png"] = answer(picture_of(77), kind="image/png")
    second = crawl_source(source_of(staff_site), root, config, LATER)
    assert second.counts["images_new"] == 1
    assert facts(landed(root, first, "subject")) == facts(landed(root, second, "subject"))
    old, new = ({row["sighting_id"] for row in landed(root, run, "sighting")} for run in (first, second))
    assert len(old - new) == len(new - old) == 1


def test_robots_txt_is_asked_first_and_obeyed_for_pages_and_pictures(staff_site, root, config, answer, page_of):
    staff_site.answers["/robots.txt"] = answer(
        b"User-agent: *\nDisallow: /img/1.png\nDisallow: /private/\n", kind="text/plain"
    )
    more = '<a rel="next" href="/private/staff?page=2">next</a>'
    staff_site.answers["/staff"] = answer(
        staff_site.answers["/staff"].body.replace(b"</ul>", b"</ul>" + more.encode())
    )
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert staff_site.asked()[0] == "/robots.txt"
    assert staff_site.asked("/private/", "/img/1.png") == []
    assert issues(root, run)["policy_robots", "1.png"] == 1
    refused = [row for row in landed(root, run, "sighting") if row["image_url"].endswith("/img/1.png")]
    assert [row["image_id"] for row in refused] == [None]
    assert run.state == "ok"
    assert run.counts["sightings"] == 6


@pytest.mark.parametrize("status", [500, 503])
def test_a_robots_txt_that_breaks_refuses_everything(staff_site, root, config, answer, status):
    staff_site.answers["/robots.txt"] = answer(b"", status=status)
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert run.state == "failed"
    assert "policy_robots" in run.detail
    assert staff_site.asked("/staff", "/img") == []


def test_the_crawl_delay_and_the_floor_are_kept(staff_site, root, config, answer):
    crawl_source(source_of(staff_site, name="floor", delay_s=0.1), root, config, WHEN)
    times = [entry.at for entry in staff_site.log]
    assert mean_gap(times) > 0.09
    staff_site.log.clear()
    staff_site.answers["/robots.txt"] = answer(b"User-agent: *\nCrawl-delay: 0.25\n", kind="text/plain")
    crawl_source(source_of(staff_site, name="slower"), root, config, WHEN)
    times = [entry.at for entry in staff_site.log][1:]
    assert mean_gap(times) > 0.23


SIGNALS = [
    ({"X-Robots-Tag": "noai, noimageai"}, "policy_noai"),
    ({"X-Robots-Tag": "noindex", "tdm-reservation": "1"}, "policy_tdm"),
    ({"Content-Signal": "search=yes, ai-train=no"}, "policy_content_signal"),
]


@pytest.mark.parametrize(("headers", "reason"), SIGNALS)
def test_a_picture_that_opts_out_is_a_row_and_no_bytes(staff_site, root, config, answer, picture_of, headers, reason):
    big = picture_of(2) + bytes(3_000_000)
    staff_site.answers["/img/2.png"] = answer(big, kind="image/png", headers=headers)
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert issues(root, run) == {(reason, "2.png"): 1}
    assert run.counts["refused"] == 1
    assert run.counts["images"] == 5
    kept = [row["image_id"] for row in landed(root, run, "sighting") if row["image_url"].endswith("/2.png")]
    assert kept == [None]


@pytest.mark.parametrize(("headers", "reason"), SIGNALS)
def test_a_page_that_opts_out_is_not_kept(staff_site, root, config, answer, headers, reason):
    staff_site.answers["/staff"] = answer(staff_site.answers["/staff"].body, headers=headers)
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert run.state == "failed"
    assert reason in run.detail
    [page] = landed(root, run, "page")
    assert page["body_sha256"] is None
    assert page["permission"]["reason"] == reason
    assert staff_site.asked("/img") == []


def test_noimageai_on_a_page_keeps_people_but_no_pictures(staff_site, root, config, answer, page_of, people):
    head = '<meta name="robots" content="index, noimageai">'
    body = page_of({name: f"/img/{n}.png" for n, name in enumerate(people)}, head=head)
    staff_site.answers["/staff"] = answer(body)
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert run.counts["subjects"] == 6
    assert run.counts["images"] == 0
    assert staff_site.asked("/img") == []
    assert sum(n for (reason, _), n in issues(root, run).items() if reason == "policy_noimageai") == 6


def test_the_well_known_file_is_asked_before_pictures_are(staff_site, root, config, answer):
    body = b'[{"location": "/img/", "tdm-reservation": 1}, {"location": "/img/3.png", "tdm-reservation": 0}]'
    staff_site.answers["/.well-known/tdmrep.json"] = answer(body, kind="application/json")
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert run.counts["images"] == 1
    assert {row["url"].rsplit("/")[-1] for row in landed(root, run, "image")} == {"3.png"}
    assert sum(n for (reason, _), n in issues(root, run).items() if reason == "policy_tdm") == 5


def test_retry_after_holds_the_whole_host_back(staff_site, root, config, answer):
    body = staff_site.answers["/img/0.png"]
    tries: list[float] = []

    def busy(asked):
        tries.append(asked.at)
        return answer(b"", status=429, headers={"Retry-After": "1"}) if len(tries) == 1 else body

    staff_site.answers["/img/0.png"] = busy
    run = crawl_source(source_of(staff_site, concurrency=1), root, config, WHEN)
    assert run.counts["images"] == 6
    assert tries[1] - tries[0] >= 0.95
    others = [entry.at for entry in staff_site.log if entry.path.startswith("/img") and tries[0] < entry.at < tries[1]]
    assert [at for at in others if at < tries[0] + 0.9] == []


def test_a_503_that_heals_costs_nothing_and_one_that_stays_is_an_issue(staff_site, root, config, answer):
    body = staff_site.answers["/img/0.png"]
    count = Counter()

    def heals(asked):
        count[asked.path] += 1
        return answer(b"", status=503) if count[asked.path] < 3 else body

    staff_site.answers["/img/0.png"] = heals
    staff_site.answers["/img/1.png"] = answer(b"", status=503)
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert issues(root, run) == {("fetch_failed", "1.png"): 1}
    assert staff_site.asked("/img/1.png") == ["/img/1.png"] * 4


def test_a_host_that_asks_for_hours_is_left_alone(staff_site, root, config, answer):
    staff_site.answers["/img/0.png"] = answer(b"", status=429, headers={"Retry-After": "7200"})
    run = crawl_source(source_of(staff_site, concurrency=1, delay_s=0.05), root, config, WHEN)
    assert len(staff_site.asked("/img")) <= 2
    assert run.counts["images"] <= 1
    assert run.state == "ok"


def test_redirects_are_followed_and_recorded_under_both_addresses(staff_site, root, config, answer):
    staff_site.answers["/img/0.png"] = answer(b"", status=302, headers={"Location": "/img/1.png"})
    staff_site.answers["/people"] = answer(b"", status=301, headers={"Location": "/staff"})
    run = crawl_source(source_of(staff_site, "/people"), root, config, WHEN)
    [page] = landed(root, run, "page")
    assert (page["url"], page["final_url"]) == (staff_site.url("/people"), staff_site.url("/staff"))
    images = {row["url"].rsplit("/")[-1]: row["image_id"] for row in landed(root, run, "image")}
    assert images["0.png"] == images["1.png"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"<html>not a picture</html>", "fetch_not_an_image"), (b"", "fetch_not_an_image")],
)
def test_what_is_no_picture_is_an_issue(staff_site, root, config, answer, body, reason):
    staff_site.answers["/img/0.png"] = answer(body, kind="image/png")
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert issues(root, run) == {(reason, "0.png"): 1}


def test_a_truncated_picture_and_a_data_uri_land(staff_site, root, config, answer, page_of, picture_of):
    import base64

    uri = "data:image/png;base64," + base64.b64encode(picture_of(5)).decode()
    people = {"Anna Weber": "/img/0.png", "Jonas Keller": uri, "Mira Vogt": "/img/2.png"}
    staff_site.answers["/staff"] = answer(page_of(people))
    staff_site.answers["/img/0.png"] = answer(picture_of(0)[:30], kind="image/png")
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    blobs = BlobStore(root.blobs)
    bodies = {blobs.get(row["image_id"]) for row in landed(root, run, "sighting")}
    assert bodies == {picture_of(0)[:30], picture_of(5), picture_of(2)}
    assert not any(row["url"].startswith("data:image") for row in landed(root, run, "image"))


def test_a_picture_that_is_too_large_is_refused(staff_site, root, config, answer, picture_of):
    staff_site.answers["/img/0.png"] = answer(picture_of(0) + bytes(26 * 1024 * 1024), kind="image/png")
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert issues(root, run) == {("fetch_too_large", "0.png"): 1}


def test_a_challenge_blocks_the_run_and_stops_it(staff_site, root, config, answer):
    script = b"<script src='/cdn-cgi/challenge-platform/h/b.js'></script>"
    body = b"<title>Just a moment...</title><body>" + script + b"Verify you are human</body>"
    staff_site.answers["/staff"] = answer(body, status=403)
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert run.state == "blocked"
    assert staff_site.asked("/img") == []


def test_a_page_that_changed_fails_and_one_below_the_minimum_is_rejected(staff_site, root, config, answer):
    good = crawl_source(source_of(staff_site), root, config, WHEN)
    few = crawl_source(source_of(staff_site, expected_min=7), root, config, LATER)
    assert (few.state, few.detail) == ("rejected", "found 6 people, expected at least 7")
    staff_site.answers["/staff"] = answer(b"<html><body><h1>Welcome</h1><p>Nothing here.</p></body></html>")
    changed = crawl_source(source_of(staff_site), root, config, "2026-12-05T05:00:00Z")
    assert changed.state == "failed"
    assert "expected people" in changed.detail
    assert landing.last_good_run(root.landing, "trial").name == good.run_id


def test_a_site_that_is_down_is_given_up(staff_site, root, config, answer, page_of):
    people = {f"Anna Weber{chr(97 + n // 26)}{chr(97 + n % 26)}": f"/img/{n}.png" for n in range(30)}
    staff_site.answers.clear()
    staff_site.answers["/staff"] = answer(page_of(people))
    for number in range(30):
        staff_site.answers[f"/img/{number}.png"] = answer(b"", status=500)
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert run.state == "failed"
    assert "12 times in a row" in run.detail
    assert len(staff_site.asked("/img")) <= 16  # 12, and what was under way


def test_one_silhouette_for_many_is_flagged_and_kept(staff_site, root, config, picture_of, answer):
    for number in (0, 1, 2):
        staff_site.answers[f"/img/{number}.png"] = answer(picture_of(99), kind="image/png")
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    assert issues(root, run) == {("record_placeholder", "0.png"): 1}
    assert all(row["image_id"] for row in landed(root, run, "sighting"))


def test_private_addresses_are_refused_without_a_connection(make_web, staff_site, root, config, answer, page_of):
    import socket

    listener = socket.create_server(("0.0.0.0", 0))  # a private address of this machine, if it were asked
    listener.settimeout(0.2)
    port = listener.getsockname()[1]
    private = {
        "Anna Weber": f"http://10.0.0.1:{port}/a.png",
        "Jonas Keller": f"http://169.254.169.254:{port}/b.png",
        "Mira Vogt": f"http://[::ffff:10.0.0.1]:{port}/c.png",
        "Paul Brandt": "/hop.png",
        "Lena Hofer": "/img/1.png",
    }
    staff_site.answers["/hop.png"] = answer(b"", status=302, headers={"Location": f"http://0.0.0.0:{port}/d.png"})
    staff_site.answers["/staff"] = answer(page_of(private))
    run = crawl_source(source_of(staff_site), root, config, WHEN)
    refused = {where for (reason, where) in issues(root, run) if reason == "policy_address"}
    assert refused == {"a.png", "b.png", "c.png", "hop.png"}
    with pytest.raises(TimeoutError):
        listener.accept()
    listener.close()


def test_loopback_is_refused_to_a_source_that_does_not_say_so(staff_site, root):
    public = Source(name="trial", kind="staff", url=staff_site.url("/staff"))
    run = crawl_source(public, root, Config(contact="someone@example.org"), WHEN)
    assert run.state == "failed"
    assert "policy_address" in run.detail
    named = Source(name="named", kind="staff", url=staff_site.url("/staff").replace("127.0.0.31", "localhost"))
    run = crawl_source(named, root, Config(contact="someone@example.org"), WHEN)
    assert "policy_address" in run.detail  # judged by what the name resolves to
    assert staff_site.log == []


def test_beyond_loopback_a_contact_is_needed(root, config):
    with pytest.raises(UsageError, match="contact"):
        crawl_source(Source(name="trial", kind="staff", url="https://uni.example/"), root, config, WHEN)


def test_a_takedown_holds_before_the_fetch_and_before_the_record(staff_site, root, config):
    held = Suppressions(urls=frozenset({staff_site.url("/img/0.png")}))
    run = crawl_source(source_of(staff_site), root, config, WHEN, suppressions=held)
    assert staff_site.asked("/img/0.png") == []
    assert issues(root, run) == {("policy_suppressed", "(taken down)"): 1}
    subject = next(row for row in landed(root, run, "subject") if row["name"] == "Mira Vogt")
    gone = Suppressions(subjects=frozenset({subject["subject_id"]}))
    again = crawl_source(source_of(staff_site), root, config, LATER, suppressions=gone)
    assert "Mira Vogt" not in {row["name"] for row in landed(root, again, "subject")}
    assert subject["subject_id"] not in {row["subject_id"] for row in landed(root, again, "sighting")}


KILLED = """
import sys
from pathlib import Path
from catalog.config import Config
from catalog.paths import DataRoot
from spiders.run import crawl_source
from spiders.sources import Source
if __name__ == "__main__":
    source = Source(name="trial", kind="staff", label="cs", allow_loopback=True, delay_s=0.05, url=sys.argv[1])
    crawl_source(source, DataRoot(Path(sys.argv[2])), Config(), "2026-11-21T05:00:00Z")
"""


@pytest.mark.parametrize("after", ["/img/0.png", "/img/3.png"])
def test_killed_and_run_again_it_ends_as_if_never_killed(staff_site, root, config, tmp_path, after):
    whole = crawl_source(source_of(staff_site, delay_s=0.05), DataRoot(tmp_path / "other"), config, WHEN)
    staff_site.log.clear()
    script = tmp_path / "crawl.py"
    script.write_text(KILLED)
    repository = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    process = subprocess.Popen(
        [sys.executable, script, staff_site.url("/staff"), root.root], env=environment, cwd=repository
    )
    deadline = time.monotonic() + 30
    while after not in staff_site.asked() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.3)
    folder = landing.unfinished_run(root.landing, "trial")
    done = {r.url for r in landing.iter_records(folder) if r.TYPE in ("page", "image")}
    assert done
    staff_site.log.clear()
    run = crawl_source(source_of(staff_site, delay_s=0.05), root, config, LATER)
    assert run.run_id == folder.name
    assert run.started_at == WHEN
    assert {staff_site.url(path) for path in staff_site.asked()} & done == set()
    assert run.counts["replayed"] == len(done)
    assert facts(landed(root, run)) == facts(landed(DataRoot(tmp_path / "other"), whole))


def test_a_cancelled_crawl_leaves_no_process_and_goes_on_later(staff_site, root, config):
    cancelled = threading.Event()
    portrait = staff_site.answers["/img/2.png"]

    def cancel(asked):
        cancelled.set()
        return portrait

    staff_site.answers["/img/2.png"] = cancel
    slow = source_of(staff_site, delay_s=0.2)
    with pytest.raises(CrawlCancelled):
        crawl_source(slow, root, config, WHEN, cancelled=cancelled)
    assert [p for p in multiprocessing.active_children() if p.name == "crawl-trial"] == []
    run = crawl_source(slow, root, config, LATER)
    assert run.state == "ok"
    assert run.counts["replayed"] >= 2


def test_two_crawls_of_one_source_do_not_overlap_and_two_sources_of_one_host_take_turns(staff_site, root, config):
    first = threading.Thread(target=crawl_source, args=(source_of(staff_site, delay_s=0.4), root, config, WHEN))
    first.start()
    while not staff_site.log:
        time.sleep(0.02)
    with pytest.raises(UsageError, match="another process"):
        crawl_source(source_of(staff_site), root, config, LATER)
    first.join()
    staff_site.log.clear()
    both = [source_of(staff_site, name=name, delay_s=0.1) for name in ("one", "two")]
    runs = crawl_many(both, root, config, WHEN, jobs=2)
    assert [run.source for run in runs] == ["one", "two"]
    times = [entry.at for entry in staff_site.log]
    assert len(times) == 18
    assert mean_gap(times) > 0.09


def test_runs_of_a_source_sort_as_they_follow_each_other(staff_site, root, config):
    runs = [crawl_source(source_of(staff_site), root, config, when) for when in (WHEN, WHEN, "2020-01-01T00:00:00Z")]
    folders = list(landing.iter_run_folders(root.landing, "trial"))
    assert [folder.name for folder in folders] == [run.run_id for run in runs]
    assert [landing.load_run(folder) for folder in folders] == runs


def test_a_child_that_dies_says_so(staff_site, root, config, monkeypatch):
    def kill():
        time.sleep(0.5)
        for child in multiprocessing.active_children():
            if child.name == "crawl-trial":
                os.kill(child.pid, signal.SIGKILL)

    threading.Thread(target=kill).start()
    with pytest.raises(GleaneryError, match="run it again"):
        crawl_source(source_of(staff_site, delay_s=0.4), root, config, WHEN)


def test_progress_is_told(staff_site, root, config):
    told: list[dict[str, int]] = []
    crawl_source(source_of(staff_site, delay_s=0.1), root, config, WHEN, on_progress=told.append)
    assert told[-1]["images_found"] == 6
    assert told[-1]["images"] >= 2


def test_unknown_hints_are_a_usage_error(staff_site, root, config):
    with pytest.raises(UsageError, match="hint"):
        crawl_source(source_of(staff_site, hints={"persons": "li"}), root, config, WHEN)

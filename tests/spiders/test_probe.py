from __future__ import annotations

import json
import socket

import pytest

from catalog.config import Config
from catalog.errors import UsageError
from spiders.probe import look, probe, save_case


def test_a_page_is_fetched_and_shown_as_it_would_be_collected(staff_site, config, people):
    shown, code = probe(staff_site.url("/staff"), "", "staff", config)
    assert code == 0
    assert list(shown) == ["kind", "page_format", "records", "pages", "issues"]
    assert [record["name"] for record in shown["records"]] == list(people)
    assert shown["records"][0]["image_url"] == staff_site.url("/img/0.png")
    assert staff_site.asked() == ["/robots.txt", "/staff"]
    assert staff_site.log[1].headers["user-agent"].startswith("GleaneryBot/")


def test_a_saved_page_needs_no_net_and_takes_a_base(tmp_path, config, page_of, people):
    path = tmp_path / "page.html"
    path.write_bytes(page_of({name: f"/img/{n}.png" for n, name in enumerate(people)}))
    shown, code = probe(str(path), "https://uni.example/team/", "staff", config)
    assert code == 0
    assert shown["records"][1]["image_url"] == "https://uni.example/img/1.png"


def test_the_same_json_where_there_is_nothing_to_collect(staff_site, config, answer):
    cases = {
        "/empty": (answer(b"<html><body><h1>Hello</h1></body></html>"), "changed", "page_changed"),
        "/robot": (answer(b"x"), "refused", "policy_robots"),
        "/noai": (
            answer(staff_site.answers["/staff"].body, headers={"X-Robots-Tag": "noai"}),
            "refused",
            "policy_noai",
        ),
        "/gone": (answer(b"", status=404), "refused", "fetch_not_found"),
        "/wall": (answer(b"<title>Just a moment...</title>_cf_chl_opt", status=403), "blocked", "page_blocked"),
    }
    staff_site.answers["/robots.txt"] = answer(b"User-agent: *\nDisallow: /robot\n", kind="text/plain")
    for path, (page, page_format, reason) in cases.items():
        staff_site.answers[path] = page
        shown, code = probe(staff_site.url(path), "", "staff", config)
        assert (code, shown["page_format"], shown["records"]) == (1, page_format, [])
        assert [issue["reason"] for issue in shown["issues"]] == [reason]
    assert staff_site.asked("/robot") == ["/robots.txt"] * len(cases)


def test_redirects_are_followed_under_the_same_rules(staff_site, config, answer):
    staff_site.answers["/old"] = answer(b"", status=301, headers={"Location": "/staff"})
    shown, code = probe(staff_site.url("/old"), "", "staff", config)
    assert (code, len(shown["records"])) == (0, 6)
    with socket.create_server(("0.0.0.0", 0)) as listener:
        listener.settimeout(0.1)
        target = f"http://10.0.0.1:{listener.getsockname()[1]}/"
        staff_site.answers["/out"] = answer(b"", status=302, headers={"Location": target})
        shown, code = probe(staff_site.url("/out"), "", "staff", config)
        assert (code, shown["issues"][0]["reason"]) == (1, "policy_address")
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_name_that_resolves_to_loopback_is_not_public(staff_site, monkeypatch):
    real = socket.getaddrinfo

    def rebound(host, *args, **kwargs):
        return real("127.0.0.31" if host == "uni.example" else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    url = staff_site.url("/staff").replace("127.0.0.31", "uni.example")
    shown, code = probe(url, "", "staff", Config(contact="lab@example.org"))
    assert (code, shown["issues"][0]["reason"]) == (1, "policy_address")
    assert staff_site.log == []


def test_mistakes_of_the_user(tmp_path, config):
    with pytest.raises(UsageError, match="staff"):
        probe("x.html", "", "people", config)
    with pytest.raises(UsageError, match="cannot be read"):
        probe(str(tmp_path / "missing.html"), "", "staff", config)
    with pytest.raises(UsageError, match="contact"):
        probe("https://uni.example/staff", "", "staff", config)
    (tmp_path / "page.html").write_text("x")
    with pytest.raises(UsageError, match="block"):
        probe(str(tmp_path / "page.html"), "", "staff", config, {"blocks": "li"})


def test_a_case_is_kept_and_reads_back_the_same(staff_site, config, tmp_path):
    seen = look(staff_site.url("/staff"), "", "staff", config)
    folder = tmp_path / "case"
    save_case(folder, seen.page, seen.result)
    assert {path.name for path in folder.iterdir()} == {"input.html", "meta.json", "output.json"}
    shown, code = probe(str(folder / "input.html"), "", "staff", config)
    assert code == 0
    assert shown == json.loads((folder / "output.json").read_text())
    with pytest.raises(UsageError, match="already"):
        save_case(folder, seen.page, seen.result)

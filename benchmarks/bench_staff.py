"""Precision and recall of the staff-page reader on real pages, per site, with no hints.

Run `python -m benchmarks.bench_staff` (or as a script) beside the shared data (`GLEANERY_SHARED_DATA`); it prints a
table and writes benchmarks/results/staff.json. The pairs counted are (name, portrait); a person whom the truth knows
without a portrait must not be given one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
import unicodedata
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from bs4 import BeautifulSoup  # noqa: E402

from catalog.errors import GleaneryError  # noqa: E402
from spiders.pages.contract import PageInput  # noqa: E402
from spiders.pages.names import fold  # noqa: E402
from spiders.pages.staff import read_staff  # noqa: E402

RESULTS = REPOSITORY / "benchmarks" / "results" / "staff.json"


@dataclass
class Tally:
    """What was right and wrong on one site."""

    site: str
    pages: int = 0
    portraits: int = 0
    right: int = 0
    wrong: int = 0
    missed: int = 0
    people: int = 0
    people_found: int = 0
    people_unknown: int = 0
    roles: int = 0
    roles_right: int = 0
    titles_wrong: int = 0
    former_wrong: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Right pairs of those given."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Right pairs of those in the truth."""
        return self.right / self.portraits if self.portraits else 1.0

    @property
    def role_frac(self) -> float:
        """Roles right of those in the truth."""
        return self.roles_right / self.roles if self.roles else 1.0


def shared_folder() -> Path:
    """Give the folder of real pages."""
    return Path(os.environ.get("GLEANERY_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))


def name_key(name: str) -> str:
    """Fold a name and leave years of life out."""
    return fold(re.sub(r"\(.*?\)", " ", name))


def path_of(address: str, base_path: str = "") -> str:
    """Give the comparable part of an address."""
    parts = urlsplit(address)
    path = unicodedata.normalize("NFC", unquote(parts.path))
    return path.removeprefix(base_path).lstrip("/") + (f"?{parts.query}" if parts.query and not base_path else "")


def group_sites(folder: Path) -> list[tuple[str, list[tuple[PageInput, list[dict[str, Any]]]], set[str]]]:
    """Give per group site: its pages with their people, and the names that are no error."""
    sites = []
    for truth_path in sorted(folder.glob("labsites/*/truth.json")):
        truth = json.loads(truth_path.read_text(encoding="utf-8"))
        pages = []
        for start in truth["start"]:
            body = (truth_path.parent / "root" / start).read_bytes()
            people = [p for p in truth["people"] if p.get("page", start) == start]
            pages.append((PageInput(url=urljoin(truth["base"], start), body=body), people))
        others = {name_key(o if isinstance(o, str) else o["name"]) for o in truth["others"]}
        sites.append((truth["slug"], pages, others))
    return sites


def staff_sites(folder: Path) -> list[tuple[str, list[tuple[PageInput, list[dict[str, Any]]]], set[str]]]:
    """Give the list page and the profile pages of the saved directory, each as a site."""
    truth = json.loads((folder / "staff" / "truth.json").read_text(encoding="utf-8"))
    sites: dict[str, list[tuple[PageInput, list[dict[str, Any]]]]] = {}
    for name, page in truth.items():
        if not isinstance(page, dict) or "people" not in page:
            continue
        site = name.split("/")[0] + ("-profiles" if "profile" in name else "")
        body = (folder / "staff" / name).read_bytes()
        sites.setdefault(site, []).append((PageInput(url=page["base"], body=body), page["people"]))
    return [(site, pages, set()) for site, pages in sites.items()]


def images_of(person: dict[str, Any]) -> set[str]:
    """Give every address that is right for a person's portrait."""
    found = [person.get("image"), person.get("broken_image"), person.get("placeholder_image"), person.get("also")]
    found += person.get("variants") or []
    flat = [v for value in found if value for v in (value if isinstance(value, list) else [value])]
    return {
        path_of(value)
        if value.startswith("http")
        else unicodedata.normalize("NFC", unquote(value).split("?")[0].lstrip("/"))
        for value in flat
    }


def names_of(person: dict[str, Any]) -> set[str]:
    """Give the keys of every form of a name."""
    forms = [person["name"], *(person.get(k) for k in ("name_native", "name_latin", "name_as_shown"))]
    return {name_key(form) for form in forms if form}


def role_is_right(found: str | None, truth: str) -> bool:
    """Say whether a role is the truth's, or one of the two holds the other."""
    one, two = fold(found or ""), fold(truth)
    return bool(one) and (one == two or one in two or two in one)


def judge(tally: Tally, page: PageInput, people: list[dict[str, Any]], others: set[str], is_verbose: bool) -> None:
    """Compare what is read from one page with its truth."""
    tally.pages += 1
    try:
        records = read_staff(page).records
    except GleaneryError as error:
        tally.errors.append(f"{type(error).__name__}: {error}")
        records = ()
    unmatched = list(people)
    tally.people += len(people)
    tally.portraits += sum(1 for p in people if p.get("image") and not p.get("placeholder"))
    tally.roles += sum(1 for p in people if p.get("role"))
    for record in records:
        person = next((p for p in unmatched if name_key(record["name"]) in names_of(p)), None)
        if person is None:
            if name_key(record["name"]) not in others:
                tally.people_unknown += 1
                tally.wrong += record["image_url"] is not None and not record["is_placeholder"]
                tally.errors.append(f"nobody: {record['name']!r} {record['image_url']}")
            continue
        unmatched.remove(person)
        _judge_person(tally, record, person)
    tally.missed += sum(1 for p in unmatched if p.get("image") and not p.get("placeholder"))
    tally.errors += [f"missed: {p['name']!r}" for p in unmatched]
    if is_verbose:
        print("\n".join(f"  {tally.site}: {error}" for error in tally.errors[-40:]))
        tally.errors.clear()


def _judge_person(tally: Tally, record: Any, person: dict[str, Any]) -> None:
    tally.people_found += 1
    has_portrait = bool(person.get("image")) and not person.get("placeholder")
    shown = record["image_url"] if not record["is_placeholder"] else None
    right_images = images_of(person)
    is_right = shown is not None and any(
        path_of(shown).endswith(image) or path_of(shown).split("?")[0] == image for image in right_images
    )
    if has_portrait:
        tally.right += is_right
        tally.missed += not is_right
    # A page may name a file that does not exist: giving it is right, and so is not giving it.
    tally.wrong += shown is not None and not (is_right and has_portrait) and not person.get("broken_image")
    if has_portrait != is_right and not person.get("broken_image"):
        tally.errors.append(f"portrait: {record['name']!r} {record['image_url']} (truth {person.get('image')})")
    if person.get("role"):
        if role_is_right(record["role"], person["role"]):
            tally.roles_right += 1
        else:
            tally.errors.append(f"role: {record['name']!r} {record['role']!r} (truth {person['role']!r})")
    if "title" in person and fold(record["title"] or "") != fold(person["title"] or ""):
        tally.titles_wrong += 1
        tally.errors.append(f"title: {record['name']!r} {record['title']!r} (truth {person['title']!r})")
    if "former" in person and bool(person["former"]) != record["is_former"]:
        tally.former_wrong += 1
        tally.errors.append(f"former: {record['name']!r} {record['is_former']}")


def measure(folder: Path, is_verbose: bool = False) -> list[Tally]:
    """Judge every site of the shared data."""
    tallies = []
    for site, pages, others in [*staff_sites(folder), *group_sites(folder)]:
        tally = Tally(site)
        for page, people in pages:
            judge(tally, page, people, others, is_verbose)
        tallies.append(tally)
    return tallies


def pooled(tallies: list[Tally]) -> Tally:
    """Add all sites up."""
    total = Tally("pooled")
    for tally in tallies:
        for name, value in asdict(tally).items():
            if isinstance(value, int):
                setattr(total, name, getattr(total, name) + value)
    return total


def speed(folder: Path) -> dict[str, float]:
    """Time a page of about 300 kB (the list page's rows, repeated), whole and the share of parsing alone."""
    body = (folder / "staff" / "gatech" / "faculty_page.html").read_bytes()
    start, end = (
        body.find(b'<div class="views-row'),
        body.find(b"</main>") if b"</main>" in body else body.rfind(b"</body>"),
    )
    rows = body[start : body.rfind(b'<div class="views-row', 0, end)]
    page = PageInput(
        url="https://a.example/people",
        body=body[:start] + rows * max(1, (300_000 - len(body)) // max(len(rows), 1) + 1) + body[start:],
    )
    read, parse = [], []
    for _ in range(5):
        began = time.process_time()
        read_staff(page)
        read.append(time.process_time() - began)
        began = time.process_time()
        BeautifulSoup(page.body, "lxml")
        parse.append(time.process_time() - began)
    return {"page_bytes": len(page.body), "read_s": round(min(read), 4), "parse_s": round(min(parse), 4)}


def main() -> None:
    """Print the table and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-v", "--verbose", action="store_true", help="print every error")
    arguments = parser.parse_args()
    tallies = measure(shared_folder(), arguments.verbose)
    rows = [*tallies, pooled(tallies)]
    print("site               pages portr   prec recall    people  more     roles titles- former-")
    for t in rows:
        pairs = f"{t.site:18} {t.pages:5} {t.portraits:5} {t.precision:6.3f} {t.recall:6.3f}"
        people = f"{t.people_found:4}/{t.people:4} {t.people_unknown:5} {t.roles_right:4}/{t.roles:4}"
        print(f"{pairs} {people} {t.titles_wrong:7} {t.former_wrong:7}")
    timing = speed(shared_folder())
    read_ms, parse_ms = timing["read_s"] * 1000, timing["parse_s"] * 1000
    print(f"{timing['page_bytes']} bytes read in {read_ms:.0f} ms; Beautiful Soup alone {parse_ms:.0f} ms")
    sites = {
        t.site: {k: v for k, v in asdict(t).items() if k not in ("errors", "site")}
        | {"precision": round(t.precision, 4), "recall": round(t.recall, 4), "role_frac": round(t.role_frac, 4)}
        for t in rows
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"speed": timing, "sites": sites}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Every saved page reads as its `output.json` says; a new folder is a new test.

`meta.json` gives the page's kind and address, `output.json` the words of `gleanery probe`, or the error and the path
that it names.
"""

import json
from pathlib import Path

import pytest

import catalog.errors
from spiders.pages.aliexpress import read_item, read_listing, read_reviews
from spiders.pages.contract import PageInput

READERS = {"item": read_item, "listing": read_listing, "reviews": read_reviews}
FIXTURES = Path(__file__).parents[3] / "fixtures" / "pages"
CASES = sorted(path.parent for kind in READERS for path in (FIXTURES / kind).glob("*/output.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_page_reads_as_written(case):
    meta = json.loads((case / "meta.json").read_text(encoding="utf-8"))
    expected = json.loads((case / "output.json").read_text(encoding="utf-8"))
    (saved,) = case.glob("input.*")
    page = PageInput(url=meta["url"], via=meta["via"], body=saved.read_bytes())
    read = READERS[meta["kind"]]
    if "error" in expected:
        with pytest.raises(getattr(catalog.errors, expected["error"])) as caught:
            read(page)
        assert (expected["expected"] or page.url) in str(caught.value)
    else:
        assert read(page).to_json() == expected


def test_the_cases_cover_every_format():
    outputs = [json.loads((case / "output.json").read_text(encoding="utf-8")) for case in CASES]
    assert {output["page_format"] for output in outputs if "page_format" in output} == {
        "runparams", "components", "mtop", "dcdata", "rendered", "html2018",
        "search_json", "search_embedded", "search_html",
        "evaluation_html", "evaluation_json", "dump2018",
    }  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if json.loads((case / "output.json").read_text(encoding="utf-8")).get("records")],
    ids=lambda case: f"{case.parent.name}-{case.name}",
)
def test_a_page_of_one_kind_is_no_page_of_another(case):
    """An item's page is no list of reviews, and so on."""
    (saved,) = case.glob("input.*")
    page = PageInput(url="https://www.aliexpress.com/x.html", body=saved.read_bytes())
    for kind, read in READERS.items():
        if kind != case.parent.name:
            with pytest.raises(catalog.errors.PageForeign):
                read(page)

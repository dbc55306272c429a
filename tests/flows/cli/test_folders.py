"""The commands on plain folders, as a program calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

REPOSITORY = Path(__file__).parents[3]


def gleanery(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "GLEANERY_EXECUTOR": "inline"}
    command = [sys.executable, "-m", "flows.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=120)


@pytest.fixture
def folder(tmp_path):
    for split, size in (("train", (300, 220)), ("test", (150, 110))):
        image = Image.new("RGB", (300, 220), "navy")
        pen = ImageDraw.Draw(image)
        for number in range(30):
            pen.rectangle(
                (number * 9, number * 7 % 190, number * 9 + 17, number * 7 % 190 + 25),
                fill=(number * 8, 90, 200 - number * 5),
            )
        (tmp_path / "set" / split).mkdir(parents=True)
        image.resize(size).save(tmp_path / "set" / split / "p.jpg", quality=90)
    return tmp_path


def test_findings_are_no_failure_unless_asked_for(folder):
    found = gleanery("duplicates", "set", "--fast", "--json", cwd=folder)
    assert found.returncode == 0, found.stderr
    document = json.loads(found.stdout)
    assert [(row["members"], row["kind"]) for row in document["duplicates"]] == [
        (["test/p.jpg", "train/p.jpg"], "near")
    ]
    audited = gleanery("audit", "set", "--fast", "--json", "--fail-on", "leaks", "--html", "page.html", cwd=folder)
    assert audited.returncode == 1
    assert [row["splits"] for row in json.loads(audited.stdout)["leaks"]] == [["test", "train"]]
    assert (folder / "page.html").stat().st_size > 10_000
    assert sorted(path.name for path in folder.iterdir()) == ["page.html", "set"]  # nothing else is left behind


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("duplicates", "nowhere"), "no folder at nowhere"),
        (("audit", "set", "--train", "lost.txt"), "lost.txt: cannot be read"),
        (("audit", "set", "--split", "x"), "name columns of a CSV"),
        (("duplicates", "set", "--fail-on", "dust"), "expected some of duplicates"),
        (("crop", "set", "-o", "out", "--report", "r.txt"), "ends in .csv or .json"),
        (("crop", "set", "-o", "set"), "would replace a picture"),
    ],
)
def test_mistakes_are_told_without_a_traceback(folder, words, said):
    found = gleanery(*words, cwd=folder)
    assert found.returncode == 2
    assert said in found.stderr
    assert "Traceback" not in found.stderr

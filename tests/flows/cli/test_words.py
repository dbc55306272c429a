"""Every command has help, is named in the docs, and answers without loading what is heavy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from flows.cli.app import app

REPOSITORY = Path(__file__).parents[3]
WORDS = {
    "demo", "up", "down", "status", "sampleweb", "source", "probe", "crawl", "import", "curate", "review", "release",
    "train", "lineage", "doctor", "duplicates", "audit", "crop", "quality",
}  # fmt: skip


def _commands(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command  # type: ignore[misc]
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(child, (*path, name))


COMMANDS = list(_commands(typer.main.get_command(app)))


def test_the_words_of_the_design_are_there() -> None:
    assert {path[0] for path, _ in COMMANDS if path} >= WORDS


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=["-".join(path) or "root" for path, _ in COMMANDS])
def test_every_command_and_option_says_what_it_does(path: tuple[str, ...], command: click.Command) -> None:
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None) or parameter.name == "help", f"{path}: {parameter.name} has no help"


def test_help_loads_nothing_heavy() -> None:
    heavy = ("torch", "pandas", "numpy", "prefect", "scrapy", "sqlalchemy", "selenium", "fastapi", "cv2")
    code = (
        "import sys; sys.argv = ['gleanery', '--help']\n"
        "from flows.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', [name for name in {heavy!r} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert "LOADED []" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nonsense"], 2, "No such command"),
        (["crawl"], 2, "say which sources"),
        (["crawl", "no-such-source"], 2, "no source matches"),
        (["curate", "no-such-recipe"], 2, "no recipe"),
        (["release", "verify", "no-such-recipe"], 2, "no release"),
    ],
)
def test_wrong_use_is_told_without_a_traceback(arguments: list[str], code: int, words: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments], capture_output=True, text=True, cwd=REPOSITORY, check=False,
        env={"PATH": "/usr/bin", "GLEANERY_ROOT": str(tmp_path)},
    )  # fmt: skip
    assert (run.returncode, words in run.stderr, "Traceback" in run.stderr) == (code, True, False), run.stderr

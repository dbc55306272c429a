"""Options that several commands share, and how results are shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.progress import Progress, no_progress

if TYPE_CHECKING:
    from catalog.config import Config

Root = Annotated[Path | None, typer.Option("--root", help="The data root (default: GLEANERY_ROOT or data/store).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes (default: the cores there are).")]
Executor = Annotated[str | None, typer.Option(help="inline, processes or dask.")]


def config_for(root: Path | None, **overrides: Any) -> Config:
    """Read the settings, with what the command says on top."""
    from catalog.config import load_config

    return load_config(os.environ, Path(), {"root": root, **overrides})


def print_json(value: Any) -> None:
    """Print one JSON document."""
    json.dump(value, sys.stdout, indent=1, ensure_ascii=False, default=str)
    sys.stdout.write("\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; numbers stand right."""
    from rich.console import Console
    from rich.table import Table

    # A pipe has no width of its own: without one, names would be broken in two.
    console = Console() if sys.stdout.isatty() else Console(width=160)
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for number, column in enumerate(columns):
        is_number = bool(rows) and all(isinstance(row[number], int | float) for row in rows)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console.print(table)


def print_facts(title: str, facts: Mapping[str, Any]) -> None:
    """Print names and values as a table."""
    print_table(title, ["", ""], [[name, str(value)] for name, value in facts.items()])


def print_story(value: Any, indent: int = 0) -> None:
    """Print nested facts, a line each, as an outline; empty ones are left out."""
    for name, part in value.items():
        if part in (None, "", [], {}):
            continue
        if isinstance(part, dict):
            typer.echo(f"{' ' * indent}{name}:")
            print_story(part, indent + 2)
        elif isinstance(part, list) and isinstance(part[0], dict):
            typer.echo(f"{' ' * indent}{name}:")
            for entry in part:
                typer.echo(f"{' ' * indent}  -")
                print_story(entry, indent + 4)
        else:
            typer.echo(f"{' ' * indent}{name}: {part}")


@contextmanager
def progress_bars(*, is_quiet: bool = False) -> Iterator[Progress]:
    """Show a bar for each thing that is being done; the yielded function moves them."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    if is_quiet:
        yield no_progress
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Bars go to stderr: stdout stays for results.
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def move(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=max(total, done))

        yield move

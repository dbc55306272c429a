"""Commands on frozen data sets: release build, verify, diff."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli import options
from flows.cli.options import AsJson, Root

_RELEASE = Annotated[str, typer.Argument(help="A recipe for its latest release, or recipe@version.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    release = typer.Typer(help="Freeze data sets, check them, compare them.", no_args_is_help=True)
    release.command("build")(build)
    release.command("verify")(verify)
    release.command("diff")(diff)
    release.command("sheet")(sheet)
    app.add_typer(release, name="release")


def build(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe.")], root: Root = None, as_json: AsJson = False
) -> None:
    """Curate what is new and freeze the data set; the same content again is the same release."""
    from flows import steps

    config = options.config_for(root)
    with options.progress_bars(is_quiet=as_json) as progress:
        curated = steps.curate_recipe(config, recipe, progress)
        release = steps.release_curated(config, curated, progress)
    facts = {"release": f"{recipe}@{release.version}", "folder": str(release.folder), **release.manifest["counts"]}
    if as_json:
        options.print_json(facts)
        return
    # A data set may have thousands of labels: a person wants their number.
    shown = {name: len(value) if name == "labels" else value for name, value in facts.items()}
    options.print_facts("Release", shown)


def verify(name: _RELEASE, root: Root = None, as_json: AsJson = False) -> None:
    """Hash every file and count the certificate again, from the release alone."""
    from catalog.release_format import find_release
    from curation.release.verify import verify_release_folder

    release = find_release(options.config_for(root).data_root.releases, name)
    problems = verify_release_folder(release.folder)
    if as_json:
        options.print_json({"release": f"{release.recipe}@{release.version}", "problems": problems})
    else:
        typer.echo("\n".join(problems) or f"{release.recipe}@{release.version} is whole, and no split leaks")
    raise typer.Exit(1 if problems else 0)


def diff(a: _RELEASE, b: _RELEASE, root: Root = None, as_json: AsJson = False) -> None:
    """Say what was added, removed or moved between two releases."""
    from catalog.release_format import find_release
    from curation.release.diff import diff_releases

    releases = options.config_for(root).data_root.releases
    changes = diff_releases(find_release(releases, a), find_release(releases, b))
    if as_json:
        options.print_json(changes)
    else:
        options.print_facts(f"From {a} to {b}", changes["counts"])


def sheet(
    name: _RELEASE,
    out: Annotated[Path, typer.Option("--out", "-o", help="JPEG file to write.")] = Path("sheet.jpg"),
    split: Annotated[str, typer.Option(help="Only this part: train, validation or test.")] = "",
    root: Root = None,
) -> None:
    """Put many pictures of a release side by side, to be looked at."""
    from catalog.files import write_bytes
    from catalog.release_format import find_release
    from curation.release.sheet import contact_sheet

    release = find_release(options.config_for(root).data_root.releases, name)
    write_bytes(out, contact_sheet(release, split=split))
    typer.echo(f"wrote {out}")

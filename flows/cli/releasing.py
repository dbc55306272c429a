"""Commands on frozen data sets: release build, verify, diff, export, sheet."""

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
    release.command("export")(export)
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


def verify(
    name: Annotated[str, typer.Argument(help="A recipe, recipe@version, or the folder of a release or an export.")],
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Hash every file and count the certificate again, from the release alone; no data root is needed for a folder."""
    from catalog.release_format import find_release, open_release
    from curation.release.certificate_page import verdict_line
    from curation.release.export import EXPORT, verify_export
    from curation.release.verify import verify_release_folder

    folder = Path(name)
    if (folder / EXPORT).is_file():
        what, verdict, problems = str(folder), "", verify_export(folder)
    else:
        is_folder = folder.is_dir()
        release = (
            open_release(folder) if is_folder else find_release(options.config_for(root).data_root.releases, name)
        )
        what, problems = f"{release.recipe}@{release.version}", verify_release_folder(release.folder)
        verdict = "" if problems else verdict_line(release.certificate())
    if as_json:
        options.print_json({"release": what, "problems": problems, "verdict": verdict})
    else:
        typer.echo("\n".join(problems) or f"{what} is whole. {verdict}".rstrip())
    raise typer.Exit(1 if problems else 0)


def export(
    name: _RELEASE,
    format_name: Annotated[
        str, typer.Argument(metavar="FORMAT", help="class-folders, imagefolder, index-csv, parquet or webdataset.")
    ],
    to: Annotated[
        Path | None,
        typer.Option("--to", help="Folder to write (default: exports/<recipe>/<format> of the data root)."),
    ] = None,
    is_copied: Annotated[bool, typer.Option("--copy", help="Copy pictures instead of hard-linking them.")] = False,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Write a release in the shape another program reads; what is there and did not change stays as it is."""
    from catalog.release_format import find_release
    from curation.release.export import export_release
    from flows.keeping import hand_out

    config = options.config_for(root)
    data_root = config.data_root
    release = find_release(data_root.releases, name)
    folder = to or data_root.exports / release.recipe / format_name
    with options.progress_bars(is_quiet=as_json) as progress:
        done = export_release(
            release, format_name, folder, is_copied=is_copied,
            on_progress=lambda count, total: progress(f"{release.recipe}: {format_name}", count, total),
        )  # fmt: skip
    if not folder.resolve().is_relative_to(data_root.root.resolve()):  # a takedown cannot reach it, but names it
        hand_out(config, f"{release.recipe}@{release.version}", str(folder.resolve()))
    facts = {
        "release": f"{release.recipe}@{release.version}", "folder": str(folder), "written_count": done.written_count,
        "kept_count": done.kept_count, "removed_count": done.removed_count,
    }  # fmt: skip
    if as_json:
        options.print_json(facts)
    else:
        options.print_facts("Export", facts)


def diff(a: _RELEASE, b: _RELEASE, root: Root = None, as_json: AsJson = False) -> None:
    """Say what was added, removed, moved, relabelled or redrawn between two releases, and what was in conflict."""
    from catalog.release_format import find_release
    from curation.release.diff import diff_releases

    releases = options.config_for(root).data_root.releases
    changes = diff_releases(find_release(releases, a), find_release(releases, b))
    if as_json:
        options.print_json(changes)
    else:
        options.print_facts(f"From {a} to {b}", changes["counts"])
        for conflict in changes["conflicts"]:
            typer.echo(
                f"group {conflict['group_id']}: new copies joined {conflict['keeps']} and {conflict['yields']}; "
                f"{conflict['samples_count']} samples of {conflict['yields']} were held back"
            )


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

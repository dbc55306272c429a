"""Commands on a plain folder of pictures, without a data root: duplicates, audit, crop, quality."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli import options
from flows.cli.options import AsJson, Executor, Workers

if TYPE_CHECKING:
    from curation.executors import Executor as RunningExecutor
    from curation.folder.audit import Audit
    from curation.folder.roster import Roster

_DIR = Annotated[Path, typer.Argument(help="Folder of pictures; folders in it are entered.")]
_WORK = Annotated[Path | None, typer.Option("--work", help="Keep what is measured here, for a later run.")]
_HTML = Annotated[Path | None, typer.Option("--html", help="Write a page that shows the pictures side by side.")]
_FAST = Annotated[bool, typer.Option("--fast", help="Without the embedding: sooner, and may miss a crop or two.")]
_PROB = Annotated[float, typer.Option(min=0.0, max=1.0, help="Probability from which a pair counts as copies.")]
_FAIL_ON = Annotated[list[str] | None, typer.Option("--fail-on", help="Exit 1 where any of these is found.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (duplicates, audit, crop, quality):
        app.command()(command)


def duplicates(
    folder: _DIR,
    html: _HTML = None,
    fast: _FAST = False,
    copy_prob: _PROB = 0.5,
    fail_on: _FAIL_ON = None,
    work: _WORK = None,
    workers: Workers = None,
    executor: Executor = None,
    as_json: AsJson = False,
) -> None:
    """Find copies in a folder: equal bytes, equal pixels, and near ones (re-encoded, resized, cropped, mirrored)."""
    from curation.folder.pictures import find_pictures
    from curation.folder.roster import Roster

    _check_fail_on(fail_on, ("duplicates", "unreadable"))
    roster = Roster(folder, tuple(find_pictures(folder)))
    found = _audited(roster, html, f"Copies in {folder.name}", fast, copy_prob, work, workers, executor, as_json)
    if as_json:
        clusters = [told.cluster.to_json() for told in found.clusters]
        options.print_json({"images": len(roster.paths), "unreadable": list(found.reasons), "duplicates": clusters})
    else:
        _print_clusters(found, with_sides=False)
    _fail(found, fail_on)


def audit(
    target: Annotated[Path, typer.Argument(help="Folder of pictures, or CSV with a row per picture.")],
    split: Annotated[str | None, typer.Option(help="CSV column of the split (default: split, set, subset).")] = None,
    train: Annotated[Path | None, typer.Option(help="File names of the train part, one a line.")] = None,
    test: Annotated[Path | None, typer.Option(help="File names of the test part, one a line.")] = None,
    val: Annotated[Path | None, typer.Option(help="File names of the validation part, one a line.")] = None,
    labels: Annotated[
        str | None, typer.Option(help="CSV column of the label; `folder` or `none` for a folder.")
    ] = None,
    groups: Annotated[
        str | None, typer.Option(help="CSV column that no split may part (name, item); `folder` for a folder.")
    ] = None,
    path: Annotated[str | None, typer.Option(help="CSV column of the path (default: path, file, image).")] = None,
    html: _HTML = None,
    fast: _FAST = False,
    copy_prob: _PROB = 0.5,
    fail_on: _FAIL_ON = None,
    work: _WORK = None,
    workers: Workers = None,
    executor: Executor = None,
    as_json: AsJson = False,
) -> None:
    """Check any data set for leaks: copies across splits and labels, identities on two sides, unreadable files."""
    from catalog.errors import UsageError
    from curation.folder.audit import FINDINGS
    from curation.folder.roster import roster_of_folder, roster_of_table

    _check_fail_on(fail_on, FINDINGS)
    lists = {name: file for name, file in (("train", train), ("test", test), ("val", val)) if file is not None}
    if target.is_file():
        if lists:
            raise UsageError("--train, --test and --val go with a folder; a CSV has its column, --split")
        roster = roster_of_table(target, split, labels, groups, path)
    else:
        if split or path:
            raise UsageError("--split and --path name columns of a CSV; for a folder give --train and --test")
        roster = roster_of_folder(target, lists, labels, groups)
    found = _audited(roster, html, f"Audit of {target.name}", fast, copy_prob, work, workers, executor, as_json)
    if as_json:
        options.print_json(found.to_json())
    else:
        _print_clusters(found, with_sides=True)
    _fail(found, fail_on)


def crop(
    folder: _DIR,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the crops; the structure is kept.")],
    size: Annotated[int, typer.Option(min=1, max=4096, help="Side of the square crop, px.")] = 128,
    format_: Annotated[str, typer.Option("--format", help="jpg or png.")] = "jpg",
    align: Annotated[bool, typer.Option("--align", help="Level the eyes.")] = False,
    face_percent: Annotated[int, typer.Option(min=1, max=100, help="Share of the height that the face takes.")] = 60,
    quality: Annotated[int, typer.Option(min=1, max=100, help="JPEG quality.")] = 92,
    choose: Annotated[
        str, typer.Option(help="Among several faces: prominent, central, largest, or dominant (may refuse).")
    ] = "prominent",
    min_face: Annotated[int, typer.Option(min=1, help="Smaller faces are rejected, px.")] = 16,
    report: Annotated[Path | None, typer.Option(help="CSV or JSON with a row per picture, and why it failed.")] = None,
    workers: Workers = None,
    executor: Executor = None,
    as_json: AsJson = False,
) -> None:
    """Crop the face of every picture of a folder into another folder; sources are never touched."""
    from catalog.errors import UsageError
    from curation.folder.crop import CropSettings, crop_folder, write_report
    from curation.stages.samples import CHOICES

    if format_ not in ("jpg", "png") or choose not in CHOICES:
        raise UsageError(
            f"--format {format_} --choose {choose}, expected jpg or png, and one of: {', '.join(CHOICES)}"
        )
    if report is not None and report.suffix.lower() not in (".csv", ".json"):
        raise UsageError(f"--report {report}: expected a name that ends in .csv or .json")
    settings = CropSettings(
        size_px=size,
        format=format_,
        face_percent=face_percent,
        is_aligned=align,
        jpeg_quality=quality,
        choose=choose,
        min_face_px=min_face,
    )
    with options.progress_bars(is_quiet=as_json) as progress:
        rows = crop_folder(folder, out, settings, _executor(workers, executor), progress)
    if report is not None:
        write_report(report, rows)
    if as_json:
        options.print_json({"images": len(rows), "crops": sum(bool(row["crop"]) for row in rows), "pictures": rows})
    else:
        _print_reasons(f"Crops in {out}", [row["reason"] for row in rows], "cropped")


def quality(
    folder: _DIR,
    min_side: Annotated[int | None, typer.Option(min=0, help="Shorter sides are too small, px.")] = None,
    min_sharpness: Annotated[
        float | None, typer.Option(min=0, help="Less is blurred (variance of Laplacian).")
    ] = None,
    min_entropy: Annotated[float | None, typer.Option(min=0, max=8, help="Less is blank, bits.")] = None,
    fail_on: _FAIL_ON = None,
    work: _WORK = None,
    workers: Workers = None,
    executor: Executor = None,
    as_json: AsJson = False,
) -> None:
    """Measure size, sharpness, exposure, contrast, entropy, colour and borders of every picture of a folder."""
    from curation.folder.pictures import find_pictures, list_pictures, measure, working_folder
    from curation.folder.quality import STAGES, quality_rows

    limits = {"min_side_px": min_side, "min_sharpness": min_sharpness, "min_entropy_bits": min_entropy}
    asked = {name: float(value) for name, value in limits.items() if value is not None}
    _check_fail_on(fail_on, ("reasons",))
    with options.progress_bars(is_quiet=as_json) as progress, working_folder(work) as place:
        listed = list_pictures(folder, find_pictures(folder), progress)
        measured = measure(listed, STAGES, place, _executor(workers, executor), progress)
        rows = quality_rows(measured, asked)
    if as_json:
        options.print_json({"images": len(rows), "unreadable": list(measured.reasons), "pictures": rows})
    else:
        _print_reasons(f"Quality of {folder}", [row["reason"] for row in rows], "nothing wrong")
        bad = [[row["path"], row["reason"]] for row in rows if row["reason"]]
        if bad:
            options.print_table("Not usable", ["path", "reason"], bad)
    if fail_on and any(row["reason"] for row in rows):
        raise typer.Exit(1)


def _audited(
    roster: Roster,
    html: Path | None,
    title: str,
    is_fast: bool,
    copy_prob: float,
    work: Path | None,
    workers: int | None,
    executor: str | None,
    is_quiet: bool,
) -> Audit:
    """Measure, compare, and write the page where it is asked for."""
    from curation.folder import duplicates as copies
    from curation.folder.audit import audit as lay_over
    from curation.folder.pictures import list_pictures, measure, working_folder
    from curation.folder.report import write_audit_page

    with options.progress_bars(is_quiet=is_quiet) as progress, working_folder(work) as place:
        listed = list_pictures(roster.folder, roster.paths, progress)
        stages = copies.stages_for(with_embedding=not is_fast)
        measured = measure(listed, stages, place, _executor(workers, executor), progress)
        clusters = copies.find_clusters(measured, {"copy_prob": copy_prob}, progress)
        found = lay_over(roster, measured.reasons, clusters)
        if html is not None:
            write_audit_page(html, title, found, measured, with_sides=not title.startswith("Copies"))
    return found


def _executor(workers: int | None, executor: str | None) -> RunningExecutor:
    from curation.executors import executor_for

    return executor_for(options.config_for(None, workers=workers, executor=executor))


def _check_fail_on(asked: list[str] | None, known: tuple[str, ...]) -> None:
    from catalog.errors import UsageError

    unknown = sorted(set(asked or ()) - set(known))
    if unknown:
        raise UsageError(f"--fail-on {', '.join(unknown)}: expected some of {', '.join(known)}")


def _fail(found: Audit, fail_on: list[str] | None) -> None:
    if any(found.counts[name] for name in fail_on or ()):
        raise typer.Exit(1)


def _print_clusters(found: Audit, *, with_sides: bool) -> None:
    names = ("leaks", "conflicts", "identities") if with_sides else ()
    facts: dict[str, Any] = {"pictures": len(found.roster.paths)}
    facts |= {name: found.counts[name] for name in (*names, "duplicates", "unreadable")}
    for note in found.roster.notes:
        typer.echo(note)
    options.print_facts("Found", facts)
    shown = (found.leaks if with_sides else []) or found.clusters
    columns = ["kind", *(["splits", "labels"] if with_sides else []), "members"]
    rows = [
        [
            told.cluster.kind,
            *([", ".join(told.splits), ", ".join(told.labels)] if with_sides else []),
            "\n".join(told.cluster.members),
        ]
        for told in shown
    ]
    if rows:
        options.print_table("Leaks" if with_sides and found.leaks else "Copies", columns, rows)
    for path, reason in found.reasons.items():
        typer.echo(f"unreadable: {path} ({reason})")


def _print_reasons(title: str, reasons: list[str], fine: str) -> None:
    from collections import Counter

    counts = Counter(reason or fine for reason in reasons)
    options.print_table(title, ["outcome", "pictures"], [[name, count] for name, count in counts.most_common()])

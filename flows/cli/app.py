"""The root of the command line: options that all commands share, and the list of commands."""

from __future__ import annotations

import typer

from flows.cli.collecting import register as register_collecting
from flows.cli.curating import register as register_curating
from flows.cli.folders import register as register_folders
from flows.cli.keeping import register as register_keeping
from flows.cli.operating import register as register_operating
from flows.cli.releasing import register as register_releasing
from flows.cli.training import register as register_training

app = typer.Typer(
    name="gleanery",
    help="From web pages to leak-free image data sets, and from there to trained models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

register_collecting(app)
register_curating(app)
register_folders(app)
register_releasing(app)
register_training(app)
register_keeping(app)
register_operating(app)

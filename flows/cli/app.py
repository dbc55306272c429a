"""The root of the command line: options that all commands share, and the list of commands."""

from __future__ import annotations

import typer

from flows.cli import collecting, curating, operating, releasing, training

app = typer.Typer(
    name="gleanery",
    help="From web pages to leak-free image data sets, and from there to trained models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

collecting.register(app)
curating.register(app)
releasing.register(app)
training.register(app)
operating.register(app)

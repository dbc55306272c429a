"""The `gleanery` command: thin words over functions that also run without it.

Everything heavy is imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; errors that a user is meant to read come without a traceback."""
    from catalog.errors import GleaneryError
    from flows.cli.app import app

    try:
        app()
    except GleaneryError as error:
        print(f"gleanery: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)

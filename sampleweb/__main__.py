"""`python -m sampleweb serve`: serve the sample web and, if asked, write its truth and source declarations."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sampleweb.images import ImageStore
from sampleweb.server import serve
from sampleweb.sources import write_sources
from sampleweb.truth import write_truth
from sampleweb.world import DEFAULT_PORT, build_world


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sampleweb", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("serve", help="serve on loopback until interrupted")
    command.add_argument("--port", type=int, default=DEFAULT_PORT)
    command.add_argument("--seed", type=int, default=7)
    command.add_argument("--scale", type=float, default=1.0, help="size of the world, above 0 up to 1")
    command.add_argument("--truth", type=Path, help="write truth.json and sources/*.toml into this folder first")
    command.add_argument(
        "--cache", type=Path, help="keep rendered images in this folder (default: images/ in the truth folder)"
    )
    command.add_argument("--log", type=Path, help="append one JSON line per request to this file")
    options = parser.parse_args(arguments)
    world = build_world(options.seed, options.scale)
    cache = options.cache or (options.truth / "images" if options.truth else None)
    if options.truth is not None:
        write_truth(world, options.truth, options.port, ImageStore(cache), processes=2)
        write_sources(world, options.truth / "sources", options.port)
    print(
        f"{len(world.sites)} sites on port {options.port}, from http://{world.sites[0].host}:{options.port}{world.sites[0].start}"
    )
    try:
        serve(world, options.port, options.log, cache_folder=cache)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

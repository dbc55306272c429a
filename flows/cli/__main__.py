"""`python -m flows.cli` is `gleanery`."""

from flows.cli import main

main()

"""Folders as sources: data sets that already exist go down the same road as crawled ones."""

from spiders.importers.importer import import_folder
from spiders.importers.layouts import LAYOUTS

__all__ = ["LAYOUTS", "import_folder"]

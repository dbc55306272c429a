"""Catalogs on both databases, as the tests of the catalog have them."""

from __future__ import annotations

from tests.catalog.conftest import catalog, land_run, postgres_url

__all__ = ["catalog", "land_run", "postgres_url"]

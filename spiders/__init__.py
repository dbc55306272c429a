"""Collecting: sources, pages, fetching, landing."""

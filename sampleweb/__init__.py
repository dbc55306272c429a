"""A small fake web with planted truth."""

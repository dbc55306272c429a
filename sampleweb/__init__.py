"""A small fake web with planted truth: universities and a shop, seeded, on loopback.

Imports nothing of the project: an oracle must not share a bug with what it judges.
"""

"""Prefect flows, deployments and the command line: the faces of the same functions."""

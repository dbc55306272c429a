"""Releases in the shapes that other programs read."""

"""Letting a person go: find every trace, show it, remove it, keep it out, and say what could not be reached."""

"""From landed images to decisions, splits and releases."""

"""One file per stage, registered by name and version."""

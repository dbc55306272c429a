"""From what was read and fetched to subjects and sightings: pure, and the same in whatever order things arrived."""

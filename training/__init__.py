"""From a release to a trained, explained model."""

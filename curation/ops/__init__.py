"""Pure numerics."""

"""Review queues, one file each, and their registry."""

"""Review queues and their web app."""

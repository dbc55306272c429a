"""Pretrained feature extractors for curation and training."""

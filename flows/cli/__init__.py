"""The gleanery command."""

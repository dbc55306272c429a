"""Plain folders of pictures, without a data root: duplicates, crops, quality and audit on the engine of curation."""

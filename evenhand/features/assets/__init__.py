"""Files that tasks show: uploaded or fetched."""

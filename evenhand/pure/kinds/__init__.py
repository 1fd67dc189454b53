"""Kinds of annotation: one file each, and one written list in `listing.py`."""

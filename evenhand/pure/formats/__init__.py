"""File formats: one file each, and one written list in `listing.py`. All writers stream with flat memory."""

"""Leaving: legal holds, retention, deletion that can be proved, and the archive of everything."""

"""Organisations, people, roles, keys, sessions and links."""

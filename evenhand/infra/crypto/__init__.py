"""Authenticated encryption: rows with XAES-256-GCM, files with FLOE. Both from public specifications, with their vectors."""

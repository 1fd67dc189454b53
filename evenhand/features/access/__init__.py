"""Signing in and staying in: what proves who somebody is, their sessions, an organisation's own provider and its networks."""

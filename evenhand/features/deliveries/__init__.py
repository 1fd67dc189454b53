"""Callbacks, exports and deliveries."""

"""Floor 1: decides. No I/O, no clock, no framework."""

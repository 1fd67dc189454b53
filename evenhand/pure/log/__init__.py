"""The transparency log: trees, tiles, notes, leaves, and the evidence that a customer checks alone."""

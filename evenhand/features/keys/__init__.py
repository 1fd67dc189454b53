"""A customer's keys: where they are, who opened them, rotation."""

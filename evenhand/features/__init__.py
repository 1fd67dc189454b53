"""Floor 3: one folder per noun."""

"""Contracts: the public rate card, what each customer has agreed, and the walls that a contract asks for."""

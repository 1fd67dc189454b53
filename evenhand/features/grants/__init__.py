"""Access of the operator's people to what is a customer's: given, timed, seen and ended; and what remains when somebody leaves."""

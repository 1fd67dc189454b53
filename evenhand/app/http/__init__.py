"""The native HTTP interface and the studio."""

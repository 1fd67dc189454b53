"""The embedded PostgreSQL: its supervisor, its roles, its backup and its doctor."""

"""Projects, their versions, batches and seats."""

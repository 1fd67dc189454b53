"""Tasks, the queue and leases."""

"""Floor 2: reaches. Postgres, objects, keys, jobs, facts, the network."""

"""What the benchmarks share: a real server in a temporary home, CPU of a process tree, one JSON object a line."""

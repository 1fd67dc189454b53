"""Floor 4: doors. HTTP, worker, command line; compatible interfaces of other vendors are doors too."""

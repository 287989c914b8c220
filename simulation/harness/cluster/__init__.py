"""Several houses of production code on one engine in memory, and everything that may part them."""

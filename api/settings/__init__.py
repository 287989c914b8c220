"""Settings: what can be set, where it is read from, and how mistakes in it are reported."""

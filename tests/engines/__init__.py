"""The engines that Debian has: fetched, and each held against the tests of the engine."""

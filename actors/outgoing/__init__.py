"""Events that are posted to other people's receivers: who wants them, and where each one stands."""

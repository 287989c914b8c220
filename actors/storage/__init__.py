"""How the actors use the store: its writer, the form of records, history, idempotency keys."""

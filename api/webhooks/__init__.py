"""ChirpStack's webhooks: the endpoint that takes them, and the intake behind it."""

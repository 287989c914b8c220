"""What the demo adds to the service: the pretend ChirpStack's webhooks and routes."""

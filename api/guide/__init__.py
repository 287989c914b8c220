"""The guide that the service serves itself, offline: the Markdown of `docs/`, rendered."""

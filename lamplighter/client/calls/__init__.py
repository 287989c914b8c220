"""What can be asked of a service: each question once, for every client."""

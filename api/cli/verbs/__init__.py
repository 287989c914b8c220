"""The verbs that speak to a running service, one file each."""

"""The tokens of the server that is attacked."""

VIEWER = "viewer-token-0123456789abcdef"
TOKENS = {
    "viewer": [VIEWER],
    "operator": ["operator-token-0123456789abcdef"],
    "webhook": ["webhook-token-0123456789abcdef"],
}

"""Signatures by the scheme of Standard Webhooks (https://www.standardwebhooks.com), version v1.

What is signed is `id.timestamp.body`, by HMAC-SHA256. A receiver that knows one of the secrets
finds its signature among those of the header.
"""

import base64
import hashlib
import hmac
import secrets as random_bytes
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
KEY_BYTES = 32
"""As the scheme recommends: 24 to 64."""


def new_secret() -> str:
    """A fresh secret, as it is given to a receiver."""
    return PREFIX + base64.b64encode(random_bytes.token_bytes(KEY_BYTES)).decode()


def signed(event_id: str, at: int, body: bytes, secrets: Sequence[str]) -> Mapping[str, str]:
    """The three headers; `at` is Unix seconds. Raises ValueError for a secret that is none."""
    content = b"%s.%d.%s" % (event_id.encode(), at, body)
    made = []
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        digest = hmac.digest(key, content, hashlib.sha256)
        made.append(f"v1,{base64.b64encode(digest).decode()}")
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(made),
    }

"""The token by which a probe's packets are told from all others: 32 hex digits in their payload.

In a learner's lab half of it is made with the learner's key, so that nobody else's packets pass for his.
"""

from __future__ import annotations

import hmac
import secrets

_HALF = 16  # hex digits


def token(key: str, probe: str) -> str:
    """A fresh one for a probe; random throughout without a key."""
    nonce = secrets.token_hex(_HALF // 2)
    return nonce + (_mark(key, probe, nonce) if key else secrets.token_hex(_HALF // 2))


def is_of(key: str, probe: str, found: str) -> bool:
    """Whether the token was made with this key for this probe."""
    return len(found) == 2 * _HALF and hmac.compare_digest(found[_HALF:], _mark(key, probe, found[:_HALF]))


def _mark(key: str, probe: str, nonce: str) -> str:
    return hmac.new(key.encode(), f"{nonce}{probe}".encode(), "sha256").hexdigest()[:_HALF]

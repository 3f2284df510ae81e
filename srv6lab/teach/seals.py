"""Answers that no packet tells, made unreadable: whoever reads the file can only try, and each try takes its time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache, partial

from srv6lab.teach.spelling import cleaned, words

_scrypt = partial(hashlib.scrypt, n=2**14, r=8, p=1, dklen=32)  # some 50 ms, and 16 MiB


def seal(text: str) -> str:
    """`salt:digest` in hex, of what the text comes to however it is spelled."""
    salt = secrets.token_hex(8)
    return f"{salt}:{_digest(salt, words(cleaned(text)))}"


def opens(sealed: str, text: str) -> bool:
    """Whether a cleaned text is one of those that were sealed."""
    said = words(text)
    every = [one.split(":") for one in sealed.split()]
    return any(hmac.compare_digest(_digest(salt, said), digest) for salt, digest in every)


@lru_cache(maxsize=512)
def _digest(salt: str, said: str) -> str:
    """Kept, since a class gives the same answers."""
    return _scrypt(said.encode("utf-8", "replace"), salt=bytes.fromhex(salt)).hex()

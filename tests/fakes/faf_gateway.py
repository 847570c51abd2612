"""Addresses that a gateway lets in for a while (section 2.2)."""

import base64
import hashlib
import hmac
from urllib.parse import quote, unquote


def sign(key: str, path: str, seconds: int) -> str:
    """Return the token that opens a path, as it stands in an address."""
    if not path.startswith("/"):
        path = "/" + path
    digest = hmac.digest(key.encode(), f"{path}{seconds}".encode(), hashlib.sha256)
    return f"{seconds}-{quote(base64.b64encode(digest).decode(), safe='')}"


def is_signed(key: str, path: str, token: str, now: float, lifetime: float) -> bool:
    """Whether a token opens a path; it may be percent-encoded or not."""
    seconds, _, _ = token.partition("-")
    if not seconds.isdecimal() or abs(now - int(seconds)) > lifetime:
        return False
    wanted = unquote(sign(key, path, int(seconds)))
    return hmac.compare_digest(unquote(token).encode(), wanted.encode())

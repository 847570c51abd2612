"""Readers of values that several plugins have in common (the KDE Connect reference, 2)."""

import base64
import binascii
from typing import Final

from ...json_fields import MAX_ID
from ...json_lines import JsonObject

_BASE64_BYTES: Final = 3
_BASE64_CHARACTERS: Final = 4


def get_id(body: JsonObject, key: str, *, limit: int = MAX_ID) -> str | None:
    """Return an identifier, sent as text or as a whole number.

    None when it is absent, empty, of another type, or longer than `limit` characters: half
    an identifier names nothing.
    """
    value = body.get(key)
    if isinstance(value, str):  # nearly all: long packets have many thousands
        return value if 0 < len(value) <= limit else None
    if isinstance(value, int) and not isinstance(value, bool):
        return text if len(text := str(value)) <= limit else None
    return None


def get_base64(body: JsonObject, key: str, *, limit: int) -> str | None:
    """Return base64 text as it was sent, for `decode_base64`.

    None when it is absent, empty, of another type, or stands for clearly more than `limit`
    bytes. Line breaks are allowed for.
    """
    value = body.get(key)
    longest = _encoded_length(limit) * 2
    return value if isinstance(value, str) and 0 < len(value) <= longest else None


def decode_base64(text: str, *, limit: int) -> bytes | None:
    """Return the bytes of base64 text with or without line breaks and padding.

    None when it is no base64, stands for no byte at all, or for more than `limit` bytes.
    """
    packed = "".join(text.split()).rstrip("=")
    if not packed or len(packed) > _encoded_length(limit):
        return None
    try:
        data = base64.b64decode(
            packed + "=" * (-len(packed) % _BASE64_CHARACTERS), validate=True
        )
    except binascii.Error, ValueError:
        return None
    return data if 0 < len(data) <= limit else None


def _encoded_length(size: int) -> int:
    return -(-size // _BASE64_BYTES) * _BASE64_CHARACTERS

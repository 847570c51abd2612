"""Paths in a phone's storage, and the names under which others ask for them.

They are bytes: a phone may have names that are no UTF-8.
"""

import base64
import binascii
from collections.abc import Iterable
from typing import Final

MAX_PATH: Final = 4096
"""Bytes of a path."""
MAX_DEPTH: Final = 64
"""Folders in a path."""
MAX_NAME: Final = 1024
"""Bytes of a name; longer ones are left out of their folder."""

_ITEM_LENGTH: Final = (MAX_PATH + 2) // 3 * 4


def normalise(path: bytes) -> bytes | None:
    """Return an absolute path without empty parts and `.`, None for one that is not usable.

    That is one which is relative, goes up, is too long or deep, or has a NUL.
    """
    if not path.startswith(b"/") or len(path) > MAX_PATH or b"\0" in path:
        return None
    parts = [part for part in path.split(b"/") if part not in (b"", b".")]
    if b".." in parts or len(parts) > MAX_DEPTH:
        return None
    return b"/" + b"/".join(parts)


def is_within(path: bytes, roots: Iterable[bytes]) -> bool:
    """Tell whether a normalised path is one of these normalised ones or below it."""
    return any(
        path == root or path.startswith(root.rstrip(b"/") + b"/") for root in roots
    )


def is_usable_name(name: bytes) -> bool:
    """Tell whether a name in a folder is one, and not a path of its own."""
    return (
        0 < len(name) <= MAX_NAME
        and name not in (b".", b"..")
        and b"/" not in name
        and b"\0" not in name
    )


def join(folder: bytes, name: bytes) -> bytes | None:
    """Return the path of a usable name in a normalised folder, None when it is too long."""
    return normalise(folder + b"/" + name)


def display_name(path: bytes) -> str:
    """Return the last part of a path as text for a human."""
    return path.rpartition(b"/")[2].decode(errors="replace")


def encode_item(path: bytes) -> str:
    """Return a normalised path as a word that is safe in any address."""
    return base64.urlsafe_b64encode(path).rstrip(b"=").decode("ascii")


def decode_item(item: str) -> bytes | None:
    """Return the normalised path of such a word, None for one that stands for none."""
    if len(item) > _ITEM_LENGTH or not item.isascii():
        return None
    try:
        path = base64.b64decode(
            item + "=" * (-len(item) % 4), altchars=b"-_", validate=True
        )
    except binascii.Error:
        return None
    # One path has one name.
    return path if normalise(path) == path and encode_item(path) == item else None

"""Texts of devices as they may be shown: anybody in the network can announce any of them."""

from functools import lru_cache
import re
from typing import Final

MAX_NAME: Final = 64
"""Characters of a name that are shown."""

_JOINERS: Final = frozenset("\u200c\u200d")
"""Not visible, but what is around them looks different: emoji, Persian, Indian scripts."""
_MARKUP: Final = re.compile(r"[][()<>*`|\\/:@!]|(?<=\bwww)\.", re.IGNORECASE)
"""What dialogs could take for a link or a picture."""


def clean_text(text: str, limit: int = MAX_NAME) -> str:
    """Return a device's text as it may be shown: one line, visible, at most so long."""
    return _clean(text[: limit * 4], limit)


# The names of many speakers are looked at by several entities, at each change.
@lru_cache(maxsize=512)
def _clean(text: str, limit: int) -> str:
    if not text.isprintable():
        text = "".join(
            character if character.isprintable() or character in _JOINERS else " "
            for character in text
        )
    return " ".join(text.split())[:limit].rstrip()


def plain_text(text: str, limit: int = MAX_NAME) -> str:
    """Return a device's text as it may be shown in a dialog, which knows markup."""
    return clean_text(_MARKUP.sub(" ", text[: limit * 4]), limit)

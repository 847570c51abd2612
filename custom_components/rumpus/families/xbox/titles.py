"""What titles are called; nothing here does input or output.

A console tells no names of titles, only their ids and the application user model id, which
is made of the package's name, its publisher's hash, and the application within it.
"""

import re
from typing import Final

from ...names import MAX_NAME, clean_text

MAX_AUM: Final = 256
"""Characters of an application user model id that are kept."""

SYSTEM_TITLES: Final = {
    0x162615AD: "Live TV",
    0x18FFC9F4: "Groove Music",
    0x2A992D3A: "Home",
    0x38B0B8C2: "Console setup",
    0x3D705025: "Movies & TV",
    0x3D8B930F: "Microsoft Edge",
    0x53E91323: "Store",
    0x5848085B: "Zune",
    0x58480880: "Internet Explorer",
    0x584D07D1: "Avatar editor",
    0x6A5297CD: "Blu-ray player",
    0x6A53FD52: "Snap an app",
    0x7A8015DD: "OneGuide",
    0xFFFE07D1: "Dashboard",
    0xFFFFFFFF: "Console update",
}
"""The titles of the system by their ids (the SmartGlass reference, section 8.18)."""

_PUBLISHER: Final = re.compile(r"[0-9A-F]{5,16}|[0-9]+[A-Za-z0-9]*", re.ASCII)
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_-]+")
_GENERIC: Final = frozenset({"app", "application"})


def title_name(title_id: int, aum: str = "") -> str:
    """Return what a title is called: of the system by its id, else by its package's name.

    A title without either is called by its id in hexadecimal.
    """
    if (name := SYSTEM_TITLES.get(title_id)) is not None:
        return name
    return _readable(aum[:MAX_AUM]) or f"Title {title_id:08X}"


def _readable(aum: str) -> str:
    """Return a name from an application user model id, empty when it has none."""
    package, _, _ = aum.partition("!")
    family, _, _ = package.partition("_")
    parts = [part for part in clean_text(family, MAX_AUM).split(".") if part]
    # The publisher comes first: a number that the store has given it, or its name.
    if len(parts) > 1:
        del parts[0]
    words = [
        word
        for part in parts
        if part.casefold() not in _GENERIC and not _PUBLISHER.fullmatch(part)
        for word in _WORDS.sub(" ", part).split()
    ]
    return " ".join(words)[:MAX_NAME].rstrip()

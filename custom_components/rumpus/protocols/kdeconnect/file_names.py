"""Names of received files (the KDE Connect reference, section 12.3).

A peer's file name is a label and never a path: what comes out of here is one component of a
path, visible, and short enough for any file system.
"""

import re
from typing import Final

MAX_FILE_NAME: Final = 200
"""Bytes of a file name in UTF-8; file systems take 255, and a partial file's name is longer."""
MAX_SUFFIX: Final = 32
"""Bytes of a suffix that survives when a name is cut, with its dot."""
MAX_RECEIVED_NAME: Final = 4096
"""Characters that are looked at of what a peer calls a file: the last ones, with the suffix."""

UNNAMED: Final = "unnamed"
"""The name of a file whose own has nothing usable in it."""

# Control characters, line separators, lone surrogates, and what turns the direction of writing,
# which makes "fdp.exe" look like "exe.pdf".
_UNWANTED: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
_EDGES: Final = ". "


def safe_file_name(name: str) -> str:
    """Return a harmless file name for what a peer calls a file.

    It is the last component of a path in either notation, without control characters, leading
    dots and spaces, and trailing dots and spaces, at most 200 bytes with its suffix kept.
    What is left with nothing becomes "unnamed". A safe name stays as it is.
    """
    name = name[-MAX_RECEIVED_NAME:].rpartition("/")[2].rpartition("\\")[2]
    name = _UNWANTED.sub("", name).strip(_EDGES)
    return _fitted(*_split(name or UNNAMED))


def _split(name: str) -> tuple[str, str]:
    """Return the stem, which is never empty, and the suffix with its dot."""
    stem, dot, suffix = name.rpartition(".")
    if not stem or len((dot + suffix).encode()) > MAX_SUFFIX:
        return name, ""
    return stem, dot + suffix


def _fitted(stem: str, ending: str) -> str:
    """Return both together, the stem cut between characters so that they fit."""
    room = MAX_FILE_NAME - len(ending.encode())
    data = stem.encode()
    if len(data) > room:
        stem = data[:room].decode(errors="ignore").rstrip(_EDGES)
    return stem + ending

"""What matchmaker queues and leaderboards are called."""

import re
from typing import Final

from ...names import MAX_NAME, clean_text

GLOBAL: Final = "global"
"""The leaderboard of all custom games."""
LADDER: Final = "ladder_1v1"
"""The leaderboard of the oldest queue."""

_NAMES: Final = {
    GLOBAL: "Global",
    LADDER: "Ladder 1v1",
    "ladder1v1": "Ladder 1v1",
}
# tmm2v2, tmm4v4_full_share; their leaderboards have one underscore more.
_TEAMS: Final = re.compile(r"tmm_?(\d+v\d+.*)", re.ASCII | re.DOTALL)


def is_presentable(name: str) -> bool:
    """Tell whether a name from the network is one that an entity can have as its key."""
    return bool(name) and clean_text(name, MAX_NAME) == name


def readable_name(name: str) -> str:
    """Return what a queue or a leaderboard is called: `tmm4v4_full_share` is "4v4 full share"."""
    if (known := _NAMES.get(name)) is not None:
        return known
    if (found := _TEAMS.fullmatch(name)) is not None:
        name = found[1]
    text = clean_text(name.replace("_", " "))
    return text[:1].upper() + text[1:] or clean_text(name)

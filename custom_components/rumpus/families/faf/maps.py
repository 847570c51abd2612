"""What maps are called: games name them by their folders."""

from functools import lru_cache
import re
from typing import Final

from ...names import clean_text

GENERATED: Final = "Generated map"
"""A map that a program made for one game; the rest of its name is the seed."""
MAX_FOLDER: Final = 256
"""Characters of a folder's name that are looked at."""

_GENERATED_PREFIX: Final = "neroxis_map_generator"
_VERSION: Final = re.compile(r"\.v\d+$")

# The maps of the game itself; spelled as the game spells them.
_STOCK: Final = (
    "Burial Mounds",
    "Concord Lake",
    "Drake's Ravine",
    "Emerald Crater",
    "Gentleman's Reef",
    "Ian's Cross",
    "Open Palms",
    "Seraphim Glaciers",
    "Seton's Clutch",
    "Sung Island",
    "The Great Void",
    "Theta Passage",
    "Winter Duel",
    "The Bermuda Locket",
    "Fields of Isis",
    "Canis River",
    "Syrtis Major",
    "Sentry Point",
    "Finn's Revenge",
    "Roanoke Abyss",
    "Alpha 7 Quarantine",
    "Arctic Refuge",
    "Varga Pass",
    "Crossfire Canal",
    "Saltrock Colony",
    "Vya-3 Protectorate",
    "The Scar",
    "Hanna Oasis",
    "Betrayal Ocean",
    "Frostmill Ruins",
    "Four-Leaf Clover",
    "The Wilderness",
    "White Fire",
    "High Noon",
    "Paradise",
    "Blasted Rock",
    "Sludge",
    "Ambush Pass",
    "Four-Corners",
    "The Ditch",
)
_EXPANSION: Final = {
    1: "Crag Dunes",
    2: "Williamson's Bridge",
    3: "Snoey Triangle",
    4: "Haven Reef",
    5: "The Dark Heart",
    6: "Daroza's Sanctuary",
    7: "Strip Mine",
    8: "Thawing Glacier",
    9: "Liberiam Battles",
    10: "Shards",
    11: "Shuriken Island",
    12: "Debris",
    14: "Flooded Strip Mine",
    17: "Eye of the Storm",
}
_NAMES: Final = {
    **{f"scmp_{number:03}": name for number, name in enumerate(_STOCK, start=1)},
    **{f"x1mp_{number:03}": name for number, name in _EXPANSION.items()},
}


# Every change of a game looks at its map, and thousands of games have the same few.
@lru_cache(maxsize=1024)
def map_name(folder: str) -> str:
    """Return what a map is called, from the name of its folder; empty when it has none.

    Maps of the game itself have their titles.  Others are named by who made them:
    `dualgap_adaptive.v0012` is "Dualgap Adaptive".
    """
    key = folder[:MAX_FOLDER].strip().lower()
    if (name := _NAMES.get(key)) is not None:
        return name
    if key.startswith(_GENERATED_PREFIX):
        return GENERATED
    words = clean_text(_VERSION.sub("", key).replace("_", " ")).split()
    return " ".join(word[:1].upper() + word[1:] for word in words)

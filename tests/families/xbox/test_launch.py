"""Titles by their names, ids and addresses."""

import pytest

from .states import GAME_ID, HOME, state, title
from custom_components.rumpus.families.xbox.launch import (
    MAX_URI,
    name_of,
    source_names,
    title_uri,
)
from custom_components.rumpus.families.xbox.state import SeenTitle

SEEN = (
    SeenTitle(GAME_ID, "Fallout 4", "BethesdaSoftworks.Fallout4_3275kfvn8vcwc!App"),
    SeenTitle(0x18A7B2C3, "Player"),
    SeenTitle(0x18A7B2C4, "Player"),
    SeenTitle(0x18A7B2C5, "2048"),
)
GAME_URI = "ms-xbl-4AE8F9B2://default/"


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("4AE8F9B2", GAME_URI),
        (" 4ae8f9b2 ", GAME_URI),
        ("0x4AE8F9B2", GAME_URI),
        (str(GAME_ID), GAME_URI),
        ("fallout 4", GAME_URI),
        ("Home", "ms-xbl-2A992D3A://default/"),
        ("Player (18A7B2C4)", "ms-xbl-18A7B2C4://default/"),
        ("ms-xbl-4AE8F9B2://default/", GAME_URI),
        ("ms-xbl-4AE8F9B2://play?id=1", "ms-xbl-4AE8F9B2://play?id=1"),
        ("12345678", "ms-xbl-12345678://default/"),
        ("123", "ms-xbl-0000007B://default/"),
        ("2048", "ms-xbl-18A7B2C5://default/"),
        ("4294967296", None),
        ("Fallout", None),
        ("", None),
        ("ms-xbl-123://default/", None),
        ("ms-xbl-4AE8F9B2://de fault/", None),
        ("https://example.com/", None),
    ],
)
def test_what_means_a_title(text: str, uri: str | None) -> None:
    assert title_uri(state(HOME, seen=SEEN), text) == uri


def test_max_uri() -> None:
    assert title_uri(state(), GAME_URI.ljust(MAX_URI, "x")) is not None
    assert title_uri(state(), GAME_URI.ljust(MAX_URI + 1, "x")) is None


def test_sources() -> None:
    """Each title has a name of its own; one that runs is always among them."""
    assert list(source_names(state(HOME, seen=SEEN)).values()) == [
        "2048",
        "Fallout 4",
        "Home",
        "Player (18A7B2C3)",
        "Player (18A7B2C4)",
    ]


def test_names() -> None:
    """A title that has run is called what it was called then."""
    now = state(title(), seen=SEEN)
    assert name_of(now, GAME_ID) == "Fallout 4"
    assert name_of(now, 0x162615AD) == "Live TV"
    assert name_of(now, 0x12345678) == "Title 12345678"

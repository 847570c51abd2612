"""What titles are called."""

import pytest

from custom_components.rumpus.families.xbox.state import Power, TvState, XboxState
from custom_components.rumpus.families.xbox.titles import title_name
from custom_components.rumpus.names import MAX_NAME, clean_text


@pytest.mark.parametrize(
    ("title_id", "aum", "name"),
    [
        (0x2A992D3A, "Xbox.Home_8wekyb3d8bbwe!Xbox.Home.Application", "Home"),
        (1, "4DF9E0F8.Netflix_mcm4njqhnhss8!Netflix.App", "Netflix"),
        (1, "BethesdaSoftworks.Fallout4_3275kfvn8vcwc!App", "Fallout4"),
        (1, "Microsoft.MinecraftUWPConsole_8wekyb3d8bbwe!App", "Minecraft UWP Console"),
        (1, "39C668CD.RealRacing-3_r7bfsmp40f67j!App", "Real Racing 3"),
        (1, "Netflix!App", "Netflix"),
        (1, "A.B.App_x!App", "B"),
        (1, "", "Title 00000001"),
        (0xABC, "!!!", "Title 00000ABC"),
        (1, "4DF9E0F8", "Title 00000001"),
        (1, "A.\u202egnp.exe\u0007_x", "gnp exe"),
    ],
)
def test_names(title_id: int, aum: str, name: str) -> None:
    """The system's titles have names; others are called as their packages are."""
    assert title_name(title_id, aum) == name


def test_max_name() -> None:
    """MAX_NAME: a package can be called anything."""
    assert len(title_name(1, "A." + "Word" * 1000)) <= MAX_NAME


def test_clean_text() -> None:
    """One line of visible characters."""
    assert clean_text(" a\n\tb\u2028c\u202ed\x00 ") == "a b c d"
    assert clean_text("ä" * 100, 10) == "ä" * 10
    assert clean_text("日本語") == "日本語"
    assert clean_text("Den 🎮 👩\u200d🚀") == "Den 🎮 👩\u200d🚀"
    assert clean_text("a\u200bb\ufeffc\ue000d\U000e0041e") == "a b c d e"


def test_power() -> None:
    """On, off by its own word, or nobody knows."""
    assert XboxState(is_connected=True, is_off=True).power is Power.ON
    assert XboxState(is_off=True).power is Power.OFF
    assert XboxState().power is Power.UNAVAILABLE
    assert XboxState().titles == ()
    assert not TvState().has_button("btn.vol_up")

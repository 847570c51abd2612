"""The picture beside the account's name."""

from hypothesis import given, strategies as st
import pytest

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .common import LOGIN, get_state, set_up, set_up_status, wait_attribute, wait_state
from custom_components.rumpus.families.faf.select import (
    MAX_AVATARS,
    NO_AVATAR,
    avatar_labels,
)
from custom_components.rumpus.names import MAX_NAME
from custom_components.rumpus.protocols.faf.models import Avatar
from custom_components.rumpus.protocols.faf.timing import Timing
from tests.fakes.faf_lobby import FakeLobby

AVATAR = "select.our_lobby_avatar"
CUP = "https://content.example/cup.png"
STAR = "https://content.example/star.png"


async def choose(hass: HomeAssistant, option: str) -> None:
    """Choose a picture."""
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": AVATAR, "option": option},
        blocking=True,
    )


async def test_choose(hass: HomeAssistant, lobby: FakeLobby) -> None:
    lobby.add_avatar(LOGIN, CUP, "Ladder cup")
    lobby.add_avatar(LOGIN, STAR, "Star")
    lobby.set_avatar(LOGIN, STAR)
    await set_up(hass, lobby)
    await wait_attribute(hass, AVATAR, "options", ["none", "Ladder cup", "Star"])
    assert get_state(hass, AVATAR).state == "Star"

    await choose(hass, "Ladder cup")
    await lobby.wait_for("avatar", url=CUP)
    await wait_state(hass, AVATAR, "Ladder cup")

    await choose(hass, "none")
    await lobby.wait_for("avatar", url=None)
    await wait_state(hass, AVATAR, "none")

    lobby.set_avatar(LOGIN, CUP)
    await wait_state(hass, AVATAR, "Ladder cup")

    with pytest.raises(ServiceValidationError):
        await choose(hass, "Moon")

    await lobby.stop()
    await wait_state(hass, AVATAR, STATE_UNAVAILABLE)


async def test_an_account_without_pictures(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    await set_up(hass, lobby)
    assert get_state(hass, AVATAR).attributes["options"] == ["none"]
    assert get_state(hass, AVATAR).state == "none"


@pytest.mark.parametrize("timing", [Timing(change=0.3)])
async def test_a_lobby_that_does_not_do_it(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    lobby.add_avatar(LOGIN, CUP, "Ladder cup")
    await set_up(hass, lobby)
    await wait_attribute(hass, AVATAR, "options", ["none", "Ladder cup"])
    lobby.mischief.never_answer.add("avatar")
    with pytest.raises(HomeAssistantError) as caught:
        await choose(hass, "Ladder cup")
    assert caught.value.translation_key == "faf_timed_out"
    assert get_state(hass, AVATAR).state == "none"


async def test_a_lobby_without_an_account(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    await set_up_status(hass, lobby)
    assert hass.states.get(AVATAR) is None


def test_labels_differ() -> None:
    avatars = (
        Avatar("a", "Star"),
        Avatar("b", "Star"),
        Avatar("c", "Star (2)"),
        Avatar("d", "none"),
        Avatar("e", ""),
        Avatar("f", "\n"),
        Avatar("a", "Star"),
    )
    assert avatar_labels(avatars, None) == {
        "none": None,
        "Star": "a",
        "Star (2)": "b",
        "Star (2) (2)": "c",
        "none (2)": "d",
        "?": "e",
        "? (2)": "f",
    }


def test_what_is_worn_can_be_chosen() -> None:
    """A lobby tells what may be worn only when it is asked."""
    assert avatar_labels((), Avatar("a", "Star")) == {"none": None, "Star": "a"}


def test_avatars_are_bounded() -> None:
    avatars = tuple(Avatar(f"url {n}", f"{n}") for n in range(MAX_AVATARS + 1))
    labels = avatar_labels(avatars, None)
    assert len(labels) == MAX_AVATARS + 1
    assert f"{MAX_AVATARS}" not in labels


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3))))
def test_any_avatars(pairs: list[tuple[str, str]]) -> None:
    """Every picture has a label of its own that can be shown."""
    labels = avatar_labels(tuple(Avatar(*pair) for pair in pairs), None)
    assert labels.pop(NO_AVATAR) is None
    assert sorted(str(url) for url in labels.values()) == sorted(dict(pairs))
    assert all(label and len(label) <= MAX_NAME + 10 for label in labels)

"""What a device tells, as a state of ours."""

import asyncio
from dataclasses import replace

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .common import (
    PATIENCE,
    coordinator_of,
    flows,
    found,
    set_up,
    wait_data,
    wait_links,
)
from custom_components.rumpus.families.apple_tv.state import AppleTvState
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.enums import (
    DeviceState,
    Feature,
    PowerState,
)
from custom_components.rumpus.protocols.apple.events import (
    ArtworkChanged,
    InfoChanged,
    LinkRefused,
)
from custom_components.rumpus.protocols.apple.models import Account, App
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
)
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_commands import CommandError
from tests.fakes.apple_tv_core import ACCOUNTS, APPS
from tests.fakes.apple_tv_models import FakeItem

FILM = FakeItem("film", "Big Buck", duration=600.0)


def test_off_and_on() -> None:
    """Connected it is what the device says, else its last word."""
    assert AppleTvState().is_off is False
    assert AppleTvState().is_available is False
    assert AppleTvState(is_asleep=True).is_off
    assert AppleTvState(is_asleep=True).is_available
    connected = AppleTvState(is_connected=True, is_asleep=True)
    assert not connected.is_off
    assert replace(connected, power=PowerState.OFF).is_off


async def test_features(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """What can be done now, and what could be."""
    entry = await set_up(hass, apple_tv)
    state = coordinator_of(entry).data
    assert state.can(Feature.TURN_OFF, Feature.APP_LIST)
    assert not state.can(Feature.TURN_OFF, Feature.SET_POSITION)
    assert state.knows(Feature.TURN_OFF, Feature.SET_POSITION)

    apple_tv.mrp.media.play("com.example.films", FILM)
    await wait_data(entry, lambda state: state.can(Feature.SET_POSITION))


async def test_playing(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Title, state and app; the app's name may come from the list of apps."""
    entry = await set_up(hass, apple_tv)
    await wait_data(entry, lambda state: state.apps)
    apple_tv.mrp.media.play("com.example.radio", FILM)
    await wait_data(entry, lambda state: state.playing.title == "Big Buck")
    state = coordinator_of(entry).data
    assert state.playing.device_state is DeviceState.PLAYING
    assert state.app == App("com.example.radio", "Radio")


async def test_app_that_was_installed_meanwhile(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """One that nobody knows makes us ask anew."""
    entry = await set_up(hass, apple_tv)
    await wait_data(entry, lambda state: len(state.apps) == len(APPS))
    apple_tv.apps["com.example.new"] = "Brand new"
    apple_tv.mrp.media.play("com.example.new", FILM)
    await wait_data(entry, lambda state: len(state.apps) == len(APPS) + 1)
    apple_tv.mrp.media.play("com.example.new", replace(FILM, title="Other"))
    await wait_data(
        entry, lambda state: state.app == App("com.example.new", "Brand new")
    )


async def test_volume_and_outputs(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Volumes are percent."""
    entry = await set_up(hass, apple_tv)
    apple_tv.set_volume(0.25)
    await wait_data(entry, lambda state: state.volume == 25.0)
    assert coordinator_of(entry).data.is_muted is False
    await coordinator_of(entry).device.set_mute(True)
    await wait_data(entry, lambda state: state.is_muted)


async def test_focus(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A text field that opens and closes; what is in it is not told."""
    entry = await set_up(hass, apple_tv)
    await wait_data(entry, lambda state: state.is_focused is False)
    apple_tv.open_text("secret words")
    await wait_data(entry, lambda state: state.is_focused)
    assert "secret words" not in repr(coordinator_of(entry).data)
    apple_tv.close_text()
    await wait_data(entry, lambda state: state.is_focused is False)


async def test_accounts(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """The one that we have switched to is known, and whether it worked."""
    entry = await set_up(hass, apple_tv)
    coordinator = coordinator_of(entry)
    await wait_data(entry, lambda state: len(state.accounts) == len(ACCOUNTS))
    assert coordinator_of(entry).data.account is None
    first = coordinator.data.accounts[0]
    await coordinator.async_switch_account(first.identifier)
    assert coordinator.data.account == first
    with pytest.raises(HomeAssistantError):
        await coordinator.async_switch_account("somebody else")
    assert coordinator.data.account == first

    del apple_tv.accounts[first.identifier]
    apple_tv.sleep(deep=False)
    await wait_data(entry, lambda state: state.is_off)
    apple_tv.wake()
    await wait_data(entry, lambda state: len(state.accounts) == len(ACCOUNTS) - 1)
    await wait_data(entry, lambda state: state.account is None)

    await apple_tv.stop()
    await wait_data(entry, lambda state: not state.is_connected)
    with pytest.raises(HomeAssistantError):
        await coordinator.async_switch_account(first.identifier)
    assert coordinator.data.accounts == tuple(
        Account(*item) for item in apple_tv.accounts.items()
    )


async def test_lists_that_are_not_told(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """A device that refuses keeps what is known of it, and its link."""
    entry = await set_up(hass, apple_tv)
    coordinator = coordinator_of(entry)
    await wait_data(entry, lambda state: state.apps and state.accounts)
    apps, accounts = coordinator.data.apps, coordinator.data.accounts
    apple_tv.mark()
    for name in ("FetchLaunchableApplicationsEvent", "FetchUserAccountsEvent"):
        apple_tv.companion.errors[name] = CommandError()
    apple_tv.sleep(deep=False)
    await wait_data(entry, lambda state: state.power is PowerState.OFF)
    apple_tv.wake()
    await apple_tv.wait_for("request", name="FetchUserAccountsEvent", timeout=PATIENCE)
    await wait_data(entry, lambda state: state.power is PowerState.ON)
    assert (coordinator.data.apps, coordinator.data.accounts) == (apps, accounts)
    await wait_links(entry)


async def test_slow_lists(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that takes its time is not asked twice at once, but once more."""
    entry = await set_up(hass, apple_tv)
    coordinator = coordinator_of(entry)
    await wait_data(entry, lambda state: state.apps and state.accounts)
    asked, answer = asyncio.Event(), asyncio.Event()
    calls = 0

    async def apps() -> tuple[App, ...]:
        nonlocal calls
        calls += 1
        asked.set()
        await answer.wait()
        return (App(f"app{calls}"),)

    monkeypatch.setattr(coordinator.device, "apps", apps)
    coordinator._ask_lists()
    async with asyncio.timeout(PATIENCE):
        await asked.wait()
    coordinator._ask_lists()
    assert calls == 1
    answer.set()
    await wait_data(entry, lambda state: state.apps == (App("app2"),))


async def test_artwork(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is none, or one, or an error that is none of the viewer's business."""
    entry = await set_up(hass, apple_tv)
    coordinator = coordinator_of(entry)
    assert await coordinator.async_artwork() is None

    async def gone(*args: object) -> None:
        raise DisconnectedError("gone")

    monkeypatch.setattr(coordinator.device, "artwork", gone)
    assert await coordinator.async_artwork() is None


async def test_refused_again(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """What was told once is not told again, nor asked for twice."""
    entry = await set_up(hass, apple_tv)
    coordinator = coordinator_of(entry)
    error = AuthenticationError("no")
    for _ in range(2):
        coordinator._on_event(LinkRefused(AppleProtocol.COMPANION, error))
        await hass.async_block_till_done()
    assert coordinator.refused == [AppleProtocol.COMPANION]
    (flow,) = flows(hass)
    hass.config_entries.flow.async_abort(flow["flow_id"])


async def test_new_picture_and_new_facts(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Both may change while all else stays."""
    entry = await set_up(hass, apple_tv)
    coordinator = coordinator_of(entry)
    before = coordinator.data.artwork_changes
    coordinator._on_event(ArtworkChanged())
    assert coordinator.data.artwork_changes == before + 1
    coordinator._on_event(InfoChanged((await found(apple_tv)).info))
    assert coordinator.data.info.raw_model == "AppleTV14,1"

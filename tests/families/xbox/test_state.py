"""What a console tells, as state, events and registry entries."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .common import (
    PLAYER,
    add_entry,
    coordinator_of,
    get_state,
    set_up,
    wait_connected,
    wait_data,
    wait_state,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.xbox import coordinator as module, store
from custom_components.rumpus.families.xbox.state import OpenField, SeenTitle
from custom_components.rumpus.protocols.smartglass.enums import (
    ServiceChannel,
    TitleLocation,
)
from custom_components.rumpus.protocols.smartglass.errors import ChannelError
from tests.fakes.xbox import DASHBOARD, GAME, HOME, FakeConsole, FakeMedia, FakeTitle
from tests.fakes.xbox_models import PAUSED
from tests.fakes.xbox_text import PASSWORD_OPTION


class Events:
    """The events of one kind that the console of an entry causes."""

    def __init__(self, entry: MockConfigEntry, key: str) -> None:
        """Listen."""
        self.heard: list[tuple[str, Any]] = []
        coordinator_of(entry).subscribe_events(
            key, lambda kind, attributes: self.heard.append((kind, attributes))
        )


def device_of(hass: HomeAssistant, entry: MockConfigEntry) -> dr.DeviceEntry:
    """Return the device of an entry."""
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert isinstance(device, dr.DeviceEntry)
    return device


@pytest.mark.parametrize(
    ("live_id", "model"),
    [
        ("FD00112233445566", "Xbox One"),
        ("F400112233445566", "Xbox Series X|S"),
        ("0011223344556677", "Xbox"),
    ],
)
async def test_device(
    hass: HomeAssistant, console: FakeConsole, live_id: str, model: str
) -> None:
    """There is one device for a console, with what it says of itself."""
    async with FakeConsole("Attic", live_id) as fake:
        entry = await set_up(hass, fake)
        device = device_of(hass, entry)
        await hass.config_entries.async_unload(entry.entry_id)

    assert device.identifiers == {(DOMAIN, live_id)}
    assert device.name == "Attic"
    assert device.manufacturer == "Microsoft"
    assert device.model == model
    assert device.serial_number == live_id
    assert device.sw_version == "10.0.19041"


async def test_build_changes(hass: HomeAssistant, console: FakeConsole) -> None:
    """After an update of the console the device has another version."""
    entry = await set_up(hass, console)

    console.build = 26100
    console.launch(GAME)
    await wait_data(
        entry, lambda data: data.status and data.status.build_number == 26100
    )
    assert device_of(hass, entry).sw_version == "10.0.26100"


@pytest.mark.parametrize(
    ("title", "expected"), [("Living room", "Attic"), ("My Xbox", "My Xbox")]
)
async def test_new_name(
    hass: HomeAssistant, console: FakeConsole, title: str, expected: str
) -> None:
    """The console's name is followed; a title that the user has given stays."""
    entry = add_entry(hass, console)
    hass.config_entries.async_update_entry(entry, title=title)
    console.name = "Attic"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, entry)

    assert entry.data["name"] == "Attic"
    assert entry.title == expected
    assert device_of(hass, entry).name == "Attic"


async def test_titles(hass: HomeAssistant, console: FakeConsole) -> None:
    """They are told one by one, and remembered in the order in which they ran last."""
    entry = await set_up(hass, console)
    coordinator = coordinator_of(entry)
    titles = Events(entry, "title")
    assert coordinator.data.active_title is not None
    assert coordinator.data.active_title.title_id == HOME.title_id

    console.launch(GAME)
    await wait_state(hass, "sensor.living_room_active_title", "Fallout4")
    console.launch(HOME)
    await wait_state(hass, "sensor.living_room_active_title", "Home")

    game = {"title_id": "4AE8F9B2", "name": "Fallout4"}
    home = {"title_id": "2A992D3A", "name": "Home"}
    assert titles.heard == [
        ("stopped", home),
        ("started", game),
        ("stopped", game),
        ("started", home),
    ]
    assert [seen.name for seen in coordinator.data.titles_seen.values()] == [
        "Fallout4",
        "Dashboard",
        "Home",
    ]
    shown = coordinator.data.title_at(TitleLocation.FULL)
    assert shown is not None
    assert shown.title_id == HOME.title_id
    assert coordinator.data.title_at(TitleLocation.SNAPPED) is None


async def test_titles_are_no_news_after_a_gap(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Nobody knows when they started or stopped."""
    entry = await set_up(hass, console)
    titles = Events(entry, "title")

    console.titles = [GAME]
    console.restart()
    await wait_connected(hass, entry, is_connected=False)
    await wait_connected(hass, entry)

    assert titles.heard == []
    assert GAME.title_id in coordinator_of(entry).data.titles_seen


async def test_late_status(hass: HomeAssistant, console: FakeConsole) -> None:
    """The first titles are no news, whenever they come."""
    console.status_delay = 0.6
    entry = await set_up(hass, console)
    titles = Events(entry, "title")
    assert coordinator_of(entry).data.status is None

    await wait_data(entry, lambda data: data.status)

    assert titles.heard == []


@pytest.mark.parametrize("says_empty_titles", [True, False])
async def test_titles_stop_with_the_console(
    hass: HomeAssistant, console: FakeConsole, says_empty_titles: bool
) -> None:
    """When it goes off, in whichever way it says so."""
    console.says_empty_titles = says_empty_titles
    entry = await set_up(hass, console)
    titles = Events(entry, "title")

    console.press_power_button()
    await wait_connected(hass, entry, is_connected=False)

    assert [(kind, told["name"]) for kind, told in titles.heard] == [
        ("stopped", "Dashboard"),
        ("stopped", "Home"),
    ]


async def test_titles_are_bounded(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAX_TITLES and MAX_STATUS_TITLES: those that ran last are kept."""
    monkeypatch.setattr(store, "MAX_TITLES", 3)
    monkeypatch.setattr(module, "MAX_STATUS_TITLES", 4)
    entry = await set_up(hass, console)
    titles = Events(entry, "title")

    console.set_titles(
        [FakeTitle(number, "", has_focus=number == 2) for number in range(1, 9)]
    )
    coordinator = coordinator_of(entry)
    await wait_data(entry, lambda data: len(data.titles) == 8)

    assert list(coordinator.data.titles_seen) == [3, 4, 2]
    assert len([kind for kind, _ in titles.heard if kind == "started"]) == 4


async def test_title_without_an_id(hass: HomeAssistant, console: FakeConsole) -> None:
    """There is nothing to call it by another time."""
    console.titles = [FakeTitle(0, ""), DASHBOARD]
    entry = await set_up(hass, console)

    assert list(coordinator_of(entry).data.titles_seen.values()) == [
        SeenTitle(DASHBOARD.title_id, "Dashboard", DASHBOARD.aum)
    ]


async def test_pairing(hass: HomeAssistant, console: FakeConsole) -> None:
    """The state is known from the start, its changes are events."""
    entry = await set_up(hass, console)
    pairing = Events(entry, "pairing")
    coordinator = coordinator_of(entry)
    assert coordinator.data.pairing_state == 0

    console.set_pairing(1)
    await wait_data(entry, lambda data: data.pairing_state == 1)
    console.set_pairing(0)
    await wait_data(entry, lambda data: data.pairing_state == 0)

    assert pairing.heard == [("paired", None), ("not_paired", None)]


async def test_surface(hass: HomeAssistant, console: FakeConsole) -> None:
    """It is shown as the console tells it."""
    entry = await set_up(hass, console)

    console.set_surface(2, 1920, 1080)

    coordinator = coordinator_of(entry)
    await wait_data(entry, lambda data: data.surface)
    assert coordinator.data.surface is not None
    assert coordinator.data.surface.render_width == 1920
    assert "master_session_key" not in str(coordinator.diagnostics())


async def test_text_field(hass: HomeAssistant, console: FakeConsole) -> None:
    """It is known that there is one, not what is in it."""
    entry = await set_up(hass, console)
    fields = Events(entry, "text_field")
    coordinator = coordinator_of(entry)

    session = console.keyboard.open("Say\nfriend", "mellon", max_length=20)
    await wait_data(entry, lambda data: data.text_field)

    assert coordinator.data.text_field == OpenField(session, "Say friend", False, 20)
    assert "mellon" not in repr(coordinator.data)
    console.keyboard.close(accepted=True)
    await wait_data(entry, lambda data: data.text_field is None)
    assert fields.heard == [
        ("opened", {"is_password": False, "max_length": 20, "prompt": "Say friend"}),
        ("closed", {"accepted": True}),
    ]


async def test_password_field(hass: HomeAssistant, console: FakeConsole) -> None:
    """One that was open before is known, too."""
    console.keyboard.open("Password", options=PASSWORD_OPTION)
    entry = await set_up(hass, console)
    coordinator = coordinator_of(entry)
    await wait_data(entry, lambda data: data.text_field)

    assert coordinator.data.text_field is not None
    assert coordinator.data.text_field.is_password


async def test_media(hass: HomeAssistant, console: FakeConsole) -> None:
    """What plays comes and goes with the time when its position was true."""
    console.set_media(FakeMedia(position=30))
    entry = await set_up(hass, console)
    coordinator = coordinator_of(entry)
    await wait_data(entry, lambda data: data.media)
    assert coordinator.data.media_updated_at is not None

    console.set_media(None)
    await wait_data(entry, lambda data: data.media is None)
    assert coordinator.data.media_updated_at is None


async def test_media_that_plays_on(hass: HomeAssistant, console: FakeConsole) -> None:
    """Where it is can be reckoned: nothing is written for that, but for a jump."""
    entry = await set_up(hass, console)
    console.set_media(FakeMedia(position=30))
    await wait_data(entry, lambda data: data.media)
    states = async_capture_events(hass, EVENT_STATE_CHANGED)

    for _ in range(3):
        console.set_media(console.media)
    console.set_media(FakeMedia(position=60))
    await wait_data(entry, lambda data: data.media and data.media.position >= 60)
    for _ in range(3):
        console.set_media(console.media)
    console.set_media(FakeMedia(position=60, status=PAUSED, rate=0.0))
    await wait_data(entry, lambda data: data.media and not data.media.is_playing)
    for _ in range(3):
        console.set_media(console.media)
    console.set_media(None)
    await wait_data(entry, lambda data: data.media is None)
    await hass.async_block_till_done()

    assert [
        new.state
        for event in states
        if event.data["entity_id"] == PLAYER and (new := event.data["new_state"])
    ] == ["playing", "paused", "idle"]


# Channels and the TV


async def test_tv(hass: HomeAssistant, console: FakeConsole) -> None:
    """What the console can control is asked for once, and again when it has changed."""
    entry = await set_up(hass, console)
    coordinator = coordinator_of(entry)
    await wait_data(entry, lambda data: data.tv)

    assert coordinator.data.tv is not None
    assert len(coordinator.data.tv.devices) == 3
    assert coordinator.data.tv.has_button("btn.vol_up")
    assert not coordinator.data.tv.has_button("btn.teleport")


async def test_tv_changes(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The console says when it is to be asked again."""
    monkeypatch.setattr(module, "TV_INTERVAL", 0.1)
    entry = await set_up(hass, console)
    await wait_data(entry, lambda data: data.tv)

    console.tv.devices = console.tv.devices[:1]
    console.tv_service.notify("ChannelChanged")
    console.tv_service.notify("ConfigurationChanged")

    await wait_data(
        entry, lambda data: data.tv is not None and len(data.tv.devices) == 1
    )


async def test_tv_says_nothing(hass: HomeAssistant, console: FakeConsole) -> None:
    """The channel is there, and there are no answers on it."""
    console.tv.errors["GetConfiguration"] = "no"
    entry = await set_up(hass, console)
    await console.wait_for("json_request")
    await hass.async_block_till_done()

    assert coordinator_of(entry).data.tv is None


async def test_channel_opens_later(hass: HomeAssistant, console: FakeConsole) -> None:
    """What the console could not do at first is there from then on."""
    console.refuse_channel("tv")
    entry = await set_up(hass, console)
    coordinator = coordinator_of(entry)

    console.refuse_channel("tv", 0)
    await coordinator.console.open_channel(ServiceChannel.SYSTEM_INPUT_TV_REMOTE)

    await wait_data(entry, lambda data: data.tv)
    assert ServiceChannel.SYSTEM_INPUT_TV_REMOTE in coordinator.data.channels


async def test_other_channel_opens(hass: HomeAssistant, console: FakeConsole) -> None:
    """It is known, and the TV is not asked for once more."""
    entry = await set_up(hass, console)
    coordinator = coordinator_of(entry)
    await wait_data(entry, lambda data: data.tv)

    await coordinator.console.open_channel(ServiceChannel.SYSTEM_BROADCAST)

    await wait_data(
        entry, lambda data: ServiceChannel.SYSTEM_BROADCAST in data.channels
    )
    assert len(console.seen("json_request", request="GetConfiguration")) == 1


async def test_channel_stays_shut(hass: HomeAssistant, console: FakeConsole) -> None:
    """It is not among those that can be used."""
    console.refuse_channel("tv")
    entry = await set_up(hass, console)
    coordinator = coordinator_of(entry)

    with pytest.raises(ChannelError):
        await coordinator.console.open_channel(ServiceChannel.SYSTEM_INPUT_TV_REMOTE)

    assert ServiceChannel.SYSTEM_INPUT_TV_REMOTE not in coordinator.data.channels


async def test_tv_is_not_wanted(hass: HomeAssistant, console: FakeConsole) -> None:
    """By an option it is not asked for."""
    entry = await set_up(hass, console, {"tv_remote": False})
    console.launch(GAME)
    await wait_state(hass, "sensor.living_room_active_title", "Fallout4")

    assert coordinator_of(entry).data.tv is None
    assert not console.seen("json_request")


async def test_no_tv(hass: HomeAssistant, console: FakeConsole) -> None:
    """A console that says nothing about a TV has all the rest."""
    console.refuse_channel("tv")
    entry = await set_up(hass, console)
    coordinator = coordinator_of(entry)

    assert ServiceChannel.SYSTEM_INPUT_TV_REMOTE not in coordinator.data.channels
    assert ServiceChannel.SYSTEM_INPUT in coordinator.data.channels
    assert coordinator.data.tv is None
    assert get_state(hass, "media_player.living_room").state == "idle"

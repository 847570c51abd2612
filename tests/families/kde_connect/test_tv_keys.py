"""What phones do with a TV of this home: keys, texts, its player."""

import asyncio
import logging
from typing import Any, override
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .common import get_state, wait_attribute, wait_state, wait_until
from .offered import Speaker, add_speakers
from .tvs import (
    KEY,
    PLAYER,
    REMOTE,
    FakeRemote,
    add_player,
    add_remote,
    key_of,
    listen,
    set_up_tv,
    tv_entry,
    wait_done,
)
from custom_components.rumpus.families.kde_connect import (
    tv_keys as keys_module,
    tv_phone as phone_module,
    tv_rate as rate_module,
)
from custom_components.rumpus.protocols.budget import Budget
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_wire import FakePacket, encode_packet

SECRET = "correct horse battery staple"


@pytest.fixture
def tv_key(hass_storage: dict[str, Any]) -> Credentials:
    """The TV's id and key."""
    return key_of(hass_storage)


@pytest.fixture
async def speaker(hass: HomeAssistant) -> Speaker:
    """The TV's media player."""
    speaker = Speaker("Kitchen")
    await add_speakers(hass, speaker)
    return speaker


@pytest.fixture
async def remote(hass: HomeAssistant) -> FakeRemote:
    """The TV's remote."""
    return await add_remote(hass, "androidtv_remote")


# Keys


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ("left", "DPAD_LEFT"),
        ("up", "DPAD_UP"),
        ("right", "DPAD_RIGHT"),
        ("down", "DPAD_DOWN"),
        ("select", "DPAD_CENTER"),
        ("back", "BACK"),
    ],
)
async def test_keys(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    remote: FakeRemote,
    key: Any,
    command: str,
) -> None:
    """A key is an event, and the remote's command."""
    await set_up_tv(hass, tv_entry(hass, tv_key, phone), phones=1)

    await phone.tv_remote.press(key)

    await wait_done(hass, remote, command)
    state = get_state(hass, KEY)
    assert state.attributes["event_type"] == key
    assert state.attributes["phone"] == "Pixel"


async def test_key_as_an_action(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """The remote is called as a user's automation would; the key's event has caused it."""
    er.async_get(hass).async_get_or_create(
        "remote", "samsungtv", "1", suggested_object_id="living_room"
    )
    hass.states.async_set(REMOTE, "on")
    calls = async_mock_service(hass, "remote", "send_command")
    options = {"key_close": "KEY_SOURCE", "remote_device": "Box"}
    await set_up_tv(hass, tv_entry(hass, tv_key, phone, options=options), phones=1)

    await phone.tv_remote.press("close")
    await wait_until(hass, lambda: len(calls) == 1)

    (call,) = calls
    assert call.data == {
        "entity_id": REMOTE,
        "command": ["KEY_SOURCE"],
        "delay_secs": 0,
        "device": "Box",
    }
    assert call.context is get_state(hass, KEY).context


@pytest.mark.parametrize(
    ("platform", "service", "data"),
    [
        ("webostv", "button", {"button": "HOME"}),
        ("kodi", "call_method", {"method": "Input.Home"}),
    ],
)
async def test_media_player_that_takes_keys(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    platform: str,
    service: str,
    data: dict[str, str],
) -> None:
    """Some integrations have no remote, but an action for keys."""
    add_player(hass, platform)
    calls = async_mock_service(hass, platform, service)
    await set_up_tv(hass, tv_entry(hass, tv_key, phone, remote=None), phones=1)

    await phone.tv_remote.press("home")
    await wait_until(hass, lambda: len(calls) == 1)

    assert calls[0].data == {"entity_id": PLAYER, **data}


async def test_echo(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    computer: FakeDevice,
    remote: FakeRemote,
) -> None:
    """A device that wants to know is told of what was done, and only of that."""
    await set_up_tv(hass, tv_entry(hass, tv_key, computer), phones=1)
    remote.error = ConnectionError("gone")
    await computer.remote_input.press(4, wants_echo=True)
    await wait_state_change(hass, KEY)
    remote.error = None

    await computer.remote_input.press(5, wants_echo=True)

    event = await computer.wait_for("key_echo")
    assert event.data == {"specialKey": 5, "isAck": True}
    assert len(computer.remote_input.echoes) == 1


async def wait_state_change(hass: HomeAssistant, entity_id: str) -> None:
    """Wait until an event entity has seen something."""
    await wait_until(hass, lambda: get_state(hass, entity_id).state != "unknown")


@pytest.mark.parametrize("state", ["unavailable", None])
async def test_remote_is_not_there(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    computer: FakeDevice,
    caplog: pytest.LogCaptureFixture,
    state: str | None,
) -> None:
    """Keys come to nothing while the remote is gone, and the TV stays on phones."""
    caplog.set_level(logging.DEBUG, "custom_components.rumpus")
    if state is not None:
        hass.states.async_set(REMOTE, state)
    await set_up_tv(hass, tv_entry(hass, tv_key, computer), phones=1)

    await computer.remote_input.press(12, wants_echo=True)
    await wait_state_change(hass, KEY)
    await hass.async_block_till_done()

    assert "remote.living_room is not available" in caplog.text
    assert not computer.remote_input.echoes


async def test_device_without_a_keyboard(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    computer: FakeDevice,
    remote: FakeRemote,
) -> None:
    """A device is not told, and sent no echo, of what it does not take."""
    for packet_type in ("mousepad.keyboardstate", "mousepad.echo"):
        computer.incoming -= {f"kdeconnect.{packet_type}"}
    await set_up_tv(hass, tv_entry(hass, tv_key, computer), phones=1)

    await computer.remote_input.press(5, wants_echo=True)

    await wait_done(hass, remote, "DPAD_UP")
    assert not computer.events.seen("unlisted")
    assert not computer.events.seen("keyboard_state")


async def test_no_remote(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without a remote the keys are events for automations."""
    caplog.set_level(logging.DEBUG, "custom_components.rumpus")
    entry = tv_entry(
        hass, tv_key, phone, remote=None, options={"key_select": "nobody takes it"}
    )
    await set_up_tv(hass, entry, phones=1)

    await phone.tv_remote.press("select")
    await wait_attribute(hass, KEY, "event_type", "select")
    await phone.tv_remote.press("up")
    await wait_attribute(hass, KEY, "event_type", "up")
    await hass.async_block_till_done()

    assert "up has no command" in caplog.text


async def test_pad(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    remote: FakeRemote,
) -> None:
    """Swipes are arrows, a tap selects."""
    await set_up_tv(hass, tv_entry(hass, tv_key, phone), phones=1)

    await phone.remote_input.request(dx=100, dy=3)
    await phone.remote_input.request(dx=100, dy=-3)
    await phone.remote_input.request(singleclick=True)

    await wait_done(hass, remote, "DPAD_RIGHT", "DPAD_CENTER")


async def test_what_is_no_key(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    remote: FakeRemote,
) -> None:
    """What a TV has no use for is nothing, and a hostile phone gets nowhere."""
    await set_up_tv(hass, tv_entry(hass, tv_key, phone), phones=1)

    await phone.remote_input.press(30)  # F10
    await phone.remote_input.press("c", "ctrl")
    await phone.remote_input.request(specialKey=99999)
    await phone.remote_input.request(key="x" * 5000)
    await phone.remote_input.request(dx="far", dy=None)
    await phone.send("runcommand.request", {"key": "x"}, tv_key.device_id)
    await phone.send("clipboard", {"content": SECRET}, tv_key.device_id)
    await phone.tv_remote.press("up")

    await wait_done(hass, remote, "DPAD_UP")


# Texts


async def test_text(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    remote: FakeRemote,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A text goes to the remote, and nothing else hears of it."""
    caplog.set_level(logging.DEBUG)
    heard = [listen(hass, kind) for kind in ("call_service", "rumpus_tv_text")]
    await set_up_tv(hass, tv_entry(hass, tv_key, phone), phones=1)

    await phone.remote_input.press(SECRET, "shift")

    await wait_done(hass, remote, f"text:{SECRET}")
    assert remote.asked[-1]["delay_secs"] == 0
    assert get_state(hass, KEY).attributes["event_type"] == "text"
    assert SECRET not in str(get_state(hass, KEY).as_dict())
    assert not any(heard)
    remote.error = ValueError(SECRET)
    await phone.remote_input.press(SECRET)
    await phone.tv_remote.press("up")
    await wait_attribute(hass, KEY, "event_type", "up")
    await hass.async_block_till_done()
    ours_said = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components")
    ]
    assert any("a key failed with ValueError" in line for line in ours_said)
    assert not any(SECRET in line for line in ours_said)


async def test_text_for_automations(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
) -> None:
    """Where the remote takes no text there is an event, also for what is dictated."""
    await add_remote(hass, "apple_tv")
    heard = listen(hass, "rumpus_tv_text")
    await set_up_tv(hass, tv_entry(hass, tv_key, phone), phones=1)

    await phone.remote_input.press("Dune")
    await phone.send(
        "bigscreen.stt", {"type": "stt", "content": "Dune two"}, tv_key.device_id
    )
    await wait_until(hass, lambda: len(heard) == 2)

    assert [event.data["text"] for event in heard] == ["Dune", "Dune two"]
    assert {event.data["name"] for event in heard} == {"Living room"}
    assert {event.data["phone"] for event in heard} == {"Pixel"}
    assert heard[0].data["device_id"]


async def test_text_while_the_remote_goes(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A state without its entity is not enough for a text."""
    caplog.set_level(logging.DEBUG, "custom_components.rumpus")
    er.async_get(hass).async_get_or_create(
        "remote", "roku", "1", suggested_object_id="living_room"
    )
    hass.states.async_set(REMOTE, "on")
    await set_up_tv(hass, tv_entry(hass, tv_key, phone), phones=1)

    await phone.remote_input.press("Dune")
    await wait_state_change(hass, KEY)
    await hass.async_block_till_done()

    assert "the remote is gone" in caplog.text


async def test_ping(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """A ping to a TV is an event as that of any device."""
    heard = listen(hass, "rumpus_ping")
    await set_up_tv(hass, tv_entry(hass, tv_key, phone), phones=1)

    await phone.ping.send("Dinner")
    await wait_until(hass, lambda: len(heard) == 1)

    assert heard[0].data["message"] == "Dinner"
    assert heard[0].data["name"] == "Living room"


async def test_max_pings(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    remote: FakeRemote,
) -> None:
    """A flood of them is not told to its end."""
    heard = listen(hass, "rumpus_ping")
    await set_up_tv(hass, tv_entry(hass, tv_key, phone), phones=1)

    line = encode_packet(FakePacket("kdeconnect.ping"))
    await phone.mischief.send_raw(line * (10 * phone_module.MAX_PINGS))
    await phone.tv_remote.press("up")
    await wait_done(hass, remote, "DPAD_UP")

    assert phone_module.MAX_PINGS <= len(heard) <= phone_module.MAX_PINGS + 5


# The player


async def test_player(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    speaker: Speaker,
) -> None:
    """The phone shows the TV's player and volume, and controls both."""
    await set_up_tv(hass, tv_entry(hass, tv_key, phone), phones=1)

    await phone.wait_for("players", lambda event: event.data["names"] == ["Kitchen"])
    state = await phone.players.now_playing("Kitchen")
    assert state["title"] == "Two"
    assert state["isPlaying"] is True
    await phone.players.act("Kitchen", "PlayPause")
    await wait_state(hass, PLAYER, "paused")
    assert speaker.done == [("pause", None)]

    await phone.remote_sinks.request()
    await phone.wait_for("sinks", lambda event: len(event.data["names"]) == 1)  # type: ignore[arg-type]
    ((name, sink),) = phone.remote_sinks.sinks.items()
    assert sink["description"] == "Kitchen"
    await phone.remote_sinks.set_volume(name, 70)
    await wait_until(hass, lambda: ("volume", 0.7) in speaker.done)


async def test_renamed_entities(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    speaker: Speaker,
    remote: FakeRemote,
    entity_registry: er.EntityRegistry,
) -> None:
    """The TV goes on with entities that get other ids."""
    entry = tv_entry(hass, tv_key, phone)
    await set_up_tv(hass, entry, phones=1)
    await phone.wait_for("players", lambda event: event.data["names"] == ["Kitchen"])

    entity_registry.async_update_entity(PLAYER, new_entity_id="media_player.cinema")
    entity_registry.async_update_entity(REMOTE, new_entity_id="remote.cinema")
    await hass.async_block_till_done()

    assert entry.data["media_player"] == "media_player.cinema"
    assert entry.data["remote"] == "remote.cinema"
    await phone.tv_remote.press("up")
    await wait_done(hass, remote, "DPAD_UP")
    await phone.wait_for("players", lambda event: event.data["names"] == ["Kitchen"])
    await phone.players.act("Kitchen", "Pause")
    await wait_state(hass, "media_player.cinema", "paused")
    entity_registry.async_update_entity("remote.cinema", new_entity_id="remote.den")
    entity_registry.async_update_entity("media_player.cinema", name="Cinema")
    await hass.async_block_till_done()
    assert entry.data["remote"] == "remote.den"


# Limits


class ChangingBudget(Budget):
    """Follows what a test says of the keys per second."""

    @override
    def left(self, now: float) -> float:
        self._refill = rate_module.KEYS_PER_SECOND
        return super().left(now)


async def test_too_many_keys(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    remote: FakeRemote,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What no hand presses is ignored, and said once."""
    caplog.set_level(logging.DEBUG, "custom_components.rumpus")
    monkeypatch.setattr(rate_module, "Budget", ChangingBudget)
    monkeypatch.setattr(rate_module, "KEYS_PER_SECOND", 0)
    await set_up_tv(hass, tv_entry(hass, tv_key, phone), phones=1)
    heard = listen(hass, "rumpus_ping")

    for _ in range(rate_module.MAX_BURST + 5):
        await phone.tv_remote.press("up")
    await phone.ping.send()
    await wait_until(hass, lambda: heard)
    await hass.async_block_till_done()

    assert remote.done == ["DPAD_UP"] * rate_module.MAX_BURST
    assert caplog.text.count("presses too many keys") == 1

    # After a pause all is well again, and the next flood is news.
    monkeypatch.setattr(rate_module, "KEYS_PER_SECOND", 1e9)
    await phone.tv_remote.press("left")
    await wait_attribute(hass, KEY, "event_type", "left")
    monkeypatch.setattr(rate_module, "KEYS_PER_SECOND", 0)
    for _ in range(rate_module.MAX_BURST + 5):
        await phone.tv_remote.press("down")
    await phone.ping.send()
    await wait_until(hass, lambda: len(heard) == 2)
    assert caplog.text.count("presses too many keys") == 2


async def test_too_many_keys_wait(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    remote: FakeRemote,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A TV that is slow is not followed by a long tail of keys."""
    caplog.set_level(logging.DEBUG, "custom_components.rumpus")
    monkeypatch.setattr(keys_module, "MAX_WAITING", 2)
    tv = await set_up_tv(hass, tv_entry(hass, tv_key, phone), phones=1)
    go_on = asyncio.Event()
    send = remote.async_send_command

    async def send_slowly(*args: Any, **kwargs: Any) -> None:
        await go_on.wait()
        await send(*args, **kwargs)

    heard = listen(hass, "rumpus_ping")
    with patch.object(remote, "async_send_command", send_slowly):
        await phone.tv_remote.press("up")
        await wait_state_change(hass, KEY)
        for _ in range(5):
            await phone.tv_remote.press("down")
        await phone.ping.send()
        await wait_until(hass, lambda: heard)
        go_on.set()
        await wait_done(hass, remote, "DPAD_UP", "DPAD_DOWN", "DPAD_DOWN")
    assert caplog.text.count(f"{tv.name}: too many keys wait") == 3


async def test_remote_that_hangs(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    remote: FakeRemote,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command that does not end is given up, and the next one is carried out."""
    monkeypatch.setattr(keys_module, "CALL_TIMEOUT", 0.05)
    await set_up_tv(hass, tv_entry(hass, tv_key, phone), phones=1)

    async def hang(*args: Any, **kwargs: Any) -> None:
        await asyncio.Event().wait()

    with patch.object(remote, "async_send_command", hang):
        await phone.tv_remote.press("up")
        await wait_state_change(hass, KEY)
    monkeypatch.undo()
    await phone.tv_remote.press("down")

    await wait_done(hass, remote, "DPAD_DOWN")

"""Media players of this home on a device."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.components.media_player.const import MediaPlayerState
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .common import wait_connected, wait_state
from .offered import (
    DEN,
    KITCHEN,
    Speaker,
    add_speakers,
    listed,
    offer,
    told,
    wait_done,
    wait_told,
)
from custom_components.rumpus.families.kde_connect.features import (
    offered_entities as entities_module,
)
from custom_components.rumpus.pace import Pace
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_media import FakePlayer


@pytest.fixture
async def kitchen(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Speaker:
    """A player that plays, of which everything is told almost at once."""
    monkeypatch.setattr(entities_module, "TELL_INTERVAL", 0.001)
    return Speaker("Kitchen")


@pytest.fixture
async def den(hass: HomeAssistant, kitchen: Speaker) -> Speaker:
    """Another one that does not."""
    den = Speaker("Den", state=MediaPlayerState.IDLE, media_title=None)
    await add_speakers(hass, kitchen, den)
    return den


@pytest.fixture
async def shown(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, den: Speaker
) -> FakeDevice:
    """A phone that shows both players."""
    await offer(hass, ours, phone, "pixel", players=[KITCHEN, DEN])
    await phone.wait_for("players", listed("Kitchen", "Den"))
    await wait_told(phone, "Kitchen", isPlaying=True)
    await wait_told(phone, "Den", isPlaying=False)
    return phone


async def test_what_is_shown(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    den: Speaker,
    kitchen: Speaker,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A phone gets the list, asks, and is told everything."""
    freezer.move_to("2026-11-21T12:00:00+00:00")
    kitchen.change(media_position_updated_at=dt_util.utcnow() - timedelta(seconds=5))
    await offer(hass, ours, phone, "pixel", players=[KITCHEN, DEN])
    await phone.wait_for("players", listed("Kitchen", "Den"))

    body = await wait_told(phone, "Kitchen")
    art = body.pop("albumArtUrl")
    assert str(art).startswith("file:///")
    assert "token" not in str(art)
    assert "kitchen" not in str(art)
    assert body == {
        "player": "Kitchen",
        "title": "Two",
        "artist": "Ann",
        "album": "First",
        "nowPlaying": "Ann - Two",
        "url": "https://radio.example/two",
        "length": 200_000,
        "pos": 15_000,
        "isPlaying": True,
        "canPlay": True,
        "canPause": True,
        "canGoNext": True,
        "canGoPrevious": True,
        "canSeek": True,
        "loopStatus": "None",
        "shuffle": False,
        "volume": 40,
    }
    body = await wait_told(phone, "Den")
    assert body["title"] == "Idle"
    assert body["isPlaying"] is False
    assert phone.players.offers_art


@pytest.mark.parametrize("options", [{}, {"players": []}])
async def test_nothing_is_offered_by_itself(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    den: Speaker,
    kitchen: Speaker,
    options: dict[str, list[str]],
) -> None:
    """Not even an empty list is sent, and requests go nowhere."""
    await offer(hass, ours, phone, "pixel", **options)
    await phone.players.request_list()
    await phone.players.act("Kitchen", "Pause")
    await phone.remote_sinks.request()
    await phone.remote_commands.request()
    kitchen.change(volume_level=0.9)
    await phone.battery.set(33)
    await wait_state(hass, "sensor.pixel_battery", "33")
    await hass.async_block_till_done()
    await phone.ping.send("sync")
    await hass.services.async_call(
        "button", "press", {"entity_id": "button.pixel_ring"}, blocking=True
    )
    await phone.wait_for("ring")

    assert kitchen.done == []
    for packet_type in ("mpris", "systemvolume", "runcommand", "runcommand.output"):
        assert told(phone, packet_type) == []


async def test_players_come_and_go(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker, den: Speaker
) -> None:
    """One that is unavailable is not in the list, and is told anew when it is back."""
    kitchen.change(available=False)
    await shown.wait_for("players", listed("Den"))
    kitchen.change(available=True, media_title="Four")
    await shown.wait_for("players", listed("Kitchen", "Den"))
    await wait_told(shown, "Kitchen", title="Four", artist="Ann")


async def test_same_names(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    den: Speaker,
    kitchen: Speaker,
) -> None:
    """The second has a number, and keeps it when the first goes; a rename is heard of."""
    den.change(name="Kitchen")
    await offer(hass, ours, phone, "pixel", players=[KITCHEN, DEN])
    await phone.wait_for("players", listed("Kitchen", "Kitchen [2]"))
    await phone.players.act("Kitchen [2]", "Play")
    await wait_done(den, ("play", None))
    kitchen.change(available=False)
    await phone.wait_for("players", listed("Kitchen [2]"))
    kitchen.change(available=True, name="Stove")
    await phone.wait_for("players", listed("Stove", "Kitchen"))
    await wait_told(phone, "Stove", title="Two")


async def test_other_entity_id(
    hass: HomeAssistant,
    shown: FakeDevice,
    kitchen: Speaker,
    entity_registry: er.EntityRegistry,
) -> None:
    """It is still the same player, and the option follows."""
    entity_registry.async_update_entity(KITCHEN, new_entity_id="media_player.stove")
    await hass.async_block_till_done()
    kitchen.change(media_title="Four")
    await wait_told(shown, "Kitchen", title="Four")
    await shown.players.act("Kitchen", "Pause")
    await wait_done(kitchen, ("pause", None))

    (entry,) = hass.config_entries.async_entries("rumpus")
    assert entry.options == {"players": ["media_player.stove", DEN]}


async def test_another_change_in_the_registry(
    hass: HomeAssistant,
    shown: FakeDevice,
    kitchen: Speaker,
    entity_registry: er.EntityRegistry,
) -> None:
    """It changes nothing but the name."""
    entity_registry.async_update_entity(KITCHEN, name="Stove")
    await shown.wait_for("players", listed("Stove", "Den"))


async def test_own_players_are_not_offered(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    den: Speaker,
) -> None:
    """A device that got its own players back would tell of them, and so on."""
    await computer.media.add(FakePlayer("VLC", is_playing=True))
    vlc = "media_player.tower_vlc"
    await offer(hass, ours, computer, "tower", players=[vlc, DEN])
    await wait_state(hass, vlc, "playing")
    await computer.wait_for("players", listed("Den"))
    await computer.media.change("VLC", is_playing=False)
    await wait_state(hass, vlc, "idle")
    await computer.players.request_list()
    await computer.wait_for("players", listed("Den"))


async def test_players_that_come_back_as_the_devices_own(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    den: Speaker,
) -> None:
    """They get no entity: who controls it would control what is here already."""
    await offer(hass, ours, computer, "tower", players=[DEN])
    await computer.wait_for("players", listed("Den"))
    await computer.media.add(FakePlayer(f"Den - {hass.config.location_name}"))
    await computer.media.add(FakePlayer("Den", is_playing=True))
    await wait_state(hass, "media_player.tower_den", "playing")

    names = {state.name for state in hass.states.async_all("media_player")}
    assert names == {"Kitchen", "Den", "Tower Den"}


async def test_changes(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker
) -> None:
    """Only what has changed is told, unless it is another track."""
    kitchen.change(volume_level=0.5)
    assert await wait_told(shown, "Kitchen", volume=50) == {
        "player": "Kitchen",
        "volume": 50,
    }
    kitchen.change(state=MediaPlayerState.PAUSED, shuffle=True)
    assert await wait_told(shown, "Kitchen", shuffle=True) == {
        "player": "Kitchen",
        "isPlaying": False,
        "pos": 10_000,
        "shuffle": True,
    }
    kitchen.change(media_title="Three", media_position=0)
    body = await wait_told(shown, "Kitchen", title="Three")
    assert len(body) > 15
    assert body["pos"] == 0
    kitchen.change(media_position=60)
    assert await wait_told(shown, "Kitchen", pos=60_000) == {
        "player": "Kitchen",
        "pos": 60_000,
    }


async def test_nothing_new_is_not_told(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker
) -> None:
    before = len(told(shown, "mpris"))
    kitchen.change(extra_state_attributes={"bass": 3})
    kitchen.change(media_position=11)
    kitchen.change(volume_level=0.6)
    await wait_told(shown, "Kitchen", volume=60)
    assert len(told(shown, "mpris")) == before + 1


async def test_pace_of_changes(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A player that changes 50 times at once is told of at once, and once when it is over."""
    assert entities_module.TELL_INTERVAL == 0.25
    kitchen = Speaker("Kitchen", volume_level=0.0)
    await add_speakers(hass, kitchen)
    await offer(hass, ours, phone, "pixel", players=[KITCHEN])
    await wait_told(phone, "Kitchen", volume=0)
    for number in range(1, 51):
        kitchen.change(volume_level=number / 100)
    await wait_told(phone, "Kitchen", volume=50)

    told_volumes = [body["volume"] for body in told(phone, "mpris") if "volume" in body]
    assert told_volumes[-1] == 50
    # What it was at first, the first change, and the last.
    assert len(told_volumes) <= 3


async def test_player_that_is_off(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker
) -> None:
    """It stays in the list, can be turned on and nothing else."""
    kitchen.change(state=MediaPlayerState.OFF)
    body = await wait_told(shown, "Kitchen", title="Off")
    assert body["canPlay"] is True
    assert body["volume"] == -1
    assert not any(
        body[key] for key in ("isPlaying", "canPause", "canSeek", "canGoNext")
    )
    await shown.players.act("Kitchen", "Next")
    await shown.players.act("Kitchen", "PlayPause")
    await wait_done(kitchen, ("turn_on", None))
    assert len(kitchen.done) == 1
    await wait_told(shown, "Kitchen", canPause=True)


async def test_controls(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker
) -> None:
    players = shown.players
    for action, done in {
        "Pause": "pause",
        "Play": "play",
        "PlayPause": "pause",
        "Next": "next",
        "Previous": "previous",
        "Stop": "stop",
    }.items():
        await players.act("Kitchen", action)
        await wait_done(kitchen, (done, None))
    await players.set_volume("Kitchen", 70)
    await wait_done(kitchen, ("volume", 0.7))
    await players.set_loop("Kitchen", "Track")
    await wait_done(kitchen, ("repeat", "one"))
    await players.set_shuffle("Kitchen", on=True)
    await wait_done(kitchen, ("shuffle", True))
    await players.set_position("Kitchen", 62_500)
    await wait_done(kitchen, ("seek", 62.5))
    await players.seek("Kitchen", -10_000_000)
    await wait_done(kitchen, ("seek", 52.5))
    await players.set_position("Kitchen", 900_000)
    await wait_done(kitchen, ("seek", 200))
    await wait_told(shown, "Kitchen", pos=200_000)


async def test_several_wishes_at_once(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker
) -> None:
    await shown.players.request(
        "Kitchen", action="Pause", setVolume=20, requestPlayerList=True
    )
    await wait_done(kitchen, ("pause", None), ("volume", 0.2))
    await shown.wait_for("players", listed("Kitchen", "Den"))


async def test_unknown_player(hass: HomeAssistant, shown: FakeDevice) -> None:
    """The answer is the list, so that the device knows better."""
    await shown.players.act("Cellar", "Play")
    await shown.wait_for("players", listed("Kitchen", "Den"))


async def test_players_asked_for_with_no_name(
    hass: HomeAssistant, shown: FakeDevice
) -> None:
    await shown.players.request_list()
    await shown.wait_for("players", listed("Kitchen", "Den"))


async def test_player_that_fails(
    hass: HomeAssistant,
    shown: FakeDevice,
    kitchen: Speaker,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The device is told how it really is, and the log is not filled."""
    kitchen.fails = True
    caplog.clear()
    await shown.players.set_volume("Kitchen", 90)
    await wait_done(kitchen, ("volume", 0.9))
    assert (await wait_told(shown, "Kitchen", volume=40))["title"] == "Two"
    assert not [
        record
        for record in caplog.records
        if record.levelname != "DEBUG" and "rumpus" in record.name
    ]
    # The next one works again.
    kitchen.fails = False
    await shown.players.set_volume("Kitchen", 95)
    await wait_done(kitchen, ("volume", 0.95))


async def test_players_that_vanish(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker
) -> None:
    """What is wanted of one that has just gone is not wanted any more."""
    kitchen.change(available=False)
    await shown.players.act("Kitchen", "Pause")
    await shown.wait_for("players", listed("Den"))
    hass.states.async_remove(DEN)
    await shown.wait_for("players", listed())
    assert kitchen.done == []


async def test_player_that_the_device_still_shows(
    hass: HomeAssistant,
    shown: FakeDevice,
    kitchen: Speaker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The new list is on its way when something is wanted of one that has gone."""
    monkeypatch.setattr(Pace, "want", lambda *_: None)
    kitchen.change(available=False)
    await shown.players.request("Kitchen", action="Pause", requestNowPlaying=True)
    await shown.players.act("Den", "Play")
    await wait_state(hass, DEN, "playing")
    assert kitchen.done == []


async def test_failure_that_nobody_waits_for(
    hass: HomeAssistant,
    shown: FakeDevice,
    kitchen: Speaker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The device has gone when its wish turns out to fail."""
    begun, go_on = hass.loop.create_future(), hass.loop.create_future()

    async def pause() -> None:
        begun.set_result(None)
        await go_on
        raise HomeAssistantError("too late")

    monkeypatch.setattr(kitchen, "async_media_pause", pause)
    await shown.players.act("Kitchen", "Pause")
    await begun
    await shown.stop()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    go_on.set_result(None)
    await hass.async_block_till_done()
    (entry,) = hass.config_entries.async_entries("rumpus")
    facts: Any = entry.runtime_data.diagnostics()
    assert facts["state"]["offered_players"] == {"chosen": 2, "listed": 0}


async def test_other_entity_id_while_away(
    hass: HomeAssistant,
    shown: FakeDevice,
    kitchen: Speaker,
    entity_registry: er.EntityRegistry,
) -> None:
    """It is offered when the device is back."""
    shown.drop_link()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    entity_registry.async_update_entity(KITCHEN, new_entity_id="media_player.stove")
    await wait_connected(hass, "pixel")
    await shown.wait_for("players", listed("Kitchen", "Den"))
    await shown.players.act("Kitchen", "Pause")
    await wait_done(kitchen, ("pause", None))


async def test_reconnecting(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker
) -> None:
    """A new link begins with the list, and what happens without one is told then."""
    shown.drop_link()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    kitchen.change(media_title="Four")
    await wait_connected(hass, "pixel")
    await shown.wait_for("players", listed("Kitchen", "Den"))
    assert (await shown.players.now_playing("Kitchen"))["title"]
    await wait_told(shown, "Kitchen", title="Four")


async def test_choice_is_taken_back(hass: HomeAssistant, shown: FakeDevice) -> None:
    """The device shows nothing any more, though its link stays."""
    (entry,) = hass.config_entries.async_entries("rumpus")
    hass.config_entries.async_update_entry(entry, options={})
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    await shown.wait_for("players", listed())
    await shown.wait_for("sinks", lambda event: event.data["names"] == [])


async def test_device_that_takes_no_players(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, den: Speaker
) -> None:
    phone.incoming -= {"kdeconnect.mpris"}
    await offer(hass, ours, phone, "pixel", players=[KITCHEN])
    await phone.players.request_list()
    await phone.wait_for("sinks")
    assert told(phone, "mpris") == []


# Limits and diagnostics


async def test_names_are_bounded(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    den: Speaker,
    kitchen: Speaker,
) -> None:
    den.change(name="x" * 300)
    await offer(hass, ours, phone, "pixel", players=[DEN])
    await phone.wait_for("players", listed("x" * entities_module.MAX_NAME))


async def test_wishes_are_bounded(
    hass: HomeAssistant,
    shown: FakeDevice,
    kitchen: Speaker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of a slider the last value counts, and nobody lets a player skip a hundred tracks."""
    begun, go_on = hass.loop.create_future(), hass.loop.create_future()

    async def pause() -> None:
        begun.set_result(None)
        await go_on
        kitchen.done.append(("pause", None))

    monkeypatch.setattr(kitchen, "async_media_pause", pause)
    await shown.players.act("Kitchen", "Pause")
    await begun
    for volume in range(50):
        await shown.players.set_volume("Kitchen", volume)
    for _ in range(entities_module.MAX_WAITING + 5):
        await shown.players.act("Kitchen", "Next")
    await shown.battery.set(12)
    await wait_state(hass, "sensor.pixel_battery", "12")
    go_on.set_result(None)
    await hass.async_block_till_done()

    assert kitchen.done[:2] == [("pause", None), ("volume", 0.49)]
    assert kitchen.done[2:] == [("next", None)] * (entities_module.MAX_WAITING - 1)
    assert "too much is wanted" in caplog.text


async def test_diagnostics(hass: HomeAssistant, shown: FakeDevice) -> None:
    (entry,) = hass.config_entries.async_entries("rumpus")
    facts: Any = entry.runtime_data.diagnostics()
    assert facts["state"]["offered_players"] == {"chosen": 2, "listed": 2}
    assert facts["state"]["offered_volumes"] == 2

"""Volumes of this home's media players on a device."""

import pytest

from homeassistant.components.media_player.const import MediaPlayerState
from homeassistant.core import HomeAssistant

from .offered import (
    DEN,
    EVERYTHING,
    KITCHEN,
    F,
    Speaker,
    add_speakers,
    offer,
    told,
    wait_done,
)
from custom_components.rumpus.families.kde_connect.features import (
    offered_entities as entities_module,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice


@pytest.fixture
async def kitchen(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Speaker:
    monkeypatch.setattr(entities_module, "TELL_INTERVAL", 0.001)
    return Speaker("Kitchen", state=MediaPlayerState.PAUSED)


@pytest.fixture
async def den(hass: HomeAssistant, kitchen: Speaker) -> Speaker:
    den = Speaker("Den", volume_level=0.7)
    await add_speakers(hass, kitchen, den)
    return den


@pytest.fixture
async def shown(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, den: Speaker
) -> FakeDevice:
    """A phone that shows both volumes."""
    await offer(hass, ours, phone, "pixel", players=[KITCHEN, DEN])
    await wait_sinks(phone, "Kitchen", "Den")
    return phone


async def wait_sinks(fake: FakeDevice, *labels: str) -> None:
    """Wait for a list of outputs."""
    await fake.wait_for(
        "sinks", lambda _: [labels_of(sink) for sink in sinks(fake)] == list(labels)
    )


def labels_of(sink: dict[str, object]) -> str:
    """Return what a user sees."""
    return str(sink["description"])


def sinks(fake: FakeDevice) -> list[dict[str, object]]:
    """Return the outputs that a device knows."""
    return [dict(sink) for sink in fake.remote_sinks.sinks.values()]


def key(fake: FakeDevice, label: str) -> str:
    """Return the name that an output has in the protocol."""
    return next(str(s["name"]) for s in sinks(fake) if s["description"] == label)


async def wait_change(fake: FakeDevice, label: str, **members: object) -> None:
    """Wait for a change of an output."""
    name = key(fake, label)
    await fake.wait_packet(
        "systemvolume", predicate=lambda body: body == {"name": name, **members}
    )


async def test_what_is_shown(shown: FakeDevice) -> None:
    """The one that plays is the default; nothing tells the ids that they have here."""
    kitchen, den = sinks(shown)
    assert kitchen == {
        "name": kitchen["name"],
        "description": "Kitchen",
        "muted": False,
        "volume": 40,
        "maxVolume": 100,
        "enabled": False,
    }
    assert (den["volume"], den["enabled"]) == (70, True)
    assert "kitchen" not in str(kitchen["name"])


async def test_changes(shown: FakeDevice, kitchen: Speaker, den: Speaker) -> None:
    kitchen.change(volume_level=0.55)
    await wait_change(shown, "Kitchen", volume=55)
    kitchen.change(is_volume_muted=True)
    await wait_change(shown, "Kitchen", muted=True)
    kitchen.change(state=MediaPlayerState.PLAYING)
    await wait_change(shown, "Kitchen", enabled=True)
    await wait_change(shown, "Den", enabled=False)
    before = len(told(shown, "systemvolume"))
    kitchen.change(media_title="Nine")
    kitchen.change(volume_level=0.6)
    await wait_change(shown, "Kitchen", volume=60)
    assert len(told(shown, "systemvolume")) == before + 1


async def test_nobody_plays(shown: FakeDevice, den: Speaker) -> None:
    """Then the first one is the default."""
    den.change(state=MediaPlayerState.IDLE)
    await wait_change(shown, "Den", enabled=False)
    await wait_change(shown, "Kitchen", enabled=True)


async def test_come_and_go(shown: FakeDevice, kitchen: Speaker, den: Speaker) -> None:
    """What is off, away, or has no volume is not shown."""
    kitchen.change(state=MediaPlayerState.OFF)
    await wait_sinks(shown, "Den")
    kitchen.change(state=MediaPlayerState.IDLE)
    await wait_sinks(shown, "Kitchen", "Den")
    kitchen.change(supported_features=F.PLAY)
    await wait_sinks(shown, "Den")
    den.change(available=False)
    await wait_sinks(shown)
    den.change(available=True, name="Study")
    await wait_sinks(shown, "Study")


async def test_what_the_device_does(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker
) -> None:
    name = key(shown, "Kitchen")
    await shown.remote_sinks.set_volume(name, 30)
    await shown.remote_sinks.set_muted(name, muted=True)
    await wait_done(kitchen, ("volume", 0.3), ("mute", True))
    await wait_change(shown, "Kitchen", muted=True)
    await shown.remote_sinks.set_volume(name, 65536)
    await wait_done(kitchen, ("volume", 0.3), ("mute", True), ("volume", 1.0))


async def test_what_the_device_cannot_do(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker, den: Speaker
) -> None:
    """Outputs that it was not told of, muting what cannot be, and making a default."""
    kitchen.change(supported_features=EVERYTHING & ~F.VOLUME_MUTE)
    await shown.remote_sinks.set_volume("media_player.kitchen", 1)
    await shown.remote_sinks.set_muted(key(shown, "Kitchen"), muted=True)
    await shown.remote_sinks.set_default(key(shown, "Kitchen"))
    await shown.remote_sinks.set_volume(key(shown, "Den"), 10)
    await wait_done(den, ("volume", 0.1))
    assert kitchen.done == []


async def test_volume_that_fails(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker
) -> None:
    """The device is told how it really is."""
    kitchen.fails = True
    await shown.remote_sinks.set_volume(key(shown, "Kitchen"), 90)
    await wait_done(kitchen, ("volume", 0.9))
    await wait_sinks(shown, "Kitchen", "Den")
    assert sinks(shown)[0]["volume"] == 40


async def test_asked_for(shown: FakeDevice) -> None:
    await shown.remote_sinks.request()
    await wait_sinks(shown, "Kitchen", "Den")


async def test_device_that_takes_none(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, den: Speaker
) -> None:
    phone.incoming -= {"kdeconnect.systemvolume"}
    await offer(hass, ours, phone, "pixel", players=[DEN])
    await phone.remote_sinks.request()
    await phone.wait_for("players")
    assert told(phone, "systemvolume") == []

"""Sound outputs of a computer."""

from dataclasses import dataclass

import pytest

from homeassistant.core import HomeAssistant

from .common import get_state, set_up, wait_attribute, wait_state
from custom_components.rumpus.families.kde_connect import sinks as sinks_module
from custom_components.rumpus.families.kde_connect.select import labels
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.plugins.systemvolume import (
    Sink,
    Sinks,
)
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_sinks import FakeSink

VOLUME = "number.tower_speaker_volume"
MUTE = "switch.tower_speaker_mute"
OUTPUT = "select.tower_audio_output"


@dataclass
class Sound:
    """A computer with two outputs that is set up."""

    hass: HomeAssistant
    computer: FakeDevice

    async def call(self, domain: str, action: str, entity: str, **data: object) -> None:
        """Perform an action."""
        await self.hass.services.async_call(
            domain, action, {"entity_id": entity, **data}, blocking=True
        )


@pytest.fixture
async def sound(hass: HomeAssistant, ours: Credentials, computer: FakeDevice) -> Sound:
    await computer.sinks.add(FakeSink("alsa.speaker", "Speaker", volume=32768))
    await computer.sinks.add(FakeSink("usb.headset", "Headset"))
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, VOLUME, "50")
    return Sound(hass, computer)


async def test_outputs(sound: Sound) -> None:
    """Each has a volume and can be muted; the default one is marked."""
    hass = sound.hass
    assert get_state(hass, "number.tower_headset_volume").state == "100"
    assert get_state(hass, MUTE).state == "off"
    assert get_state(hass, OUTPUT).state == "Speaker"
    assert get_state(hass, OUTPUT).attributes["options"] == ["Speaker", "Headset"]


async def test_what_somebody_does_at_the_computer(sound: Sound) -> None:
    await sound.computer.sinks.change("alsa.speaker", muted=True)
    await wait_state(sound.hass, MUTE, "on")
    await sound.computer.sinks.change("alsa.speaker", volume=16384)
    await wait_state(sound.hass, VOLUME, "25")
    await sound.computer.sinks.set_default("usb.headset")
    await wait_state(sound.hass, OUTPUT, "Headset")


async def test_amplified(sound: Sound) -> None:
    """Computers go beyond 100 %; that is shown as it is."""
    await sound.computer.sinks.change("alsa.speaker", volume=65536 * 3 // 2)
    await wait_state(sound.hass, VOLUME, "150")
    assert get_state(sound.hass, VOLUME).attributes["max"] == 150


async def test_what_we_do(sound: Sound) -> None:
    await sound.call("number", "set_value", VOLUME, value=80)
    await wait_state(sound.hass, VOLUME, "80")
    assert sound.computer.sinks.sinks["alsa.speaker"].volume == round(65536 * 0.8)
    await sound.call("switch", "turn_on", MUTE)
    await wait_state(sound.hass, MUTE, "on")
    await sound.call("switch", "turn_off", MUTE)
    await wait_state(sound.hass, MUTE, "off")
    await sound.call("select", "select_option", OUTPUT, option="Headset")
    await wait_state(sound.hass, OUTPUT, "Headset")
    assert sound.computer.sinks.default == "usb.headset"


async def test_unplugged(sound: Sound) -> None:
    """An output that has gone is unavailable, and is itself again when it is back."""
    headset = "number.tower_headset_volume"
    await sound.computer.sinks.remove("usb.headset")
    await wait_state(sound.hass, headset, "unavailable")
    await wait_attribute(sound.hass, OUTPUT, "options", ["Speaker"])
    await sound.computer.sinks.add(FakeSink("usb.headset", "Headset", volume=6554))
    await wait_state(sound.hass, headset, "10")


async def test_no_sound_server(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """A computer without one tells an empty list."""
    await set_up(hass, ours, computer, "tower")
    await computer.wait_packet("systemvolume.request")
    await hass.async_block_till_done()
    assert hass.states.async_entity_ids({"number", "switch", "select"}) == []


async def test_outputs_are_bounded(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A computer that keeps inventing outputs gets no more entities."""
    monkeypatch.setattr(sinks_module, "MAX_ENTITIES", 2)
    for number in range(3):
        await computer.sinks.add(FakeSink(f"sink{number}", f"Sink {number}"))
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, "number.tower_sink_1_volume", "100")
    await hass.async_block_till_done()
    assert hass.states.get("number.tower_sink_2_volume") is None


def test_two_outputs_with_one_description() -> None:
    """Both can be chosen."""
    sinks = Sinks({name: Sink(name, "HDMI") for name in ("a", "b")})
    assert labels(sinks) == {"HDMI": "a", "HDMI (b)": "b"}


def test_outputs_whose_names_look_alike() -> None:
    """None of them is lost: one of them may be the default."""
    names = {"a": "HDMI", "c": "HDMI (b)", "b": "HDMI"}
    sinks = Sinks({name: Sink(name, text) for name, text in names.items()})
    assert list(labels(sinks).values()) == ["a", "c", "b"]

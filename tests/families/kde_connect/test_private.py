"""What is private stays so: diagnostics, logs, states, repr."""

import json
import logging

import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .common import (
    go,
    paired_entry,
    private_bits,
    set_up,
    wait_flow,
    wait_progress,
    wait_state,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_media import FakePlayer, FakeTrack

CONTENTS = [
    "secret command line",
    "Secret command",
    "Secret Song",
    "Secret Player",
    "secret message",
]


async def live(hass: HomeAssistant, ours: Credentials, computer: FakeDevice) -> None:
    """Let a computer tell all kinds of private things."""
    await computer.commands.add("key", "Secret command", "secret command line")
    track = FakeTrack("Secret Song", art_url="file:///secret.png", art=b"x")
    await computer.media.add(FakePlayer("Secret Player", [track], is_playing=True))
    await wait_state(hass, "media_player.tower_secret_player", "playing")
    await computer.ping.send("secret message")
    await computer.battery.set(42)
    await wait_state(hass, "sensor.tower_battery", "42")


async def test_diagnostics(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
    snapshot: SnapshotAssertion,
) -> None:
    """The facts, without names, addresses, keys and contents."""
    entry = await set_up(hass, ours, computer, "tower")
    await live(hass, ours, computer)
    assert await async_setup_component(hass, "diagnostics", {})

    facts = await get_diagnostics_for_config_entry(hass, hass_client, entry)

    text = json.dumps(facts)
    private = [
        *private_bits(computer, ours),
        *CONTENTS,
        "Tower",
        "127.0.0.1",
        computer.device_id,
        ours.device_id,
    ]
    assert not [bit for bit in private if bit in text]
    assert isinstance(facts, dict)
    assert isinstance(facts["hub"], dict)
    facts["hub"].pop("tcp_port")
    assert facts == snapshot


async def test_diagnostics_of_an_entry_that_is_not_loaded(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    hass_client: ClientSessionGenerator,
) -> None:
    """There are a few facts even then."""
    entry = paired_entry(hass, ours, phone)
    assert await async_setup_component(hass, "rumpus", {})
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await async_setup_component(hass, "diagnostics", {})

    facts = await get_diagnostics_for_config_entry(hass, hass_client, entry)

    assert facts == {
        "entry": {"family": "kde_connect", "state": "not_loaded", "version": "1.1"}
    }


async def test_logs(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No log has a key or what somebody plays, says or runs."""
    caplog.set_level(logging.DEBUG)
    await set_up(hass, ours, computer, "tower")
    await live(hass, ours, computer)
    computer.drop_link()
    await wait_state(hass, "sensor.tower_battery", "unavailable")
    await wait_state(hass, "sensor.tower_battery", "42")
    await computer.unpair()
    result = await wait_flow(hass, "reauth", computer.device_id)
    computer.accept = "auto"
    await wait_progress(hass, await go(hass, result))
    await hass.async_block_till_done()

    own = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.rumpus")
    ]
    assert own
    text = "\n".join([*own, *(record.exc_text or "" for record in caplog.records)])
    private = [*private_bits(computer, ours), *CONTENTS]
    assert not [bit for bit in private if bit in text]


async def test_lost_and_back_are_logged_once(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line when a device is lost, one when it is back."""
    caplog.set_level(logging.INFO)
    await set_up(hass, ours, phone, "pixel")
    caplog.clear()

    phone.drop_link()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    await wait_state(hass, "binary_sensor.pixel_connectivity", "on")

    own = [
        record
        for record in caplog.records
        if record.name.startswith("custom_components.rumpus")
    ]
    assert len(own) == 2
    assert {record.levelno for record in own} == {logging.INFO}

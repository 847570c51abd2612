"""What the tests of the KDE Connect family share."""

import asyncio
import ssl
from typing import Any, cast

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType

from ..common import (
    PATIENCE,
    flows,
    get_state,
    go,
    look,
    shown,
    wait_attribute,
    wait_progress,
    wait_state,
    wait_until,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.kde_connect.hub import async_get_hub
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from tests.fakes.kdeconnect import FakeDevice

__all__ = [
    "PATIENCE",
    "flows",
    "get_state",
    "go",
    "look",
    "shown",
    "wait_attribute",
    "wait_progress",
    "wait_state",
    "wait_until",
]


def our_end(hass: HomeAssistant) -> LocalPeer:
    """Return our end, which has to be running."""
    peer = async_get_hub(hass).peer
    assert peer is not None
    return peer


async def wait_connected(hass: HomeAssistant, name: str) -> None:
    """Wait until a device is connected and what it said at once has arrived."""
    await wait_state(hass, f"binary_sensor.{name}_connectivity", "on")


def data_of(fake: FakeDevice, **changes: object) -> dict[str, Any]:
    """Return the data of an entry for a fake device."""
    return {
        "family": "kde_connect",
        "device_id": fake.device_id,
        "certificate": ssl.DER_cert_to_PEM_cert(fake.certificate_der),
        "name": fake.name,
        "device_type": fake.device_type,
        "protocol_version": fake.protocol,
        "host": "127.0.0.1",
        "port": fake.tcp_port,
        "incoming": sorted(fake.incoming),
        "outgoing": sorted(fake.outgoing),
        **changes,
    }


def paired_entry(
    hass: HomeAssistant, ours: Credentials, fake: FakeDevice, **changes: object
) -> MockConfigEntry:
    """Return an entry for a fake device, as if both had paired long ago."""
    fake.paired[ours.device_id] = ours.certificate
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=fake.name,
        unique_id=fake.device_id,
        data=data_of(fake, **changes),
    )
    entry.add_to_hass(hass)
    return entry


async def set_up(
    hass: HomeAssistant, ours: Credentials, fake: FakeDevice, name: str
) -> MockConfigEntry:
    """Return an entry of a fake device that is set up and connected."""
    entry = paired_entry(hass, ours, fake)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, name)
    return entry


async def start_user(hass: HomeAssistant) -> ConfigFlowResult:
    """Begin to add a device."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "user"}
    )
    assert result["type"] is FlowResultType.MENU
    result = await go(hass, result, next_step_id="kde_connect_user")
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "kde_connect_user"
    return result


async def wait_flow(
    hass: HomeAssistant, source: str, device_id: str
) -> ConfigFlowResult:
    """Wait for a flow about a device; return what it shows."""

    def find() -> list[ConfigFlowResult]:
        return [
            flow
            for flow in flows(hass)
            if flow["context"]["source"] == source
            and flow["context"].get("unique_id") == device_id
        ]

    # Flows come to be without an event of their own.
    async with asyncio.timeout(PATIENCE):
        while not find():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return await look(hass, find()[0])


async def wait_step(
    hass: HomeAssistant, result: ConfigFlowResult, step_id: str
) -> ConfigFlowResult:
    """Wait until a flow shows another step by itself; return what it shows."""
    changed = asyncio.Event()

    @callback
    def on_event(event: Event[Any]) -> None:
        changed.set()

    unsubscribe = hass.bus.async_listen("data_entry_flow_progressed", on_event)
    try:
        async with asyncio.timeout(PATIENCE):
            while (result := await look(hass, result))["step_id"] != step_id:
                await changed.wait()
                changed.clear()
    finally:
        unsubscribe()
    return result


def is_unavailable(hass: HomeAssistant, entity_id: str) -> bool:
    """Tell whether an entity has a state and it is unavailable."""
    state = hass.states.get(entity_id)
    return state is not None and state.state == STATE_UNAVAILABLE


def private_bits(fake: FakeDevice, ours: Credentials) -> list[str]:
    """Return what must never be seen outside of the storage files."""
    der = ssl.DER_cert_to_PEM_cert(fake.certificate_der)
    return [
        *(line for line in ours.private_key_pem.splitlines() if len(line) > 40),
        *(line for line in ours.certificate_pem.splitlines() if len(line) > 40),
        *(line for line in der.splitlines() if len(line) > 40),
    ]


def entry_data_of(result: ConfigFlowResult) -> dict[str, Any]:
    """Return the data that a finished flow made an entry of."""
    return cast(dict[str, Any], dict(result["data"]))


async def wait_device(hass: HomeAssistant, device_id: str) -> RemoteDevice:
    """Wait until our end, which has to be running, has a link with a device."""
    peer = our_end(hass)
    appeared = asyncio.Event()
    unsubscribe = peer.subscribe(lambda _: appeared.set())
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                device = peer.devices.get(device_id)
                if device is not None and device.is_connected:
                    return device
                await appeared.wait()
                appeared.clear()
    finally:
        unsubscribe()


async def wait_lost(hass: HomeAssistant, device_id: str) -> None:
    """Wait until our end, which has to be running, knows a device no more."""
    peer = our_end(hass)
    changed = asyncio.Event()
    unsubscribe = peer.subscribe(lambda _: changed.set())
    try:
        async with asyncio.timeout(PATIENCE):
            while device_id in peer.devices:
                await changed.wait()
                changed.clear()
    finally:
        unsubscribe()

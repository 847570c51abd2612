"""What the tests of the Apple TV family share."""

import asyncio
from collections.abc import Callable, Iterable
import json
from pathlib import Path
import re
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant, callback
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
from custom_components import rumpus
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.apple_tv.coordinator import AppleTvCoordinator
from custom_components.rumpus.families.apple_tv.data import device_data
from custom_components.rumpus.families.apple_tv.hub import async_get_hub
from custom_components.rumpus.families.apple_tv.pairings import (
    Pairings,
    async_get_pairing_store,
)
from custom_components.rumpus.families.apple_tv.state import AppleTvState
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.identity import ClientIdentity
from custom_components.rumpus.protocols.apple.pairing import (
    pairing_needed,
    start_pairing,
)
from custom_components.rumpus.protocols.apple.records import announcement
from custom_components.rumpus.protocols.apple.scan import scan_unicast
from custom_components.rumpus.protocols.apple.services import FoundDevice
from custom_components.rumpus.protocols.apple.watch import Sighting
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_mdns import AIRPLAY, COMPANION

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

PLAYER = "media_player.living_room"
REMOTE = "remote.living_room"
STORE = "rumpus.apple_tv"
PAIRINGS = "rumpus.apple_tv_pairings"
STRINGS = Path(rumpus.__file__).parent / "translations" / "en.json"
IDENTITY = ClientIdentity.create("Home Assistant")


async def found(fake: FakeAppleTv) -> FoundDevice:
    """Return a fake device as a search finds it."""
    # Two fakes have one address: each is asked at its own port.
    (device,) = await scan_unicast(
        [fake.address], port=fake.mdns_port, timeout=PATIENCE, knock=False
    )
    return device


async def pair(
    fake: FakeAppleTv, protocols: Iterable[AppleProtocol] | None = None
) -> dict[AppleProtocol, str]:
    """Pair with a fake device; return credentials for all that needs them."""
    device = await found(fake)
    credentials = {}
    for protocol in pairing_needed(device, {}) if protocols is None else protocols:
        session = start_pairing(device, protocol, IDENTITY)
        try:
            await session.begin()
            credentials[protocol] = await session.finish(fake.desk.pin)
        finally:
            await session.close()
    return credentials


async def add_entry(
    hass: HomeAssistant,
    fake: FakeAppleTv,
    options: dict[str, Any] | None = None,
    *,
    credentials: dict[AppleProtocol, str] | None = None,
    **changes: object,
) -> MockConfigEntry:
    """Return an entry for a fake device, paired with it, that is not set up yet."""
    if credentials is None:
        credentials = await pair(fake)
    device = await found(fake)
    fake.mark()
    assert device.identifier is not None
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=fake.name,
        unique_id=device.identifier,
        data={**device_data(device, credentials), **changes},
        options=options or {},
    )
    entry.add_to_hass(hass)
    store = async_get_pairing_store(hass)
    async with store.lock:
        await store.async_keep(device.identifier, Pairings(IDENTITY, credentials))
    return entry


async def secrets_of(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, str]:
    """Return the credentials for an entry's device, by their protocols' names."""
    assert entry.unique_id is not None
    pairings = await async_get_pairing_store(hass).async_get(entry.unique_id)
    assert pairings is not None
    return {protocol.value: text for protocol, text in pairings.credentials.items()}


async def set_up(
    hass: HomeAssistant,
    fake: FakeAppleTv,
    options: dict[str, Any] | None = None,
    *,
    credentials: dict[AppleProtocol, str] | None = None,
    **changes: object,
) -> MockConfigEntry:
    """Return an entry of a fake device that is set up, with all of its links."""
    entry = await add_entry(hass, fake, options, credentials=credentials, **changes)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_links(entry)
    await hass.async_block_till_done()
    return entry


def coordinator_of(entry: ConfigEntry) -> AppleTvCoordinator:
    """Return what follows the device of an entry that is set up."""
    coordinator: AppleTvCoordinator = entry.runtime_data
    return coordinator


def links_of(entry: ConfigEntry) -> dict[str, str]:
    """Return how the links of an entry's device fare, those that it can have."""
    return {
        protocol.value: status.state.value
        for protocol, status in coordinator_of(entry).device.links.items()
        if status.state.value != "unavailable"
    }


async def wait_links(entry: ConfigEntry, state: str = "up", *names: str) -> None:
    """Wait until links of a device, by default all, are as they should be."""

    def are_right(_: AppleTvState) -> bool:
        links = links_of(entry)
        wanted = names or tuple(links)
        return bool(wanted) and all(links.get(name) == state for name in wanted)

    await wait_data(entry, are_right)


async def wait_connected(entry: ConfigEntry, *, is_connected: bool = True) -> None:
    """Wait until there is any link to the device of an entry, or none any more."""
    await wait_data(entry, lambda state: state.is_connected is is_connected)


async def wait_data(
    entry: ConfigEntry,
    check: Callable[[AppleTvState], object],
    patience: float = PATIENCE,
) -> None:
    """Wait until what is known of a device is as it should be."""
    coordinator = coordinator_of(entry)
    changed = asyncio.Event()
    unsubscribe = coordinator.async_add_listener(changed.set)
    try:
        async with asyncio.timeout(patience):
            while not check(coordinator.data):
                changed.clear()
                await changed.wait()
    except TimeoutError:
        raise AssertionError(f"{coordinator.data} {links_of(entry)}") from None
    finally:
        unsubscribe()


async def start_user(hass: HomeAssistant) -> ConfigFlowResult:
    """Begin to add a device: the network is searched; return what comes after that."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "user"}
    )
    result = await go(hass, result, next_step_id="apple_tv_user")
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    assert result["progress_action"] == "apple_tv_scan"
    return await wait_progress(hass, result)


async def through(
    hass: HomeAssistant, result: ConfigFlowResult, step_id: str
) -> ConfigFlowResult:
    """Wait for the end of a progress step and of all that follow it."""
    assert result["type"] is FlowResultType.SHOW_PROGRESS, result
    assert result["step_id"] == step_id
    check_texts(result)
    result = await wait_progress(hass, result)
    check_texts(result)
    return result


def check_texts(result: ConfigFlowResult) -> None:
    """Make sure that the texts of a step name nothing that the step does not tell."""
    config = json.loads(STRINGS.read_text(encoding="utf-8"))["config"]
    if result["type"] is FlowResultType.SHOW_PROGRESS:
        texts = config["progress"][result["progress_action"]]
    else:
        texts = config["step"].get(result.get("step_id"))
    named = set(re.findall(r"{(\w+)}", json.dumps(texts)))
    assert named <= set(result.get("description_placeholders") or ())


async def announce(
    hass: HomeAssistant,
    fake: FakeAppleTv,
    *,
    port: int | None = None,
    is_proxied: bool = False,
) -> None:
    """Announce all services of a device, as it does or its sleep proxy; wait until heard."""
    hub = async_get_hub(hass)
    assert hub.watcher is not None
    heard = asyncio.Event()

    @callback
    def on_sighting(sighting: Sighting) -> None:
        if sighting.device.is_asleep is is_proxied:
            heard.set()

    unsubscribe = hub.watcher.subscribe(on_sighting)
    heard.clear()
    for kind in (AIRPLAY, COMPANION):
        type_ = f"{kind.removesuffix('.local')}.local."
        told = announcement(
            type_,
            f"{fake.name}.{type_}",
            addresses=[fake.address],
            port=port or fake.port_of(kind),
            properties=dict(fake.properties[kind]),
            host=f"{fake.host}.local.",
            is_proxied=is_proxied,
        )
        assert told is not None
        hub.feed(told)
    async with asyncio.timeout(PATIENCE):
        await heard.wait()
    unsubscribe()

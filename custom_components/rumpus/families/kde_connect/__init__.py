"""KDE Connect: phones and computers that run its app."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady

from ...const import DOMAIN, LOGGER
from ...coordinator import RumpusConfigEntry, RumpusRuntime
from ...device_coordinator import PlatformSetup
from ...protocols.kdeconnect.device import RemoteDevice
from ...protocols.kdeconnect.events import DeviceEvent, LinkUp
from .. import Family, FamilyFlow, FamilyOptions
from . import (
    binary_sensor,
    button,
    device_tracker,
    event,
    image,
    lock,
    media_player,
    notify,
    number,
    remote,
    select,
    sensor,
    switch,
    text,
)
from .const import FAMILY_KEY
from .coordinator import KdeConnectCoordinator
from .data import NotPairedError, paired_device
from .features.clipboard import async_forget_clipboard
from .flow import KdeConnectFlow
from .flow_options import KdeConnectOptions
from .flow_options_tv import TvOptions
from .hub import HubLease, async_get_hub
from .tv import TvCoordinator, async_unpair_all
from .tv_data import is_tv, phones_of
from .tv_peers import async_forget_key

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow, RumpusOptionsFlow

UNPAIR_WAIT: Final = 5.0
"""Seconds that a device may take to appear, so that it can be told that it was removed."""

PLATFORMS: Final[Mapping[Platform, PlatformSetup[KdeConnectCoordinator]]] = {
    Platform.BINARY_SENSOR: binary_sensor.async_setup,
    Platform.BUTTON: button.async_setup,
    Platform.DEVICE_TRACKER: device_tracker.async_setup,
    Platform.EVENT: event.async_setup,
    Platform.IMAGE: image.async_setup,
    Platform.LOCK: lock.async_setup,
    Platform.MEDIA_PLAYER: media_player.async_setup,
    Platform.NOTIFY: notify.async_setup,
    Platform.NUMBER: number.async_setup,
    Platform.REMOTE: remote.async_setup,
    Platform.SELECT: select.async_setup,
    Platform.SENSOR: sensor.async_setup,
    Platform.SWITCH: switch.async_setup,
    Platform.TEXT: text.async_setup,
}


class KdeConnectFamily(Family):
    """What Home Assistant asks of the family."""

    key = FAMILY_KEY

    @override
    async def async_setup_listener(self, hass: HomeAssistant) -> None:
        try:
            await async_get_hub(hass).async_lease()
        except OSError as err:
            LOGGER.warning("KDE Connect cannot listen in the network: %s", err)

    @override
    async def async_create_runtime(
        self, hass: HomeAssistant, entry: RumpusConfigEntry
    ) -> RumpusRuntime:
        try:
            paired = None if is_tv(entry.data) else paired_device(entry.data)
        except NotPairedError as err:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN,
                translation_key="not_paired",
                translation_placeholders={"name": entry.title},
            ) from err
        lease = await _async_lease(hass)
        try:
            if paired is None:
                tv = await lease.tvs.async_take(entry)
                return TvCoordinator(hass, entry, lease, tv)
            device = lease.peer.add_paired(paired)
            return KdeConnectCoordinator(hass, entry, lease, device, PLATFORMS)
        except BaseException:
            # Nobody else would: there is no runtime that has it.
            await lease.async_release()
            raise

    @override
    async def async_remove_entry(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        async_forget_clipboard(hass, entry.entry_id)
        if is_tv(entry.data):
            await _async_remove_tv(hass, entry)
            return
        try:
            paired = paired_device(entry.data)
        except NotPairedError:
            return
        hub = async_get_hub(hass)
        was_running = hub.peer is not None
        try:
            lease = await hub.async_lease()
        except OSError as err:
            LOGGER.warning("A removed KDE Connect device could not be told: %s", err)
            return
        try:
            device = lease.peer.add_paired(paired)
            # Where our end has been running, a device that is not connected is away.
            if not (was_running or device.is_connected):
                await _async_wait_link(device)
            # A device that cannot be reached learns it when it comes back.
            await device.unpair()
            if device.is_connected:
                # Its link stays: nothing else would tell that it can be paired anew.
                hub.async_offer(device)
        finally:
            await lease.async_release()

    @override
    def create_flow(self, host: RumpusConfigFlow) -> FamilyFlow:
        return KdeConnectFlow(host)

    @override
    def create_options(self, host: RumpusOptionsFlow) -> FamilyOptions:
        return TvOptions(host) if is_tv(host.entry.data) else KdeConnectOptions(host)

    @override
    def system_health(self, hass: HomeAssistant) -> Mapping[str, str | int | bool]:
        if (peer := async_get_hub(hass).peer) is None:
            return {}
        return {
            "kde_connect_connected": sum(
                device.is_connected for device in peer.devices.values()
            ),
            "kde_connect_tcp_port": peer.tcp_port,
            "kde_connect_hears_broadcasts": peer.udp_bound,
        }


async def _async_lease(hass: HomeAssistant) -> HubLease:
    """Return a share of our end; raise ConfigEntryNotReady when it cannot listen."""
    try:
        return await async_get_hub(hass).async_lease()
    except OSError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="cannot_listen"
        ) from err


async def _async_remove_tv(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Unpair the phones of a TV, and delete its key."""
    if TYPE_CHECKING:
        assert entry.unique_id is not None
    tv_id = entry.unique_id
    if phones := phones_of(entry.data):
        try:
            lease = await async_get_hub(hass).async_lease()
            try:
                peer = await lease.tvs.async_take(entry)
                await async_unpair_all(peer, phones, _async_wait_link)
            finally:
                await lease.tvs.async_put_back(tv_id)
                await lease.async_release()
        except OSError as err:
            LOGGER.warning("The phones of a removed TV could not be told: %s", err)
    await async_forget_key(hass, tv_id)


async def _async_wait_link(device: RemoteDevice) -> None:
    """Give a device the time to connect."""
    connected = asyncio.Event()

    def on_event(event: DeviceEvent) -> None:
        if isinstance(event, LinkUp):
            connected.set()

    unsubscribe = device.subscribe(on_event)
    try:
        async with asyncio.timeout(UNPAIR_WAIT):
            await connected.wait()
    except TimeoutError:
        LOGGER.debug("%s is away", device.device_id)
    finally:
        unsubscribe()


FAMILY: Final = KdeConnectFamily()

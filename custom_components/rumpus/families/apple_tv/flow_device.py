"""What the steps of the config flow share: the device in question, and its end as an entry."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.core import callback

from ...protocols.apple.const import AppleProtocol
from ...protocols.apple.identity import ClientIdentity
from ...protocols.apple.services import FoundDevice
from .. import FamilyFlow
from .const import CLIENT_NAME, CONF_IDENTIFIERS, CONF_PAIRED
from .data import (
    async_entry_of,
    device_data,
    device_name,
    model_name,
    place,
    stored_found,
    version_name,
)
from .hub import async_get_hub
from .pairings import Pairings, async_get_pairing_store

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow

type UserInput = dict[str, Any] | None

LABELS = {
    AppleProtocol.AIRPLAY: "AirPlay",
    AppleProtocol.COMPANION: "Companion",
    AppleProtocol.MRP: "MediaRemote",
}
"""The names of the protocols, the same in every language."""


class DeviceSteps(FamilyFlow):
    """A device that is to have an entry, or has one: then `entry` is not None."""

    def __init__(self, host: RumpusConfigFlow) -> None:
        """Start without a device."""
        super().__init__(host)
        self.entry: ConfigEntry | None = None
        self.found = FoundDevice("", "", ())
        self.credentials: dict[AppleProtocol, str] = {}
        self.identity = ClientIdentity.create(CLIENT_NAME)
        self.has_taken_over = False
        self._task: asyncio.Task[Any] | None = None
        self._is_over = False

    async def async_begin_with(self, entry: ConfigEntry) -> None:
        """Repair or change an entry."""
        self.entry = entry
        self.found = stored_found(entry.data)
        if TYPE_CHECKING:
            assert entry.unique_id is not None
        store = async_get_pairing_store(self.host.hass)
        if (pairings := await store.async_get(entry.unique_id)) is not None:
            self.credentials = dict(pairings.credentials)
            self.identity = pairings.identity

    # Waiting

    def run[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do something while a progress step is shown.

        It must not be over before anybody has seen it: Home Assistant would give the next
        step the input of the one before.
        """
        return self.host.hass.async_create_task(
            work, "apple_tv flow", eager_start=False
        )

    def wait(
        self, step_id: str, task: asyncio.Task[Any], **texts: str
    ) -> ConfigFlowResult:
        """Show that something goes on; `texts` are what is said about it beyond the device."""
        return self.host.async_show_progress(
            step_id=step_id,
            progress_action=step_id,
            progress_task=task,
            description_placeholders=self.placeholders(**texts),
        )

    # The end

    async def async_claim(self, *, raise_on_progress: bool) -> None:
        """Say which device this is about; aborts when it has an entry, or another flow."""
        known = async_entry_of(self.host.hass, self.found.identifiers)
        unique_id = self.found.identifier if known is None else known.unique_id
        if TYPE_CHECKING:
            assert unique_id is not None
        await self.host.async_claim(unique_id, raise_on_progress=raise_on_progress)

    async def async_keep(self) -> ConfigFlowResult:
        """Make an entry, or change the one there is, and write what was got by pairing."""
        if (entry := self.entry) is not None:
            await self._async_write(entry)
            return self.host.async_update_reload_and_abort(
                entry,
                data={
                    **entry.data,
                    **place(self.found, entry.data[CONF_IDENTIFIERS]),
                    CONF_PAIRED: [protocol.value for protocol in self.credentials],
                },
            )
        await self._async_write(None)
        return self.host.async_create_entry(
            title=device_name(self.found),
            data=device_data(self.found, self.credentials),
            description="apple_tv_taken_over"
            if self.has_taken_over
            else "apple_tv_device",
        )

    async def _async_write(self, entry: ConfigEntry | None) -> None:
        """Write the pairings of an entry there is, or that is going to be made.

        Nothing is left in the file by a flow that is too late: aborts when another one has
        made an entry meanwhile; raises UnknownEntry when the entry is deleted.
        """
        hass = self.host.hass
        store = async_get_pairing_store(hass)
        async with store.lock:
            if entry is None:
                await self.async_claim(raise_on_progress=False)
                device_id = self.host.unique_id
            else:
                hass.config_entries.async_get_known_entry(entry.entry_id)
                device_id = entry.unique_id
            if TYPE_CHECKING:
                assert device_id is not None
            await store.async_keep(
                device_id, Pairings(self.identity, dict(self.credentials))
            )
            if entry is None and self._is_over:
                # The user has closed it while it was writing.
                await store.async_forget(device_id)

    def placeholders(self, **more: str) -> dict[str, str]:
        """Return what texts may say about the device."""
        name = device_name(self.found) if self.entry is None else self.entry.title
        return {
            CONF_NAME: name,
            "model": model_name(self.found),
            "version": version_name(self.found) or "-",
            "address": self.found.address,
            **more,
        }

    @callback
    @override
    def async_remove(self) -> None:
        # Tasks of progress steps are cancelled by whoever removes the flow.
        self._task = None
        self._is_over = True
        async_get_hub(self.host.hass).forget_card(self.host.flow_id)

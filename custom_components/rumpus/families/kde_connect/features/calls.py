"""Calls of the device."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, override

from homeassistant.core import ServiceResponse, callback

from ....protocols.kdeconnect.plugins import Message, telephony
from ..const import CALL, EVENT_CALL
from ..feature import ActionHandler, Feature
from ..options import Option
from .contacts import caller_name

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator


class CallsFeature(Feature):
    """Follows calls, and silences the ringer.

    That somebody calls is for everybody to see.  Who it is goes into the event on the bus, if
    the user allows it.
    """

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start without a call."""
        super().__init__(coordinator)
        self._tracker = telephony.CallTracker()

    @callback
    @override
    def disconnected(self) -> None:
        self._tracker.reset()

    @callback
    @override
    def received(self, message: Message) -> None:
        if not isinstance(message, telephony.CallMessage):
            return
        event = self._tracker.received(message)
        self.coordinator.publish(replace(self.state, call=self._tracker.state))
        if event is None:
            return
        self.coordinator.fire(CALL, event.kind)
        caller: dict[str, str | None] = {}
        if self.coordinator.options.allows(Option.CALLERS):
            contact = caller_name(self.coordinator, event.number, event.contact)
            caller = {"number": event.number, "contact": contact}
        self.coordinator.fire_bus(EVENT_CALL, {"type": event.kind.value, **caller})

    @property
    @override
    def actions(self) -> Mapping[str, ActionHandler]:
        return {"mute_ringer": self._async_mute}

    async def _async_mute(self, data: Mapping[str, Any]) -> ServiceResponse:
        await self.async_mute()
        return None

    async def async_mute(self) -> None:
        """Silence the ringer for the present call."""
        await self.coordinator.async_send(telephony.request_mute())

    @override
    def diagnostics(self) -> dict[str, object]:
        return {"call": self.state.call}

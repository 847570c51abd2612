"""The device's sound outputs."""

from dataclasses import replace
from typing import override

from homeassistant.core import callback

from ....protocols.kdeconnect.plugins import Message, systemvolume
from ..feature import Feature


class SoundFeature(Feature):
    """Follows the outputs and changes their volumes."""

    @callback
    @override
    def connected(self) -> None:
        if self.device.supports(systemvolume.TYPE_REQUEST) and self.device.sends(
            systemvolume.TYPE
        ):
            self.coordinator.ask(systemvolume.request_sinks())

    @callback
    @override
    def received(self, message: Message) -> None:
        if isinstance(message, systemvolume.SinkList | systemvolume.SinkChange):
            known = self.state.sinks or systemvolume.Sinks()
            self.coordinator.publish(replace(self.state, sinks=known.updated(message)))

    async def async_set_volume(self, sink: systemvolume.Sink, level: float) -> None:
        """Set an output's volume, 0.0 to 1.0."""
        await self.coordinator.async_send(
            systemvolume.set_volume(sink.name, sink.volume_at(level))
        )

    async def async_set_muted(self, name: str, muted: bool) -> None:
        """Mute an output or end that."""
        await self.coordinator.async_send(systemvolume.set_muted(name, muted))

    async def async_set_default(self, name: str) -> None:
        """Let an output play what has no output of its own."""
        await self.coordinator.async_send(systemvolume.set_default(name))

    @override
    def diagnostics(self) -> dict[str, object]:
        sinks = self.state.sinks
        return {"sinks": None if sinks is None else len(sinks.by_name)}

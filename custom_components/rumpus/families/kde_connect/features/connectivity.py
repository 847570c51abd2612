"""The device's mobile networks."""

from dataclasses import replace
from typing import override

from homeassistant.core import callback

from ....protocols.kdeconnect.plugins import Message, connectivity
from ..feature import Feature


class ConnectivityFeature(Feature):
    """Follows the SIM cards."""

    @callback
    @override
    def connected(self) -> None:
        # Deprecated, so not for a device whose list is unknown.
        if connectivity.TYPE_REQUEST in self.device.identity.incoming:
            self.coordinator.ask(connectivity.request())

    @callback
    @override
    def received(self, message: Message) -> None:
        if isinstance(message, connectivity.ConnectivityReport):
            sims = {sim.subscription: sim for sim in message.sims}
            self.coordinator.publish(replace(self.state, sims=sims))

    @override
    def diagnostics(self) -> dict[str, object]:
        sims = self.state.sims
        return {"sims": None if sims is None else len(sims)}

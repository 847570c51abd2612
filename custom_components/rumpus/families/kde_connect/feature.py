"""A feature: what Home Assistant makes of one plugin of a device."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from homeassistant.core import ServiceResponse, callback

from ...protocols.kdeconnect.link import MAX_PAIRED_LINE
from ...protocols.kdeconnect.plugins import Message

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from ...protocols.kdeconnect.device import RemoteDevice
    from .coordinator import KdeConnectCoordinator
    from .options import Option
    from .state import KdeConnectState

type ActionHandler = Callable[[Mapping[str, Any]], Awaitable[ServiceResponse]]
"""Carries out an action with its validated data, which is without the target."""


class Feature:
    """One plugin's part of a coordinator: it hears, remembers, and does what it is asked to.

    Entities belong to platforms; they read the coordinator's state and call its features.
    """

    option: ClassVar[Option | None] = None
    """What the user has to have allowed; without that there is no such feature."""

    max_packet: ClassVar[int] = MAX_PAIRED_LINE
    """Bytes of the longest packet that the device may send for it."""

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Belong to a device's coordinator."""
        self.coordinator = coordinator

    @property
    def hass(self) -> HomeAssistant:
        """Home Assistant."""
        return self.coordinator.hass

    @property
    def device(self) -> RemoteDevice:
        """The device."""
        return self.coordinator.device

    @property
    def state(self) -> KdeConnectState:
        """What is known of the device; `coordinator.publish` changes it."""
        return self.coordinator.data

    async def async_start(self) -> None:
        """Begin, before the device is listened to."""

    async def async_stop(self) -> None:
        """End everything that was begun; safe after a failed start."""

    @callback
    def connected(self) -> None:
        """Say and ask what a device is told and asked whenever it has connected."""

    @callback
    def disconnected(self) -> None:
        """Forget what holds only while the device is connected; the state is reset already."""

    @callback
    def unpaired(self) -> None:
        """Delete what was kept of the device: its user has ended the pairing."""

    @callback
    def received(self, message: Message) -> None:
        """Take a message if it is one of this feature's."""

    @callback
    def remembered(self, message: Message) -> None:
        """Take what the connected device had told before we began."""
        self.received(message)

    @property
    def actions(self) -> Mapping[str, ActionHandler]:
        """The integration's actions that are this feature's, by their names."""
        return {}

    def diagnostics(self) -> Mapping[str, object]:
        """Return facts that help with a problem and tell nothing private."""
        return {}

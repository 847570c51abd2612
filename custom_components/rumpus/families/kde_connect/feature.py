"""A feature: what Home Assistant makes of one plugin of a device."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from homeassistant.core import ServiceResponse, callback

from ...protocols.kdeconnect.link import MAX_PAIRED_LINE
from ...protocols.kdeconnect.plugins import Message

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from ...coordinator import RumpusConfigEntry
    from ...protocols.kdeconnect.device import RemoteDevice
    from ...protocols.kdeconnect.packet import Packet
    from .coordinator import KdeConnectCoordinator
    from .options import Option, Options
    from .state import KdeConnectState

type ActionHandler = Callable[[Mapping[str, Any]], Awaitable[ServiceResponse]]
"""Carries out an action with its validated data, which is without the target."""


class FeatureHost(Protocol):
    """Whom features work for that offer something to a device: its coordinator, or a TV's."""

    @property
    def hass(self) -> HomeAssistant:
        """Home Assistant."""

    @property
    def entry(self) -> RumpusConfigEntry:
        """The entry that they belong to."""

    @property
    def device(self) -> RemoteDevice:
        """The device."""

    @property
    def device_id(self) -> str:
        """The id that the device has in the protocol."""

    @property
    def data(self) -> KdeConnectState:
        """What is known of the device."""

    @property
    def options(self) -> Options:
        """What is offered to the device."""

    @callback
    def ask(self, packet: Packet) -> None:
        """Send something in the background; a device that cannot be reached never gets it."""

    @callback
    def rename_offered(self, old_id: str, new_id: str) -> None:
        """Go on with an offered entity that has got another id."""


class Feature[HostT: FeatureHost = KdeConnectCoordinator]:
    """One plugin's part of a coordinator: it hears, remembers, and does what it is asked to.

    Entities belong to platforms; they read the coordinator's state and call its features.
    """

    option: ClassVar[Option | None] = None
    """What the user has to have allowed; without that there is no such feature."""

    max_packet: ClassVar[int] = MAX_PAIRED_LINE
    """Bytes of the longest packet that the device may send for it."""

    def __init__(self, coordinator: HostT) -> None:
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


type DeviceFeature = Feature | Feature[FeatureHost]
"""A feature that a device's coordinator can have."""

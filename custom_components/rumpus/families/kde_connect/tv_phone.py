"""One phone that is paired with a TV of this home."""

from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ...const import DOMAIN, LOGGER
from ...coordinator import RumpusConfigEntry
from ...protocols.budget import Budget
from ...protocols.errors import RumpusError
from ...protocols.kdeconnect.device import RemoteDevice
from ...protocols.kdeconnect.events import (
    DeviceEvent,
    IdentityChanged,
    LinkDown,
    LinkUp,
    MessageReceived,
    PairingChanged,
    TrustBroken,
)
from ...protocols.kdeconnect.packet import Packet
from ...protocols.kdeconnect.pairing import PairingReason
from ...protocols.kdeconnect.plugins import Message
from ...protocols.kdeconnect.plugins.bigscreen import Dictation
from ...protocols.kdeconnect.plugins.mousepad import (
    TYPE_ECHO,
    TYPE_KEYBOARD_STATE,
    KeyRequest,
    Modifier,
    PointerRequest,
    TvKey,
    echo,
    keyboard_state,
    tv_key,
)
from ...protocols.kdeconnect.plugins.ping import Ping
from .const import EVENT_PING
from .features.offered_entities import OfferedFeature
from .features.offered_players import OfferedPlayersFeature
from .features.offered_volumes import OfferedVolumesFeature
from .options import Options
from .state import KdeConnectState
from .tv_keys import Press
from .tv_pad import TouchPad
from .tv_rate import KeyRate

if TYPE_CHECKING:
    from .tv import TvCoordinator

MAX_PINGS: Final = 20
"""Pings at once that are told."""
PINGS_REFILL: Final = 1.0
"""Pings a second that there may be after that."""

_OFFERS: Final[tuple[type[OfferedFeature], ...]] = (
    OfferedPlayersFeature,
    OfferedVolumesFeature,
)
_HELD_WITH_TEXT: Final = Modifier.NONE | Modifier.SHIFT
"""Anything else makes a shortcut of a letter, and a TV has none."""


class TvPhone:
    """Takes what a phone wants of a TV, and shows the TV's player on it.

    To the features that offer players it is what the coordinator of a device is to them.
    """

    def __init__(self, tv: TvCoordinator, device: RemoteDevice) -> None:
        """Belong to a TV; nothing happens before `async_start`."""
        self.tv = tv
        self.device = device
        self.data = KdeConnectState()
        self._rate = KeyRate()
        self._pings = Budget(MAX_PINGS, PINGS_REFILL)
        self._pad = TouchPad()
        self._is_flooding = False
        self._is_doubted = False
        self._unsubscribe: CALLBACK_TYPE | None = None
        self._offers = [offer(self) for offer in _OFFERS]

    # What the features ask for

    @property
    def hass(self) -> HomeAssistant:
        """Home Assistant."""
        return self.tv.hass

    @property
    def entry(self) -> RumpusConfigEntry:
        """The entry of the TV."""
        return self.tv.entry

    @property
    def device_id(self) -> str:
        """The id that the phone has in the protocol."""
        return self.device.device_id

    @property
    def options(self) -> Options:
        """What is offered: the TV's player and nothing else."""
        return Options(players=(self.tv.settings.media_player,))

    @callback
    def rename_offered(self, old_id: str, new_id: str) -> None:
        """Go on with an entity that has got another id."""
        self.tv.rename(old_id, new_id)

    @callback
    def ask(self, packet: Packet) -> None:
        """Send something in the background; a phone that cannot be reached never gets it."""
        self.entry.async_create_background_task(
            self.hass, self._async_ask(packet), f"{DOMAIN} {packet.type}"
        )

    async def _async_ask(self, packet: Packet) -> None:
        try:
            await self.device.send(packet)
        except RumpusError as err:
            LOGGER.debug("%s: %s", self.device_id, err)

    # Life

    async def async_start(self) -> None:
        """Listen to the phone from now on."""
        for offer in self._offers:
            await offer.async_start()
        self._unsubscribe = self.device.subscribe(self._on_event)
        if self.device.is_up:
            self._connected()

    async def async_stop(self) -> None:
        """Listen no more; safe to call twice."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        for offer in self._offers:
            await offer.async_stop()

    @callback
    def _connected(self) -> None:
        self.data = KdeConnectState(is_connected=True)
        self._is_doubted = False
        self.tv.remember()
        # Without this some phones offer no keyboard.
        if self.device.supports(TYPE_KEYBOARD_STATE):
            self.ask(keyboard_state(True))
        for offer in self._offers:
            offer.connected()

    @callback
    def _disconnected(self) -> None:
        self.data = KdeConnectState()
        self._pad = TouchPad()
        for offer in self._offers:
            offer.disconnected()

    @callback
    def _on_event(self, event: DeviceEvent) -> None:
        match event:
            case LinkUp():
                self._connected()
            case LinkDown():
                self._disconnected()
                self.tv.update()
            case IdentityChanged():
                self.tv.remember()
            case MessageReceived(message):
                self._received(message)
            case PairingChanged(reason=PairingReason.UNPAIRED_BY_PEER):
                self._disconnected()
                self.tv.phone_left(self)
            case TrustBroken():
                self._doubted()

    @callback
    def _doubted(self) -> None:
        """Tell the user of an impostor, once while the phone itself is away."""
        if self._is_doubted:
            return
        self._is_doubted = True
        LOGGER.warning(
            "A phone that calls itself %r has another key than the one that was paired "
            "with %s, and was refused. If it was reset, remove it in the options of the "
            "TV and pair it again",
            self.device.name,
            self.tv.name,
        )

    # What the phone wants

    @callback
    def _received(self, message: Message) -> None:
        match message:
            case KeyRequest():
                self._pressed(message)
            case PointerRequest():
                for key in self._pad.keys(message):
                    self._press(key)
            case Dictation(content):
                self._type(content)
            case Ping(text):
                if self._pings.take(self.hass.loop.time()):
                    self.tv.fire_bus(
                        EVENT_PING, {"phone": self.device.name, "message": text}
                    )
            case _:
                for offer in self._offers:
                    offer.received(message)

    def _pressed(self, request: KeyRequest) -> None:
        done = partial(self._echo, request) if request.wants_echo else _nothing
        if (key := tv_key(request)) is not None:
            self._press(key, done)
        elif request.text and request.modifiers in _HELD_WITH_TEXT:
            self._type(request.text, done)

    def _press(self, key: TvKey, done: CALLBACK_TYPE | None = None) -> None:
        if self._is_admitted():
            self.tv.keys.add(Press(self.device.name, done or _nothing, key=key))

    def _type(self, text: str, done: CALLBACK_TYPE | None = None) -> None:
        if self._is_admitted():
            self.tv.keys.add(Press(self.device.name, done or _nothing, text=text))

    def _echo(self, request: KeyRequest) -> None:
        if self.device.supports(TYPE_ECHO):
            self.ask(echo(request))

    def _is_admitted(self) -> bool:
        """Refuse what nobody presses by hand; say so once each time that it begins."""
        if self._rate.admit(self.hass.loop.time()):
            if self._rate.is_calm:
                self._is_flooding = False
            return True
        if not self._is_flooding:
            LOGGER.debug("%s presses too many keys", self.device_id)
            self._is_flooding = True
        return False


def _nothing() -> None:
    """Do nothing: the phone does not want to know."""

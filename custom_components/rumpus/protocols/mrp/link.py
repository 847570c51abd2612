"""One session with a device, and all that it tells (part B, sections 3.4 to 5)."""

from collections.abc import Callable
import logging
import time
from typing import Final

from ..apple.enums import PowerState
from ..apple.identity import ClientIdentity
from ..apple.models import IDLE, App, OutputDevice, Playing
from ..errors import DisconnectedError, RumpusError
from ..hap.credentials import HapCredentials
from ..hap.procedures import verify
from . import messages
from .device_info import MAX_OUTPUT_DEVICES, read_device_info
from .events import (
    ArtworkChanged,
    CommandsChanged,
    InfoChanged,
    KeyboardChanged,
    Lost,
    MrpEvent,
    OutputDevicesChanged,
    PlayingChanged,
    PowerChanged,
)
from .framing import make_cipher
from .keyboard import read_keyboard
from .media import COMMANDS, NOTHING, MediaState
from .models import KeyboardSession, MrpDeviceInfo
from .players import MAX_UPDATES, Item
from .playing import ArtworkSources, artwork_sources, build_playing
from .proto import mrp_pb2 as pb
from .session import MrpSession
from .tcp import TcpTransport
from .timing import Timing
from .transport import MessageTransport
from .volume import Volume
from .waiting import Reports

MAX_NOTIFICATIONS: Final = 64
"""Notifications of one message that are looked at."""
ARTWORK_NOTIFICATION: Final = "kMRTelevisionRemoteNowPlayingArtworkChanged"
"""What a device calls it when there is another picture (part B, section 4.1)."""

type Listener = Callable[[MrpEvent], None]

_LOGGER: Final = logging.getLogger(__name__)


class MrpLink:
    """A session with a device: it starts once, and is over when it is closed or lost."""

    def __init__(
        self,
        transport: MessageTransport,
        identity: ClientIdentity,
        *,
        client_id: str,
        credentials: HapCredentials | None = None,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take a transport that is connected; credentials are for TCP alone.

        `client_id` is how the device knows us; the one of credentials goes before it.
        """
        self._transport = transport
        self._identity = identity
        self._client_id = client_id
        self._credentials = credentials
        self._timing = timing or Timing()
        self._clock = clock
        self._listeners: dict[object, Listener] = {}
        self._current: MrpSession | None = None
        self._is_ready = False
        self._media = MediaState(clock)
        self._volume = Volume(self._session, self._emit, self._timing)
        self._infos: Reports[MrpDeviceInfo] = Reports()
        self._playing = IDLE
        self._sources: ArtworkSources = ()
        self._power = PowerState.UNKNOWN
        self._info = MrpDeviceInfo()
        self._outputs: tuple[OutputDevice, ...] = ()
        self._keyboard = KeyboardSession()
        self._pushes: Final = self._push_handlers()

    def _push_handlers(self) -> dict[int, Callable[[pb.ProtocolMessage], None]]:
        media = self._media
        return {
            pb.MESSAGE_TYPE_SET_STATE: self._on_set_state,
            pb.MESSAGE_TYPE_UPDATE_CONTENT_ITEM: lambda message: self._changed(
                media.update_items(message.update_content_item)
            ),
            pb.MESSAGE_TYPE_SET_NOW_PLAYING_CLIENT: lambda message: self._changed(
                media.set_active_client(message.set_now_playing_client)
            ),
            pb.MESSAGE_TYPE_SET_NOW_PLAYING_PLAYER: lambda message: self._changed(
                media.set_active_player(message.set_now_playing_player)
            ),
            pb.MESSAGE_TYPE_UPDATE_CLIENT: lambda message: self._changed(
                media.update_client(message.update_client)
            ),
            pb.MESSAGE_TYPE_REMOVE_CLIENT: lambda message: self._changed(
                media.remove_client(message.remove_client)
            ),
            pb.MESSAGE_TYPE_REMOVE_PLAYER: lambda message: self._changed(
                media.remove_player(message.remove_player)
            ),
            pb.MESSAGE_TYPE_SET_DEFAULT_SUPPORTED_COMMANDS: lambda message: (
                self._changed(
                    media.set_default_commands(message.set_default_supported_commands)
                )
            ),
            pb.MESSAGE_TYPE_UPDATE_CONTENT_ITEM_ARTWORK: self._on_artwork,
            pb.MESSAGE_TYPE_NOTIFICATION: self._on_notification,
            pb.MESSAGE_TYPE_DEVICE_INFO: self._on_device_info,
            pb.MESSAGE_TYPE_DEVICE_INFO_UPDATE: self._on_device_info,
            pb.MESSAGE_TYPE_VOLUME_CONTROL_AVAILABILITY: lambda message: (
                self._volume.set_availability(message.volume_control_availability)
            ),
            pb.MESSAGE_TYPE_VOLUME_CONTROL_CAPABILITIES_DID_CHANGE: lambda message: (
                self._volume.set_capabilities(
                    message.volume_control_capabilities_did_change
                )
            ),
            pb.MESSAGE_TYPE_VOLUME_DID_CHANGE: self._on_volume,
            pb.MESSAGE_TYPE_UPDATE_OUTPUT_DEVICE: self._on_outputs,
            pb.MESSAGE_TYPE_KEYBOARD: self._on_keyboard,
        }

    # What the device told

    @property
    def is_connected(self) -> bool:
        """Whether the session has started and is not over."""
        return (
            self._is_ready and self._current is not None and self._current.is_connected
        )

    @property
    def playing(self) -> Playing:
        """Return what is played."""
        return self._playing

    @property
    def app(self) -> App | None:
        """Return the app that plays."""
        return self._playing.app

    @property
    def power(self) -> PowerState:
        """Return whether the device is awake, as far as MRP tells (section 4.7)."""
        return self._power

    @property
    def device_info(self) -> MrpDeviceInfo:
        """Return what the device told about itself."""
        return self._info

    @property
    def output_devices(self) -> tuple[OutputDevice, ...]:
        """Return what plays along, with volumes where they are known."""
        return self._outputs

    @property
    def keyboard(self) -> KeyboardSession:
        """Return the keyboard on the screen."""
        return self._keyboard

    # The session

    def subscribe(self, callback: Listener, /) -> Callable[[], None]:
        """Get all events from now on, until the returned function is called."""
        key = object()
        self._listeners[key] = callback

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe

    async def start(self) -> None:
        """Introduce ourselves, prove who we are, and ask for news (section 3.4).

        Raises DisconnectedError or why the connection ended, PeerTimeoutError,
        AuthenticationError and ProtocolError; the session is over then.
        """
        if self._current is not None:
            raise RuntimeError("A session starts once")
        session = MrpSession(
            self._transport, self._timing, self._on_push, self._on_lost
        )
        self._current = session
        try:
            session.start()
            await self._introduce(session)
        except BaseException as err:
            await self.close()
            if isinstance(err, DisconnectedError) and session.error is not None:
                raise session.error from None
            raise
        self._is_ready = True
        if isinstance(self._transport, TcpTransport):
            session.start_heartbeat()

    async def close(self) -> None:
        """End the session; what waits fails at once. Never raises."""
        self._is_ready = False
        self._fail_waiting()
        if self._current is None:
            await self._transport.close()
        else:
            await self._current.close()

    async def _introduce(self, session: MrpSession) -> None:
        credentials = self._credentials
        own_id = self._client_id
        if credentials is not None:
            own_id = credentials.client_id.decode(errors="replace")
        self._on_device_info(await session.introduce(self._identity, own_id))
        transport = self._transport
        if credentials is not None and isinstance(transport, TcpTransport):

            async def exchange(data: bytes, step: int) -> bytes:
                # What follows the last answer has other keys.
                hold = transport.hold if step == 3 else None
                return await session.exchange(data, 0, hold=hold)

            secret = await verify(credentials, exchange)
            transport.encrypt(make_cipher(secret))
        session.send(messages.connected())
        # Neither has to wait for the other's answer.
        _, keyboard = await session.request_all(
            messages.updates_config(),
            messages.make(pb.MESSAGE_TYPE_GET_KEYBOARD_SESSION),
        )
        self._on_keyboard(keyboard)
        if not session.is_connected:
            # It ended with its last answer, before anybody would be told of that.
            raise DisconnectedError("The device has disconnected")

    def _session(self) -> MrpSession:
        if self._current is None:
            raise DisconnectedError("There is no session with the device")
        return self._current

    # What comes in

    def _on_push(self, message: pb.ProtocolMessage) -> None:
        if (push := self._pushes.get(message.type)) is not None:
            push(message)

    def _on_lost(self, error: RumpusError | None) -> None:
        was_ready, self._is_ready = self._is_ready, False
        self._fail_waiting()
        if was_ready:
            self._emit(Lost(error))

    def _fail_waiting(self) -> None:
        self._volume.reports.fail()
        self._infos.fail()

    def _on_set_state(self, message: pb.ProtocolMessage) -> None:
        if (change := self._media.set_state(message.set_state)) != NOTHING:
            self._changed(change)

    def _changed(self, change: int) -> None:
        """Publish what became of a change of the media, if it changed anything."""
        if change == NOTHING:
            return
        media = self._media
        client = media.client
        player = None if client is None else client.playing()
        old = self._playing
        playing = build_playing(client, player, self._clock(), old)
        if playing != old:
            self._playing = playing
            self._emit(PlayingChanged(playing))
        if playing.artwork_id is not None and (item := media.item) is not None:
            self._look_at_artwork(item, playing.artwork_id == old.artwork_id)
        if change & COMMANDS:
            self._emit(CommandsChanged())

    def _look_at_artwork(self, item: Item, is_same: bool) -> None:
        """Tell that there is a picture that was only promised, or another address."""
        before, self._sources = self._sources, artwork_sources(item)
        if is_same and self._sources != before:
            self._forget_artwork()
            self._emit(ArtworkChanged())

    def _on_artwork(self, message: pb.ProtocolMessage) -> None:
        item = self._media.item
        if item is not None and any(
            other.identifier == item.identifier
            for other in message.update_content_item_artwork.content_items[:MAX_UPDATES]
        ):
            self._forget_artwork()
            self._emit(ArtworkChanged())

    def _on_notification(self, message: pb.ProtocolMessage) -> None:
        names = message.notification.notification[:MAX_NOTIFICATIONS]
        if ARTWORK_NOTIFICATION in names and self._playing.artwork_id is not None:
            self._forget_artwork()
            self._emit(ArtworkChanged())

    def _forget_artwork(self) -> None:
        """Forget the picture of what is played: for who has it."""

    def _on_device_info(self, message: pb.ProtocolMessage) -> None:
        info = read_device_info(message.device_info)
        old, self._info = self._info, info
        self._volume.rename(info.uid)
        power = PowerState.ON if info.is_on else PowerState.OFF
        before, self._power = self._power, power
        if info != old:
            self._emit(InfoChanged(info))
        if power is not before:
            self._emit(PowerChanged(before, power))
        self._refresh_outputs()
        self._infos.report(info)

    def _on_outputs(self, message: pb.ProtocolMessage) -> None:
        update = message.update_output_device
        for devices in (update.output_devices, update.cluster_aware_output_devices):
            for device in devices[:MAX_OUTPUT_DEVICES]:
                self._volume.set_descriptor(device)
        self._refresh_outputs()

    def _on_volume(self, message: pb.ProtocolMessage) -> None:
        self._volume.set_level(message.volume_did_change)
        self._refresh_outputs()

    def _on_keyboard(self, message: pb.ProtocolMessage) -> None:
        keyboard = read_keyboard(message.keyboard)
        if keyboard != self._keyboard:
            self._keyboard = keyboard
            self._emit(KeyboardChanged(keyboard))

    def _refresh_outputs(self) -> None:
        levels, own = self._volume.levels, self._info.identifier
        outputs = tuple(
            OutputDevice(
                device.identifier,
                device.name,
                self._volume.level
                if device.identifier == own
                else levels.get(device.identifier),
            )
            for device in self._info.output_devices
        )
        if outputs != self._outputs:
            self._outputs = outputs
            self._emit(OutputDevicesChanged(outputs))

    def _emit(self, event: MrpEvent) -> None:
        for key in tuple(self._listeners):
            # One may have ended another, which hears no more then.
            if (callback := self._listeners.get(key)) is None:
                continue
            try:
                callback(event)
            except Exception:
                _LOGGER.exception("A listener failed")

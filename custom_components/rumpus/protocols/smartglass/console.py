"""One console, as programs use it: a session with all its services."""

import asyncio
from collections.abc import Callable
import logging
from typing import Final, assert_never
from uuid import UUID

from ..errors import DisconnectedError, PeerTimeoutError, RumpusError
from .channels import CORE, Channel
from .console_link import ConsoleLink
from .const import PORT
from .discovery import DiscoveredConsole, Discoverer
from .enums import (
    DisconnectReason,
    PairedIdentityState,
    ResultCode,
    ServiceChannel,
    TitleLocation,
)
from .errors import ChannelError, ConsoleMismatchError
from .events import (
    ChannelFailed,
    ChannelOpened,
    ConsoleEvent,
    LinkLost,
    LossReason,
    PairingStateChanged,
    StatusChanged,
    SurfaceChanged,
)
from .messages import (
    ActiveSurfaceChange,
    ConsoleStatus,
    Message,
    PairedIdentityStateChanged,
)
from .protocol import SmartglassProtocol
from .services.broadcast import BroadcastService
from .services.input import InputService
from .services.link import Service
from .services.media import MediaService
from .services.text import TextService
from .services.title import TitleChannel
from .services.tv import TvService
from .session import (
    ChannelAnswered,
    JsonReceived,
    MessageReceived,
    SessionEnded,
    ToldEvent,
)
from .shell import DEFAULT_TIMING
from .timing import Timing
from .tokens import Tokens

__all__ = ["OPENED_CHANNELS", "Console", "Timing", "Tokens"]

_LOGGER = logging.getLogger(__name__)

#: What `Console.connect` opens, in the order of the official client (section 9).
OPENED_CHANNELS: Final = (
    ServiceChannel.SYSTEM_INPUT,
    ServiceChannel.SYSTEM_MEDIA,
    ServiceChannel.SYSTEM_TEXT,
    ServiceChannel.SYSTEM_INPUT_TV_REMOTE,
)


class Console:
    """A console that may be connected, and may be connected again.

    The services stay the same objects all the time; with no link they know nothing and
    refuse to do anything. Nothing here connects by itself, see `protocols/reconnect.py`.
    """

    input: InputService
    media: MediaService
    text: TextService
    tv: TvService
    broadcast: BroadcastService
    """Its channel is opened by the first one who needs it, see `open_channel`."""

    def __init__(
        self,
        discoverer: Discoverer,
        *,
        live_id: str,
        address: str,
        port: int = PORT,
        client_uuid: UUID,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        """Know a console by its Live ID and where it was last; nothing is sent yet.

        The client uuid stands for this installation: consoles count devices by it.
        """
        self._discoverer = discoverer
        self._live_id = live_id
        self._address = address
        self._port = port
        self._client_uuid = client_uuid
        self._timing = timing
        self._discovered: DiscoveredConsole | None = None
        self._listeners: dict[object, Callable[[ConsoleEvent], None]] = {}
        self._connecting = asyncio.Lock()
        self._opening = asyncio.Lock()
        # Whoever waits for its turn to connect is not wanted any more after one of these.
        self._disconnects = 0
        self._task: asyncio.Task[SmartglassProtocol] | None = None
        self._protocol: SmartglassProtocol | None = None
        self._is_up = False
        self._is_authenticated = False
        self._power_offs = 0
        self._pairing_state: PairedIdentityState | int | None = None
        self._surface: ActiveSurfaceChange | None = None
        # The first status has come, or never will.
        self._is_told = asyncio.Event()
        self._channel_tasks: set[asyncio.Task[None]] = set()
        self.input = InputService(self._link(ServiceChannel.SYSTEM_INPUT), self._emit)
        self.media = MediaService(self._link(ServiceChannel.SYSTEM_MEDIA), self._emit)
        self.text = TextService(self._link(ServiceChannel.SYSTEM_TEXT), self._emit)
        self.tv = TvService(
            self._link(ServiceChannel.SYSTEM_INPUT_TV_REMOTE), self._emit
        )
        self.broadcast = BroadcastService(
            self._link(ServiceChannel.SYSTEM_BROADCAST), self._emit
        )
        self._services: dict[Channel, Service] = {
            Channel(ServiceChannel.SYSTEM_INPUT): self.input,
            Channel(ServiceChannel.SYSTEM_MEDIA): self.media,
            Channel(ServiceChannel.SYSTEM_TEXT): self.text,
            Channel(ServiceChannel.SYSTEM_INPUT_TV_REMOTE): self.tv,
            Channel(ServiceChannel.SYSTEM_BROADCAST): self.broadcast,
        }
        self._titles: dict[Channel, TitleChannel] = {}

    # Where it is, and what is known of it.

    @property
    def live_id(self) -> str:
        """The id that the console's certificate has to name."""
        return self._live_id

    @property
    def address(self) -> str:
        """The address that the next connect goes to."""
        return self._address

    @property
    def port(self) -> int:
        """The UDP port that the next connect goes to."""
        return self._port

    def move(self, address: str, port: int = PORT) -> None:
        """Look for the console elsewhere from the next connect on; a link stays."""
        self._address = address
        self._port = port

    @property
    def name(self) -> str | None:
        """The name its user gave it, as last discovered; None before the first time."""
        return self._discovered.name if self._discovered is not None else None

    @property
    def discovered(self) -> DiscoveredConsole | None:
        """What the console said of itself before the last connect."""
        return self._discovered

    @property
    def is_connected(self) -> bool:
        """Whether there is a session: from the end of `connect` to LinkLost."""
        return self._is_up

    @property
    def is_authenticated(self) -> bool:
        """Whether the session is that of a signed-in user."""
        return self._is_authenticated

    @property
    def participant_id(self) -> int | None:
        """Our number in the session; None without one."""
        return self._protocol.participant_id if self._protocol is not None else None

    @property
    def status(self) -> ConsoleStatus | None:
        """Build, locale and active titles, as last told; None without a session."""
        return self._protocol.status if self._protocol is not None else None

    @property
    def pairing_state(self) -> PairedIdentityState | int | None:
        """Whether the console knows our user; None without a session."""
        return self._pairing_state

    @property
    def surface(self) -> ActiveSurfaceChange | None:
        """What kind of picture is shown; None when the console did not tell."""
        return self._surface

    @property
    def channels(self) -> frozenset[ServiceChannel]:
        """The channels that can be used now; CORE is always among them with a session."""
        if not self._is_up or self._protocol is None or self._protocol.session is None:
            return frozenset()
        opened = self._protocol.session.channels.open_channels
        return opened | {ServiceChannel.CORE}

    def subscribe(self, callback: Callable[[ConsoleEvent], None]) -> Callable[[], None]:
        """Get all events from now on, until the returned function is called."""
        key = object()
        self._listeners[key] = callback

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe

    # Sessions.

    async def connect(self, tokens: Tokens | None = None) -> PairedIdentityState | int:
        """Begin a session and open the channels of the services; with one, do nothing.

        A channel that the console refuses, or says nothing about, is only not open. No
        LinkLost follows a connect that failed.

        Raises PeerTimeoutError when nobody answers at the address, or does not any more;
        ConsoleMismatchError when that is another console; ConnectRefusedError with the
        console's result; DisconnectedError when the session is gone again, be it that
        `disconnect` was called; ProtocolError when the console's certificate is unusable.
        """
        wish = self._disconnects
        async with self._connecting:
            if wish != self._disconnects:
                raise DisconnectedError("Disconnected before connecting")
            if self._is_up and self._pairing_state is not None:
                return self._pairing_state
            # A task, so that `disconnect` can end the attempt wherever it is.
            self._task = asyncio.get_running_loop().create_task(self._establish(tokens))
            try:
                protocol = await self._task
            except asyncio.CancelledError:
                self._drop()
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                raise DisconnectedError("Disconnected while connecting") from None
            finally:
                self._task = None
            if self._protocol is not protocol or not protocol.is_joined:
                self._drop()
                raise DisconnectedError("The session is over already")
            self._is_up = True
            self._is_authenticated = tokens is not None
            state = self._pairing_state
            return PairedIdentityState.NOT_PAIRED if state is None else state

    async def disconnect(
        self, reason: DisconnectReason = DisconnectReason.APP_CLOSE
    ) -> None:
        """End the session, or the attempt to make one. Never raises; emits nothing.

        All who wait for something get DisconnectedError.
        """
        self._disconnects += 1
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.wait({task})
        protocol = self._forget()
        if protocol is not None:
            await protocol.disconnect(reason)
        await asyncio.gather(*self._channel_tasks, return_exceptions=True)

    async def power_off(self) -> None:
        """Switch the console off and end the session; emits LinkLost that says off.

        Returns when the console has said that it goes off, or has fallen silent. Raises
        RejectedError when it refuses, PeerTimeoutError when it stays on (consoles do so
        while an update installs), DisconnectedError without a session.
        """
        protocol = self._require()
        self._power_offs += 1
        try:
            await protocol.power_off(self._live_id)
        finally:
            self._power_offs -= 1
        if self._protocol is protocol:
            # Without waiting: nobody would hear of it if the caller were cancelled here.
            self._drop()
            self._emit(LinkLost(LossReason.POWERED_OFF))

    # What is not the business of a service.

    async def send(
        self, message: Message, channel: ServiceChannel = ServiceChannel.CORE
    ) -> None:
        """Send a message and wait for its ack; it is never executed twice.

        Raises RejectedError, PeerTimeoutError when there is no ack, DisconnectedError,
        ChannelError when the channel is not open.
        """
        await self._require().send_message(message, channel)

    def send_nowait(
        self, message: Message, channel: ServiceChannel = ServiceChannel.CORE
    ) -> None:
        """Send a message that the console shall not ack; it may get lost.

        Raises DisconnectedError, ChannelError.
        """
        self._require().send_nowait(message, channel)

    async def open_channel(self, channel: ServiceChannel) -> None:
        """Open a channel that `connect` leaves shut, or one that it could not open.

        Raises ChannelError when the console refuses it or says nothing, and what `send`
        raises.
        """
        async with self._opening:
            if channel not in self.channels:
                await self._require().start_channel(channel)

    async def open_title_channel(self, title_id: int) -> TitleChannel:
        """Open the channel of a running title, for titles that have a companion protocol.

        Raises what `open_channel` does.
        """
        channel = Channel(ServiceChannel.TITLE, title_id)
        async with self._opening:
            link = ConsoleLink(lambda: self._protocol, channel)
            title = self._titles.get(channel)
            if title is not None and link.is_open:
                return title
            # It has to be there before its first message is, which comes with the answer.
            title = self._titles[channel] = TitleChannel(link, self._emit, title_id)
            try:
                await self._require().start_channel(ServiceChannel.TITLE, title_id)
            except BaseException:
                self._titles.pop(channel, None)
                raise
            return title

    async def launch_title(
        self, uri: str, location: TitleLocation = TitleLocation.FULL
    ) -> None:
        """Ask the console to start a title and wait for it to show up.

        Consoles take the message and ignore it since 2019 (section 7.6): then this raises
        TitleNotLaunchedError. Raises what `send` does, too.
        """
        await self._require().launch_title(uri, location)

    async def record(self, start_delta: int, end_delta: int = 0) -> None:
        """Record what was played, from so many seconds ago (negative) to so many.

        Only a signed-in session has an effect (section 7.11). Raises what `send` does.
        """
        await self._require().game_dvr_record(start_delta, end_delta)

    # How a session begins.

    def _link(self, channel: ServiceChannel) -> ConsoleLink:
        return ConsoleLink(lambda: self._protocol, Channel(channel))

    def _require(self) -> SmartglassProtocol:
        if not self._is_up or self._protocol is None:
            raise DisconnectedError("There is no session with the console")
        return self._protocol

    async def _establish(self, tokens: Tokens | None) -> SmartglassProtocol:
        """Begin a session, or leave nothing of it behind."""
        found = await self._find()
        protocol = await SmartglassProtocol.open(
            found.address, found.port, timing=self._timing, listener=self._handle
        )
        self._protocol = protocol
        self._is_told.clear()
        try:
            self._pairing_state = await protocol.connect(
                tokens.userhash if tokens is not None else "",
                tokens.xsts_token if tokens is not None else "",
                self._client_uuid,
                certificate=found.certificate,
            )
            await protocol.local_join()
            await self._open_channels(protocol)
        except BaseException:
            self._forget()
            await protocol.disconnect(DisconnectReason.APP_CLOSE)
            raise
        return protocol

    async def _find(self) -> DiscoveredConsole:
        """Ask who is at the address: only a certificate of now can be used."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._timing.discovery
        interval = self._timing.discovery_interval
        while (left := end - loop.time()) > 0:
            found = await self._discoverer.find(
                self._address, self._port, left, interval=interval
            )
            if found.live_id not in (None, self._live_id):
                raise ConsoleMismatchError("Another console answers at this address")
            if found.is_ready:
                self._discovered = found
                return found
            await asyncio.sleep(interval)
        raise PeerTimeoutError("The console has no certificate yet")

    async def _open_channels(self, protocol: SmartglassProtocol) -> None:
        """Open the services' channels at the same time, and wait for the first status.

        A channel that takes longer opens later; see ChannelOpened and ChannelFailed.
        """
        loop = asyncio.get_running_loop()
        tasks = [
            loop.create_task(self._try_channel(protocol, channel))
            for channel in OPENED_CHANNELS
        ]
        self._channel_tasks.update(tasks)
        for task in tasks:
            task.add_done_callback(self._channel_tasks.discard)
        try:
            async with asyncio.timeout(self._timing.status):
                await self._is_told.wait()
                await asyncio.wait(tasks)
        except TimeoutError:
            _LOGGER.debug("The console has not told or opened everything yet")

    async def _try_channel(
        self, protocol: SmartglassProtocol, channel: ServiceChannel
    ) -> None:
        try:
            await protocol.start_channel(channel)
        except ChannelError as err:
            # A refusal is told by the session, in its place among the other events.
            if err.result is None and self._protocol is protocol:
                self._emit(ChannelFailed(channel, None))
        except RumpusError as err:
            _LOGGER.debug("Channel %s: %s", channel.name, err)

    # How a session ends.

    def _forget(self) -> SmartglassProtocol | None:
        """Let there be no session; return the one there was, which is still to be closed."""
        protocol = self._protocol
        # They may have something to say before it ends: to let go of buttons, say.
        for service in (*self._services.values(), *self._titles.values()):
            service.closed()
        self._titles.clear()
        self._protocol = None
        self._is_up = self._is_authenticated = False
        self._pairing_state = self._surface = None
        self._is_told.set()
        return protocol

    def _drop(self) -> None:
        """End what may have begun, without waiting."""
        if (protocol := self._forget()) is not None:
            protocol.hang_up(DisconnectReason.APP_CLOSE)

    def _lost(self, event: SessionEnded) -> None:
        was_up = self._is_up
        if not was_up:
            # Whoever connects finds out, and cleans up.
            self._is_told.set()
            return
        lost = LinkLost(event.reason, event.disconnect_reason, event.was_empty)
        if self._power_offs and (lost.says_off or lost.reason is LossReason.SILENCE):
            lost = LinkLost(
                LossReason.POWERED_OFF, event.disconnect_reason, event.was_empty
            )
        self._drop()
        self._emit(lost)

    # What happens in a session.

    def _handle(self, event: ToldEvent) -> None:
        match event:
            case MessageReceived(channel=channel, message=message):
                self._received(channel, message)
            case JsonReceived(channel=channel, obj=obj):
                if (service := self._service(channel)) is not None:
                    service.received_json(obj)
            case ChannelAnswered(channel=channel, result=result):
                self._channel_answered(channel, result)
            case SessionEnded():
                self._lost(event)
            case _:
                assert_never(event)

    def _received(self, channel: Channel, message: Message) -> None:
        match message:
            case ConsoleStatus():
                self._is_told.set()
                self._emit(StatusChanged(message))
            case PairedIdentityStateChanged(state=state):
                self._pairing_state = state
                self._emit(PairingStateChanged(state))
            case ActiveSurfaceChange() if channel == CORE:
                self._surface = message
                self._emit(SurfaceChanged(message))
            case _:
                if (service := self._service(channel)) is not None:
                    service.received(message)

    def _service(self, channel: Channel) -> Service | None:
        return self._services.get(channel) or self._titles.get(channel)

    def _channel_answered(self, channel: Channel, result: ResultCode | int) -> None:
        if result != ResultCode.SUCCESS:
            self._emit(ChannelFailed(channel.service, result))
        elif (service := self._service(channel)) is not None:
            service.opened()
            self._emit(ChannelOpened(channel.service))

    def _emit(self, event: ConsoleEvent) -> None:
        for callback in tuple(self._listeners.values()):
            try:
                callback(event)
            except Exception:
                _LOGGER.exception("A listener failed")

"""A console at the other end of one UDP socket (sections 4, 7, 10 and 13)."""

import asyncio
from collections.abc import Callable, Iterable
import contextlib
import re
from typing import Final, override
from uuid import UUID, uuid4

from ..errors import DisconnectedError, PeerTimeoutError, ProtocolError
from .certificate import read_certificate
from .channels import Channel
from .connect import connect_fragments
from .crypto import Crypto
from .discovery import DiscoveredConsole, read_response
from .enums import (
    ConnectResult,
    PairedIdentityState,
    ResultCode,
    ServiceChannel,
    TitleLocation,
)
from .errors import (
    ChannelError,
    ConnectRefusedError,
    RejectedError,
    TitleNotLaunchedError,
)
from .events import OFF_REASONS, LossReason
from .messages import (
    Ack,
    ConsoleStatus,
    GameDvrRecord,
    LocalJoin,
    PowerOff,
    StartChannelRequest,
    StopChannel,
    TitleLaunch,
)
from .packets import ConnectResponse, DiscoveryRequest, PowerOnRequest, encode_packet
from .session import (
    ChannelAnswered,
    MessageReceived,
    SendOutcome,
    Session,
    SessionEnded,
    SessionEvent,
)
from .shell import DEFAULT_TIMING, Listener, SessionShell, fail, resolve
from .timing import Timing
from .tokens import Tokens

MAX_JOINS: Final = 8
"""Sessions that a console may offer for one connect."""
DEFAULT_CLIENT: Final = LocalJoin()
"""What we say of ourselves; consoles take anything."""

_TITLE_URI: Final = re.compile(r"ms-xbl-([0-9a-fA-F]{8}):", re.ASCII)
_NO_SERVICE: Final = UUID(int=0)

type StatusFilter = Callable[[ConsoleStatus], bool]


class SmartglassProtocol(SessionShell):
    """What a client can do with one console: find, connect, ask, switch on and off.

    In the order of a session: `open`, `discover`, `connect`, `local_join`, `start_channel`
    and whatever else, `disconnect`. See `Console` for all of that in one.
    """

    def __init__(
        self, *, timing: Timing = DEFAULT_TIMING, listener: Listener | None = None
    ) -> None:
        """Prepare; see `open`."""
        super().__init__(timing=timing, listener=listener)
        self.discovered: DiscoveredConsole | None = None
        self.pairing_state: PairedIdentityState | int | None = None
        self.status: ConsoleStatus | None = None
        self._crypto: Crypto | None = None
        self._is_pending = False
        self._is_joining = False
        self._discovery: asyncio.Future[DiscoveredConsole] | None = None
        self._response: asyncio.Future[ConnectResponse] | None = None
        self._watchers: dict[asyncio.Future[None], StatusFilter] = {}
        self._end: asyncio.Future[SessionEnded] | None = None

    @property
    def participant_id(self) -> int | None:
        """Our number in the session; None without one."""
        return self.session.participant_id if self.session is not None else None

    # Before there is a session.

    async def discover(
        self, timeout: float | None = None, interval: float | None = None
    ) -> DiscoveredConsole:
        """Return what the console says of itself; its certificate is needed to connect.

        Raises PeerTimeoutError, DisconnectedError.
        """
        request = encode_packet(DiscoveryRequest())
        future = self._discovery = asyncio.get_running_loop().create_future()
        pause = self.timing.discovery_interval if interval is None else interval
        try:
            async with asyncio.timeout(
                self.timing.discovery if timeout is None else timeout
            ):
                while not future.done():
                    self._send_packets([request])
                    await asyncio.wait({future}, timeout=pause)
            self.discovered = future.result()
        except TimeoutError:
            raise PeerTimeoutError("No console answers at this address") from None
        finally:
            self._discovery = None
        return self.discovered

    async def power_on(
        self, live_id: str, tries: int = 5, interval: float = 0.5
    ) -> None:
        """Send packets that switch the console on; nothing answers them (section 13.1).

        `power.wake` tells when it is on. Raises DisconnectedError, ProtocolError.
        """
        packet = encode_packet(PowerOnRequest(live_id))
        for index in range(tries):
            if index:
                await asyncio.sleep(interval)
            self._send_packets([packet])

    async def connect(
        self,
        userhash: str = "",
        xsts_token: str = "",
        client_uuid: UUID | None = None,
        *,
        certificate: bytes | None = None,
        request_num: int = 0,
    ) -> PairedIdentityState | int:
        """Agree with the console on a session; anonymously without a userhash.

        The certificate is that of `discover` by default, the client uuid a new one. While
        the console signs the user in, this waits. Return whether it knows the user.

        Raises ConnectRefusedError, PeerTimeoutError, DisconnectedError; ProtocolError for
        a certificate that cannot be used.
        """
        if self.session is not None:
            raise ProtocolError("There is a session already")
        if certificate is None:
            certificate = (self.discovered or await self.discover()).certificate
        crypto = Crypto.from_certificate_key(read_certificate(certificate).public_key)
        tokens = Tokens(userhash, xsts_token) if userhash else None
        requests = connect_fragments(tokens, crypto.public_key_type, number=request_num)
        client_uuid = client_uuid or uuid4()
        self._crypto, self._is_pending = crypto, False
        self._response = asyncio.get_running_loop().create_future()
        try:
            response = await self._shake_hands(
                self._response,
                lambda: [
                    # Sealed anew each time: no IV is used twice.
                    crypto.seal_connect_request(client_uuid, request)
                    for request in requests
                ],
            )
        finally:
            self._response = None
        if response.result != ConnectResult.SUCCESS:
            raise ConnectRefusedError(response.result)
        self.pairing_state = response.pairing_state
        return response.pairing_state

    async def _shake_hands(
        self,
        response: asyncio.Future[ConnectResponse],
        seal: Callable[[], list[bytes]],
    ) -> ConnectResponse:
        """Send the requests until there is a response that says something."""
        loop = asyncio.get_running_loop()
        pauses = iter(self.timing.connect)
        give_up = None
        while True:
            self._send_packets(seal())
            pause = self.timing.pending_interval
            if not self._is_pending and (pause := next(pauses, 0.0)) == 0.0:
                break
            await asyncio.wait({response}, timeout=pause)
            if response.done():
                return response.result()
            if self._is_pending:
                give_up = give_up or loop.time() + self.timing.pending
                if loop.time() >= give_up:
                    break
        raise PeerTimeoutError("The console does not answer the request to connect")

    async def local_join(self, client: LocalJoin = DEFAULT_CLIENT) -> None:
        """Begin the session: nothing works before. Raises what `send_message` does.

        A console that was slow to answer may have taken a repeated request for another
        one: then its last answer counts, and we join once more.
        """
        for _ in range(MAX_JOINS):
            session = self._require_session()
            try:
                await self.send_message(client)
            except PeerTimeoutError:
                if self.session is session:
                    raise
            else:
                self._is_joining = False
                return
        raise PeerTimeoutError("The console does not let us join any of its sessions")

    # Channels.

    async def start_channel(self, channel: ServiceChannel, title_id: int = 0) -> None:
        """Open a channel; several may be asked for at the same time.

        Raises ChannelError with the console's result, which is None when it says nothing;
        an answer that comes later opens the channel all the same. DisconnectedError.
        """
        session = self._require_session()
        request_id = session.channels.get_next_request_id(channel, title_id)
        service = channel.service_uuid or _NO_SERVICE
        request = StartChannelRequest(request_id, title_id, service)
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        result: ResultCode | int | None = None
        try:
            async with asyncio.timeout(self.timing.channel):
                with self._delivery(session.send(request, self._now())) as delivery:
                    result = await _first_result(delivery, answer)
        except TimeoutError:
            pass
        finally:
            del self._answers[request_id]
        if result != ResultCode.SUCCESS:
            raise ChannelError(channel, result)

    def stop_channel(self, channel: ServiceChannel, title_id: int = 0) -> None:
        """Close a channel; nothing answers. Raises ChannelError, DisconnectedError."""
        session = self._require_session()
        channel_id = session.channels.get_channel_id(channel, title_id)
        session.channels.close(Channel(channel, title_id))
        self.send_nowait(StopChannel(channel_id))

    async def ack(
        self,
        processed: Iterable[int] = (),
        rejected: Iterable[int] = (),
        channel: ServiceChannel = ServiceChannel.CORE,
        need_ack: bool = False,
    ) -> None:
        """Send an ack of its own, with need_ack a heartbeat and wait for its ack.

        All that the console sends is acked anyway. Raises what `send_message` does.
        """
        watermark = self._require_session().sequence.low_watermark
        message = Ack(watermark, tuple(processed), tuple(rejected))
        await self.send_message(message, channel, blocking=need_ack)

    # What the console can do.

    async def power_off(self, live_id: str) -> None:
        """Switch the console off (section 13.2); the session ends with it, or is useless.

        Neither an ack nor its absence means anything: this waits until the console says
        that it goes off, or is silent for a while. Raises RejectedError, PeerTimeoutError
        when it stays on, DisconnectedError when the session ends for another reason.
        """
        session = self._require_session()
        if self._end is None:
            self._end = asyncio.get_running_loop().create_future()
        session.watch_closely(self.timing.power_off_heartbeat, self._now())
        try:
            with self._delivery(session.send(PowerOff(live_id), self._now())) as sent:
                await self._wait_off(session, self._end, sent)
        finally:
            session.watch_closely(self.timing.heartbeat, self._now())
            self._pump(session)

    async def _wait_off(
        self,
        session: Session,
        end: asyncio.Future[SessionEnded],
        sent: asyncio.Future[SendOutcome],
    ) -> None:
        started = self._now()
        while not end.done():
            now = self._now()
            if sent.done() and sent.result() is SendOutcome.REJECTED:
                raise RejectedError
            silence = min(session.quiet_for(now), now - started)
            if (left := self.timing.power_off_silence - silence) <= 0:
                return
            if (time := started + self.timing.power_off - now) <= 0:
                raise PeerTimeoutError("The console stays on")
            await _first(
                end, *(() if sent.done() else (sent,)), timeout=min(left, time)
            )
        ended = end.result()
        if ended.reason is not LossReason.SILENCE and (
            ended.disconnect_reason not in OFF_REASONS
        ):
            raise DisconnectedError("The session has ended before the console went off")

    async def game_dvr_record(self, start_delta: int, end_delta: int = 0) -> None:
        """Keep what was played as a clip; both in seconds from now, so start is negative.

        Only in a signed-in session this has an effect. Raises what `send_message` does.
        """
        await self.send_message(GameDvrRecord(start_delta, end_delta))

    async def launch_title(
        self, uri: str, location: TitleLocation = TitleLocation.FULL
    ) -> None:
        """Ask for a title by its address, and wait until the console says that it runs.

        Consoles ack this and do nothing since 2019 (section 7.6): then this raises
        TitleNotLaunchedError. Raises what `send_message` does, too.
        """
        shown = asyncio.get_running_loop().create_future()
        is_launched = _launched(uri, self.status)
        self._watchers[shown] = is_launched
        try:
            await self.send_message(TitleLaunch(location, uri))
            if self.status is not None and is_launched(self.status):
                return
            async with asyncio.timeout(self.timing.launch):
                await shown
        except PeerTimeoutError:
            raise
        except TimeoutError:
            raise TitleNotLaunchedError("The console did not start it") from None
        finally:
            del self._watchers[shown]

    # What comes.

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._crypto is not None and (
            self._response is not None or self._is_joining
        ):
            self._take_response(self._crypto, data)
        super().datagram_received(data, addr)
        if self._discovery is not None:
            with contextlib.suppress(ProtocolError):
                resolve(self._discovery, read_response(data, *addr[:2]))

    def _take_response(self, crypto: Crypto, data: bytes) -> None:
        """Take what answers this very request; one to another has another key."""
        try:
            response = crypto.open_connect_response(data)
        except ProtocolError:
            return
        if response.result == ConnectResult.PENDING:
            self._is_pending = True
            return
        if response.result == ConnectResult.SUCCESS and (
            response.participant_id != self.participant_id
        ):
            # At once: the next datagram may belong to the session.
            self._begin(crypto, response.participant_id)
            self._is_joining = True
        resolve(self._response, response)

    @override
    def _handle(self, event: SessionEvent) -> None:
        match event:
            case MessageReceived(message=ConsoleStatus() as status):
                self.status = status
                for future, is_wanted in self._watchers.items():
                    if is_wanted(status):
                        resolve(future, None)
            case SessionEnded():
                resolve(self._end, event)
            case _:
                pass
        super()._handle(event)

    @override
    def _fail_waiters(self) -> None:
        super()._fail_waiters()
        fail(self._discovery)
        fail(self._response)
        fail(self._end)
        for watcher in self._watchers:
            fail(watcher)

    def _send_packets(self, packets: Iterable[bytes]) -> None:
        """Send datagrams that belong to no session. Raises DisconnectedError."""
        if not self.is_open:
            raise DisconnectedError("The socket to the console is closed")
        self._send_error = None
        for packet in packets:
            self._transmit(packet)
        self._raise_send_error()


async def _first(
    *futures: asyncio.Future[SendOutcome]
    | asyncio.Future[ChannelAnswered]
    | asyncio.Future[SessionEnded],
    timeout: float | None = None,
) -> None:
    """Wait for one of them, at most so many seconds."""
    await asyncio.wait(futures, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


async def _first_result(
    delivery: asyncio.Future[SendOutcome], answer: asyncio.Future[ChannelAnswered]
) -> ResultCode | int | None:
    """Return the console's answer, whether or not it acks; None when it takes nothing."""
    await _first(delivery, answer)
    if not answer.done() and delivery.result() is not SendOutcome.ACKED:
        return None
    return (await answer).result


def _launched(uri: str, before: ConsoleStatus | None) -> StatusFilter:
    """Return what tells from a status whether what the URI names has been started."""
    titles = before.active_titles if before is not None else ()
    known = {title.title_id for title in titles}
    focused = {title.title_id for title in titles if title.has_focus}
    match = _TITLE_URI.match(uri)
    wanted = int(match[1], 16) if match is not None else None

    def is_launched(status: ConsoleStatus) -> bool:
        for title in status.active_titles:
            if wanted is None:
                # The address of a page, say: whatever comes to the front because of it.
                if title.has_focus and title.title_id not in focused:
                    return True
            elif title.title_id == wanted and (
                title.has_focus or title.title_id not in known
            ):
                return True
        return False

    return is_launched

"""One remote device: its link, its pairing, and the packets between us (sections 7 and 8)."""

import asyncio
from collections.abc import Callable, Coroutine
import contextlib
from dataclasses import replace
import logging
from pathlib import Path
import time
from typing import Final, assert_never

from ..errors import DisconnectedError, ProtocolError, UnsupportedError
from . import plugins
from .const import TCP_PORTS, TYPE_IDENTITY, TYPE_PAIR, DeviceType
from .credentials import verification_key
from .events import (
    DeviceEvent,
    IdentityChanged,
    LinkDown,
    LinkUp,
    MessageReceived,
    PairingChanged,
    TrustBroken,
    TrustReason,
)
from .identity import Identity
from .link import MAX_PAIRED_LINE, Link
from .packet import Packet, Payload
from .paired import FAILURES, PairedDevice, PairingCanceledError
from .pairing import (
    Effect,
    Outcome,
    Pairing,
    PairingReason,
    PairingState,
    SendPair,
    StartTimer,
    StopTimer,
)
from .payload import PayloadPeer, Payloads
from .payload_files import ReceivedFile
from .transfer import Progress

_LOGGER = logging.getLogger(__name__)

# A closed socket may just be on its way to be replaced (section 8.2).
LINK_GRACE: Final = 0.3
# How long a link that was replaced is kept, in seconds.  The other end decides which link it
# keeps: an old one that we cut too early takes the device's whole object with it in KDE 22.12,
# and of two links that crossed each end would cut the one that the other keeps.
SPARE_TIME: Final = 5.0
# What a flood may cost the event loop in one go, in seconds.
MAX_TURN: Final = 0.005
# Packets that an unpaired device may send on one link before it is cut.
MAX_UNPAIRED_PACKETS: Final = 20


class RemoteDevice:
    """A device that has a link, is paired, or both."""

    def __init__(
        self,
        identity: Identity,
        own_certificate: bytes,
        *,
        paired: PairedDevice | None = None,
        outgoing: frozenset[str] = plugins.OUTGOING_CAPABILITIES,
        payloads: Payloads,
        changed: Callable[[RemoteDevice, DeviceEvent], None],
    ) -> None:
        """Make one without a link; `changed` hears events last, `outgoing` bounds greetings."""
        self._identity = identity
        self._own_certificate = own_certificate
        self._paired = paired
        self._outgoing = outgoing
        self._pairing = Pairing(identity.protocol_version, paired is not None)
        self._payloads = payloads
        self._changed = changed
        self._link: Link | None = None
        self._spare: Link | None = None
        self._spare_timer: asyncio.TimerHandle | None = None
        self._certificate = paired.certificate if paired else b""
        self._is_up = False
        self._address = paired.address if paired else None
        self.port = paired.port if paired else TCP_PORTS.start
        self._listeners: dict[object, Callable[[DeviceEvent], None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._grace: asyncio.TimerHandle | None = None
        self._outcome: asyncio.Future[PairedDevice] | None = None
        self._strangers = 0
        self._malformed = False
        self._max_packet = MAX_PAIRED_LINE

    # What it is

    @property
    def device_id(self) -> str:
        """The id, which is also its certificate's common name."""
        return self._identity.device_id

    @property
    def identity(self) -> Identity:
        """The last identity that a link brought, or the stored one."""
        return self._identity

    @property
    def name(self) -> str:
        """The filtered name; foreign text all the same."""
        return self._identity.name

    @property
    def device_type(self) -> DeviceType:
        """What kind of device it says it is."""
        return self._identity.device_type

    @property
    def protocol_version(self) -> int:
        """The protocol version that it speaks."""
        return self._identity.protocol_version

    @property
    def address(self) -> str | None:
        """Where it is, or was last."""
        return self._address

    @property
    def is_connected(self) -> bool:
        """Whether packets can be sent now."""
        return self._link is not None and self._link.is_connected

    @property
    def is_up(self) -> bool:
        """Whether LinkUp was told and LinkDown not yet: a lost link has some grace."""
        return self._is_up

    @property
    def is_paired(self) -> bool:
        """Whether both users agreed."""
        return self._paired is not None

    @property
    def paired(self) -> PairedDevice | None:
        """What to store of the pairing, as of now."""
        return self._paired

    @property
    def pairing_state(self) -> PairingState:
        """How far the pairing is."""
        return self._pairing.state

    @property
    def certificate(self) -> bytes:
        """The certificate (DER) of its link or its pin; empty when there never was one."""
        return self._certificate

    @property
    def verification_key(self) -> str | None:
        """The key that both users compare (section 7.3).

        With protocol 8 there is one only while a pairing is under way.
        """
        if not self._certificate:
            return None
        timestamp = self._pairing.timestamp
        if self.protocol_version >= 8 and timestamp is None:
            return None
        return verification_key(self._own_certificate, self._certificate, timestamp)

    def supports(self, packet_type: str) -> bool:
        """Whether it takes packets of this type."""
        return packet_type == TYPE_PAIR or self._identity.accepts(packet_type)

    def sends(self, packet_type: str) -> bool:
        """Whether it says that it may send packets of this type."""
        return self._identity.sends(packet_type)

    def subscribe(self, callback: Callable[[DeviceEvent], None]) -> Callable[[], None]:
        """Call back on every event until the returned function is called."""
        key = object()
        self._listeners[key] = callback

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe

    # Pairing

    async def request_pairing(self) -> None:
        """Ask the other user, or accept when he has asked us; raise DisconnectedError."""
        self._require_link()
        self._apply(self._pairing.request(time.time()))

    async def accept_pairing(self) -> None:
        """Accept the other user's request.

        Raises DisconnectedError without a link, PairingCanceledError when there is no
        request any more.
        """
        self._require_link()
        if self._pairing.state is not PairingState.REQUESTED_BY_PEER:
            raise PairingCanceledError("the device does not ask for pairing any more")
        self._apply(self._pairing.accept())

    async def reject_pairing(self) -> None:
        """Refuse the other user's request, or take ours back."""
        self._apply(self._pairing.reject() or self._pairing.cancel())

    async def unpair(self) -> None:
        """End the pairing and tell the device, if it can be reached."""
        self._apply(self._pairing.unpair())
        if self._link is not None:
            with contextlib.suppress(DisconnectedError):
                await self._link.stream.drain()

    async def wait_pairing(self) -> PairedDevice:
        """Wait for the end of the pairing under way.

        Raises PairingRejectedError, PairingTimeoutError, PairingCanceledError (also when no
        pairing is under way) and DisconnectedError.
        """
        if self._paired is not None:
            return self._paired
        if self._outcome is None:
            raise PairingCanceledError("no pairing is under way")
        return await asyncio.shield(self._outcome)

    def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case SendPair():
                    self._write(effect.to_packet())
                case StartTimer(seconds):
                    loop = asyncio.get_running_loop()
                    self._stop_timer()
                    self._timer = loop.call_later(seconds, self._time_out)
                case StopTimer():
                    self._stop_timer()
                case Outcome(state, reason):
                    self._enter(state, reason)
                case _:
                    assert_never(effect)

    def _time_out(self) -> None:
        self._timer = None
        self._apply(self._pairing.timeout())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _enter(self, state: PairingState, reason: PairingReason) -> None:
        if state is PairingState.PAIRED:
            # Section 12.2: the pin is the certificate of the very link of the pairing.
            self._paired = PairedDevice.create(
                self._identity, self._certificate, self._address, self.port
            )
        elif state is PairingState.UNPAIRED:
            if self._paired is not None:
                self._outcome = None  # that of the pairing which has ended
                self._payloads.stop()
            self._paired = None
        else:
            self._outcome = asyncio.get_running_loop().create_future()
            # It may fail with nobody waiting.
            self._outcome.add_done_callback(
                lambda done: done.cancelled() or done.exception()
            )
        self._bound_links()
        self._resolve(reason)
        _LOGGER.debug("%s: pairing %s (%s)", self.device_id, state.name.lower(), reason)
        self._emit(PairingChanged(state, reason))
        if self._paired is not None:
            self._greet()

    def _resolve(self, reason: PairingReason) -> None:
        if self._outcome is None or self._outcome.done():
            return
        if self._paired is not None:
            self._outcome.set_result(self._paired)
        elif (error := FAILURES.get(reason)) is not None:
            self._outcome.set_exception(error())

    # Link

    def trust(self, paired: PairedDevice) -> None:
        """Know the device as paired from now on; a link with another certificate is cut."""
        self._paired = paired
        if self._link is not None and self._certificate == paired.certificate:
            self._bound_links()
            self._greet()
        else:
            self._identity = paired.identity
            self._certificate = paired.certificate
            self._payloads.stop()
            self._keep_spare(None)
            if self._link is not None:
                self._link.abort()
        self._pairing = Pairing(self.protocol_version, paired=True)
        # Whoever waited for a pairing has one.
        self._stop_timer()
        self._resolve(PairingReason.ACCEPTED)

    def untrust(self) -> None:
        """Take the device for one that is not paired, without a word to it, until `trust`.

        Meanwhile it may have another certificate, and be paired with that.
        """
        self._paired = None
        self._payloads.stop()
        self._pairing = Pairing(self.protocol_version)
        self._certificate = self._link.certificate if self._link is not None else b""
        self._bound_links()

    def attach(self, link: Link) -> None:
        """Take a finished and admitted link; an older one gives way to it (section 8.2).

        What still comes on the older one counts, until the device closes it.
        """
        if link.certificate != self._certificate:
            # Section 12.2: what was agreed on by another key's owner is void.
            self._apply(self._pairing.link_lost())
        old, self._link = self._link, link
        before, self._identity = self._identity, link.identity
        self._certificate = link.certificate
        self._address = link.host
        self._pairing.protocol_version = link.identity.protocol_version
        self._strangers = 0
        self._malformed = False
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
        if self._paired is not None:
            self._paired = PairedDevice.create(
                link.identity, self._paired.certificate, link.host, self.port
            )
        self._bound_links()
        self._keep_spare(old)
        self._spawn(self._read(link), f"kdeconnect {self.device_id} link {link.serial}")
        if not self._is_up:
            self._is_up = True
            self._emit(LinkUp())
        elif before != link.identity:
            self._emit(IdentityChanged())
        if self._paired is not None:
            self._greet()

    def allow_packets(self, max_size: int) -> None:
        """Take packets of so many bytes from now on, as long as the device is paired."""
        self._max_packet = max_size
        self._bound_links()

    def _bound_links(self) -> None:
        """Take as much from the device as it is trusted, whichever link it uses."""
        for link in (self._link, self._spare):
            if link is not None:
                link.set_paired(self.is_paired, self._max_packet)

    def _keep_spare(self, old: Link | None) -> None:
        """Keep the link that was replaced for a while; there is one at most."""
        if self._spare is not None:
            self._spare.abort()
            self._spare = None
        if self._spare_timer is not None:
            self._spare_timer.cancel()
            self._spare_timer = None
        if old is None or not old.is_connected:
            return
        if old.certificate != self._certificate:
            old.abort()
            return
        self._spare = old
        loop = asyncio.get_running_loop()
        self._spare_timer = loop.call_later(SPARE_TIME, self._choose_link)

    def _choose_link(self) -> None:
        """Keep one of two links that are both still alive, the same as the other end would.

        Of crossing calls that is the one of the end with the larger id.
        """
        self._spare_timer = None
        link, spare = self._link, self._spare
        self._spare = None
        if spare is None:
            return
        if link is not None and spare.caller_id > link.caller_id:
            self._link, spare = spare, link
            self._address = self._link.host
        spare.abort()

    async def send(self, packet: Packet) -> None:
        """Send a packet.

        Raises UnsupportedError when the device does not take this type (it would drop it
        without a word) or is not paired, MessageTooLargeError when it is too long,
        DisconnectedError without a link or when it does not get through.
        """
        link = self._require_link()
        if self._paired is None and packet.type != TYPE_PAIR:
            raise UnsupportedError("the device is not paired")
        if not self.supports(packet.type):
            raise UnsupportedError(f"the device does not take {packet.type}")
        await link.send(packet)

    async def fetch(self, payload: Payload, limit: int) -> bytes:
        """Return the bulk data that a packet announced, at most `limit` bytes.

        Raises what `Payloads.fetch` raises, DisconnectedError without a link,
        UnsupportedError without a pairing.
        """
        return await self._payloads.fetch(self._payload_peer(), payload, limit)

    async def fetch_file(
        self,
        payload: Payload,
        target: Path,
        *,
        limit: int,
        modified_ms: int | None = None,
        progress: Progress | None = None,
    ) -> ReceivedFile:
        """Store the bulk data that a packet announced, at most `limit` bytes, as a new file.

        Nothing is overwritten: the result tells where the file is.  `progress` gets the
        bytes so far.  Raises what `Payloads.fetch_file` and `fetch` raise.
        """
        return await self._payloads.fetch_file(
            self._payload_peer(), payload, target, limit, modified_ms, progress
        )

    async def send_payload(
        self, packet: Packet, source: bytes | Path, *, progress: Progress | None = None
    ) -> None:
        """Send a packet with bulk data and return when the device has all of it.

        The packet's own payload does not count; empty data makes one without.  Raises what
        `Payloads.offer` and `send` raise.
        """

        async def announce(payload: Payload | None) -> None:
            await self.send(replace(packet, payload=payload))

        await self._payloads.offer(self._payload_peer(), source, announce, progress)

    def _payload_peer(self) -> PayloadPeer:
        link = self._require_link()
        if self._paired is None:
            raise UnsupportedError("the device is not paired")
        is_old = self.protocol_version < 8
        return PayloadPeer(link.host, self._paired.certificate, is_old)

    def distrust(self, reason: TrustReason) -> None:
        """A connection in this device's name was refused; the pin stays as it is.

        While the real device is connected an impostor is nobody's business.
        """
        if self._paired is not None and not self._is_up:
            self._emit(TrustBroken(reason))

    async def close(self) -> None:
        """Cut the link and end every task, without a word to the subscribers."""
        self._listeners.clear()
        self._stop_timer()
        if self._grace is not None:
            self._grace.cancel()
        self._keep_spare(None)
        link, self._link = self._link, None
        await self._payloads.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if link is not None:
            await link.close()
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_exception(DisconnectedError("our end was stopped"))

    def _require_link(self) -> Link:
        if self._link is None or not self._link.is_connected:
            raise DisconnectedError("the device is not connected")
        return self._link

    def _write(self, packet: Packet) -> None:
        """Write without waiting; a lost link is noticed by its reader."""
        if self._link is not None and self.supports(packet.type):
            with contextlib.suppress(DisconnectedError):
                self._link.write(packet)

    def _greet(self) -> None:
        for packet in plugins.greetings(self._identity):
            if packet.type in self._outgoing:
                self._write(packet)

    async def _read(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        turn = loop.time()
        try:
            while True:
                try:
                    packet = await link.read_packet()
                    self._receive(link, packet)
                except ProtocolError as err:
                    self._note_malformed(link, err)
                if loop.time() - turn > MAX_TURN:
                    await asyncio.sleep(0)
                    turn = loop.time()
        except DisconnectedError:
            pass
        finally:
            link.abort()
            self._lost(link)

    def _receive(self, link: Link, packet: Packet) -> None:
        if link is not self._link and link is not self._spare:
            return  # what a link that was given up still had in store
        if self._paired is None:
            self._note_stranger(link)
            if not link.is_connected:
                return
        if packet.type == TYPE_PAIR:
            self._apply(self._pairing.received(packet.body, time.time()))
        elif self._paired is None:
            self._apply(self._pairing.received_other())
        elif (
            packet.type != TYPE_IDENTITY
            and (message := plugins.decode_message(packet)) is not None
        ):
            self._emit(MessageReceived(message))

    def _note_stranger(self, link: Link) -> None:
        self._strangers += 1
        if self._strangers > MAX_UNPAIRED_PACKETS:
            _LOGGER.debug("%s: too many packets without pairing", self.device_id)
            link.abort()

    def _note_malformed(self, link: Link, err: ProtocolError) -> None:
        if self._paired is None:
            self._note_stranger(link)
        if not self._malformed:  # once a link: a log is bounded too
            self._malformed = True
            _LOGGER.debug("%s sends what is no packet: %s", self.device_id, err)

    def _lost(self, link: Link) -> None:
        if link is self._spare:
            self._keep_spare(None)
            return
        if link is not self._link:
            return
        if self._spare is not None and self._spare.is_connected:
            # The device has kept the older one.
            self._link, self._spare = self._spare, None
            self._address = self._link.host
            self._keep_spare(None)
            return
        self._link = None
        self._apply(self._pairing.link_lost())
        self._grace = asyncio.get_running_loop().call_later(LINK_GRACE, self._down)

    def _down(self) -> None:
        self._grace = None
        self._is_up = False
        self._payloads.withdraw()
        self._emit(LinkDown())

    def _spawn(self, coro: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _emit(self, event: DeviceEvent) -> None:
        for callback in list(self._listeners.values()):
            try:
                callback(event)
            except Exception:
                _LOGGER.exception("%s: a listener failed", self.device_id)
        self._changed(self, event)

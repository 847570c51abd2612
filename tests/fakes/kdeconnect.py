"""A fake KDE Connect device: real sockets, real TLS, and bad manners on demand.

It speaks protocol 7 or 8 over the LAN as a phone (like Android's program) or a
computer (like KDE's), and shares no code with the integration.

In a test (add the `socket_enabled` fixture)::

    async with FakeDevice("phone", name="Pixel", accept="auto") as phone:
        phone.announce("127.0.0.1", udp_port_of_ours)  # we call it, it is called
        await phone.wait_for("link_up")
        await phone.request_pairing()
        await phone.wait_for("paired")
        await phone.battery.set(42, charging=True)
        body = await phone.wait_packet("ping")

- `wait_for` and `wait_packet` remember: they return what happened before the
  call too, each thing once, oldest first. `events.all` and `received` keep all.
- Plugins: `battery`, `ping`, `find`, `media`, `input`, `clipboard`, `share`; of a
  computer `lock`, `commands`, `sinks`, `desktop` (notifications), `presenter`,
  `digitizer`, `monitor`; of a phone `connectivity`, `telephony`, `contacts`, `photo`,
  `notifications` (its own, and ours that it shows), `sms`, `storage`. The other
  side's things: `remote_commands`, `players`, `remote_sinks`, `remote_input`, and
  from a phone `slides` and `tv_remote`.
- `payloads` sends data. A payload is fetched by its plugin, not by the test, unless
  `share.fetches` or `desktop.fetches` is off.
- `become` (kdeconnect_computer) makes GSConnect or another program of a computer.
- `peer_udp_port` is where it sends its answer when a TCP call was refused.
- `stop` and `start` again is a device that left and came back.
- Everything about one other device is in `peer()`; with several, name its id.
- `misbehave` holds the switches of `Misbehave`; `mischief` sends wrong data;
  `identity_overrides` changes members of an identity ("udp", "clear" or "secure";
  None removes the member); `protocol` may be lowered after pairing.
- Packet types may be written without "kdeconnect.".

As a program: `python -m tests.fakes.kdeconnect --help`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
import contextlib
import ipaddress
import time
from types import TracebackType
from typing import Literal, Self
import uuid

from tests.fakes.kdeconnect_discovery import TCP_PORTS, Discovery
from tests.fakes.kdeconnect_events import EventKind, EventLog, FakeEvent
from tests.fakes.kdeconnect_misbehave import Misbehave, Mischief
from tests.fakes.kdeconnect_payload import PayloadSender
from tests.fakes.kdeconnect_peer import FakePeer
from tests.fakes.kdeconnect_setup import LinkFailedError, LinkSetup, NewLink, Target
from tests.fakes.kdeconnect_table import PluginTable
from tests.fakes.kdeconnect_tls import FakeCredentials, KeyType, set_keepalive
from tests.fakes.kdeconnect_wire import (
    IDENTITY,
    Body,
    FakeIdentity,
    FakePacket,
    JsonValue,
    Kind,
    capabilities,
    encode_packet,
    full_type,
)

__all__ = [
    "FakeCredentials",
    "FakeDevice",
    "FakeEvent",
    "FakePacket",
    "FakePeer",
    "LinkFailedError",
    "Misbehave",
]

UDP_PORT = 1716
PAYLOAD_PORTS = range(1739, 1765)

type Accept = Literal["ask", "auto", "reject", "ignore"]
type Stage = Literal["udp", "clear", "secure"]


class FakeDevice(PluginTable):
    """One phone or computer."""

    # Behaviour of the real ones, all of which a test may change.
    udp_rate_limit = 0.5  # seconds per device, 0 = none
    answers_udp = True  # call whoever announces itself
    caller_timeout: float | None = 1.0  # None = no limit
    second_identity_timeout = 5.0
    pairing_timeout = 30.0
    clock_offset = 0.0  # seconds that our clock is ahead

    def __init__(
        self,
        kind: Kind = "phone",
        *,
        protocol: int = 8,
        name: str | None = None,
        bind: str = "127.0.0.1",
        udp_port: int = 0,
        tcp_ports: Iterable[int] = TCP_PORTS,
        payload_ports: Iterable[int] = PAYLOAD_PORTS,
        peer_udp_port: int = UDP_PORT,
        accept: Accept = "ask",
        credentials: FakeCredentials | None = None,
        key_type: KeyType = "ec",
        battery: int | None = None,
        misbehave: Misbehave = Misbehave.NOTHING,
    ) -> None:
        """Describe the device; `start` opens its sockets.

        UDP port 0 is any free one. A phone has a battery (80 %) unless told
        otherwise, a computer has none.
        """
        self.kind: Kind = kind
        self.protocol = protocol
        self.name = name or f"Fake {kind}"
        self.device_type = "phone" if kind == "phone" else "desktop"
        self.bind = bind
        self.peer_udp_port = peer_udp_port
        self.accept: Accept = accept
        self.credentials = credentials or FakeCredentials.generate(key_type=key_type)
        self.misbehave = misbehave
        self.mischief = Mischief(self)
        self.incoming, self.outgoing = capabilities(kind, protocol)
        self.identity_overrides: dict[Stage, Body] = {}

        self.sends_target = protocol >= 8
        self.text_id = kind == "computer" and protocol < 8
        self.tls13 = kind == "computer"  # Android offers TLS 1.2 only

        self.events = EventLog()
        self.received: list[FakePacket] = []
        self.peers: dict[str, FakePeer] = {}
        self.paired: dict[str, bytes] = {}  # pinned certificates
        self.versions: dict[str, int] = {}  # highest version of each paired device
        self.other_id = uuid.uuid4().hex

        self.payloads = PayloadSender(self, tuple(payload_ports))
        self.add_plugins(self, 80 if battery is None and kind == "phone" else battery)
        self._discovery = Discovery(self, udp_port)
        self._tcp_ports = tuple(tcp_ports)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[Exception] = []
        self._variants: dict[Misbehave, FakeCredentials] = {}

    # --- life ---

    async def start(self) -> None:
        """Open the UDP socket and the TCP listener. Raises OSError."""
        await self._discovery.start()
        for port in self._tcp_ports:
            with contextlib.suppress(OSError):
                server = await asyncio.start_server(
                    self._accepted, self.bind, port, start_serving=False
                )
                try:
                    # Another program may have been quicker between the two.
                    await server.start_serving()
                except OSError:
                    server.close()
                    raise
                self._server = server
                return
        await self.stop()
        raise OSError("no free TCP port")

    async def stop(self) -> None:
        """Close everything, as a program that ends does; `start` may follow.

        Raises what went wrong in the fake itself meanwhile.
        """
        await self._discovery.stop()
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await self.payloads.stop()
        for peer in self.linked:
            await self.close_link(peer.device_id)
        for plugin in self.plugins:
            await plugin.shut_down()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if server is not None:
            await server.wait_closed()
        failures, self._failures = self._failures, []
        if failures:
            raise ExceptionGroup("the fake device failed", failures)

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    def run_task(self, work: Awaitable[None]) -> None:
        """Run something that ends with the device at the latest."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._failures.append(error)

    # --- who we are ---

    @property
    def device_id(self) -> str:
        """Our device id."""
        return self.credentials.device_id

    @property
    def certificate_der(self) -> bytes:
        """The certificate that we present when we behave."""
        return self.credentials.certificate_der

    @property
    def tcp_port(self) -> int:
        """The port of our TCP listener."""
        if self._server is None:
            raise RuntimeError("not started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def udp_address(self) -> tuple[str, int]:
        """Where we listen for announcements."""
        return self._discovery.address

    @property
    def udp_port(self) -> int:
        """The port where we listen for announcements."""
        return self.udp_address[1]

    def now(self) -> int:
        """Seconds since 1970 by our clock."""
        return int(time.time() + self.clock_offset)

    def presented_credentials(self) -> FakeCredentials:
        """What we present on links at the moment."""
        for variant in (
            Misbehave.WRONG_COMMON_NAME,
            Misbehave.OTHER_CERTIFICATE,
            Misbehave.EXPIRED_CERTIFICATE,
        ):
            if variant in self.misbehave:
                return self.variant(variant)
        return self.credentials

    def variant(self, misbehave: Misbehave) -> FakeCredentials:
        """Return the credentials of one kind of misbehaviour, always the same."""
        if misbehave not in self._variants:
            wrong_name = misbehave is Misbehave.WRONG_COMMON_NAME
            self._variants[misbehave] = FakeCredentials.generate(
                self.device_id,
                common_name=self.other_id if wrong_name else None,
                expired=misbehave is Misbehave.EXPIRED_CERTIFICATE,
            )
        return self._variants[misbehave]

    def identity_body(self, stage: Stage) -> Body:
        """Return the body of our identity packet for one stage."""
        body: Body = {
            "deviceId": self.device_id,
            "deviceName": self.name,
            "deviceType": self.device_type,
            "protocolVersion": self.protocol,
            "incomingCapabilities": list[JsonValue](sorted(self.incoming)),
            "outgoingCapabilities": list[JsonValue](sorted(self.outgoing)),
        }
        if stage == "udp":
            body["tcpPort"] = self.tcp_port
        for key, value in self.identity_overrides.get(stage, {}).items():
            if value is None:
                body.pop(key, None)
            else:
                body[key] = value
        return body

    # --- discovery ---

    def announce(self, host: str, port: int = UDP_PORT) -> None:
        """Send our identity to an address, which may be a broadcast one."""
        packet = FakePacket(IDENTITY, self.identity_body("udp"))
        self.send_datagram(encode_packet(packet, text_id=self.text_id), host, port)

    def send_datagram(self, data: bytes, host: str, port: int = UDP_PORT) -> None:
        """Send any bytes from our UDP socket."""
        self._discovery.send(data, host, port)

    # --- links ---

    async def call(
        self,
        host: str,
        port: int,
        target_id: str | None = None,
        target_protocol: int | None = None,
    ) -> FakePeer:
        """Connect as the caller; returns when the link is up.

        The id and version of the called are left out when they are not given; with
        protocol 7 they, and an announcement of that device, are needed.

        Raises OSError when nobody listens there and LinkFailedError when the link
        does not come to be. With a misbehaviour that stops half-way this is raised
        once the other side closes the connection.
        """
        wildcard = ipaddress.ip_address(self.bind).is_unspecified
        reader, writer = await asyncio.open_connection(
            host, port, local_addr=None if wildcard else (self.bind, 0)
        )
        set_keepalive(writer)
        setup = LinkSetup(self, reader, writer)
        announced = self._discovery.identities.get(target_id or "")
        target = Target(target_id, target_protocol, announced)
        return await self._adopted(target_id or "", setup.call(target))

    def _accepted(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        set_keepalive(writer)
        self.run_task(self._answer(LinkSetup(self, reader, writer)))

    async def _answer(self, setup: LinkSetup) -> None:
        with contextlib.suppress(LinkFailedError):
            await self._adopted("", setup.answer())

    async def _adopted(self, device_id: str, setup: Awaitable[NewLink]) -> FakePeer:
        try:
            return await self._adopt(await setup)
        except LinkFailedError as error:
            data: Body = {"reason": str(error)}
            self.events.emit(FakeEvent("link_failed", device_id, data))
            raise

    async def _adopt(self, link: NewLink) -> FakePeer:
        """Make a finished link the one of its device (section 8.2)."""
        identity = link.identity
        peer = self.peers.get(identity.device_id)
        if peer is None:
            peer = self.peers[identity.device_id] = FakePeer(self, identity)
        old, peer.channel = peer.channel, link.channel
        peer.identity, peer.certificate = identity, link.certificate
        peer.silence(on=False)
        if peer.is_paired:
            highest = self.versions.get(peer.device_id, 0)
            self.versions[peer.device_id] = max(highest, identity.protocol)
        peer.emit("identity", name=identity.name, protocol=identity.protocol)
        peer.emit("link_replaced" if old is not None else "link_up")
        self.run_task(peer.run(link.channel, link.lines))
        if old is not None:
            await old.close(notify=False)
        elif peer.is_paired:
            self.greet(peer)
        return peer

    def check_version(self, identity: FakeIdentity) -> None:
        """Raise LinkFailedError when a paired device's version went down."""
        if identity.protocol < self.versions.get(identity.device_id, 0):
            raise LinkFailedError("the version went down")

    def check_certificate(self, device_id: str, certificate: bytes) -> None:
        """Raise LinkFailedError when it is not the pinned or the linked one."""
        if self.paired.get(device_id, certificate) != certificate:
            raise LinkFailedError("not the pinned certificate")
        peer = self.peers.get(device_id)
        if peer is not None and peer.is_linked and peer.certificate != certificate:
            raise LinkFailedError("another certificate than on the link that is up")

    @property
    def linked(self) -> list[FakePeer]:
        """The other devices with a link."""
        return [peer for peer in self.peers.values() if peer.is_linked]

    def peer(self, device_id: str | None = None) -> FakePeer:
        """Return the other device, by id or the only one. Raises LookupError."""
        if device_id is not None:
            return self.peers[device_id]
        candidates = self.linked or list(self.peers.values())
        if len(candidates) != 1:
            raise LookupError(f"{len(candidates)} other devices")
        return candidates[0]

    def drop_link(self, device_id: str | None = None, *, reset: bool = False) -> None:
        """End the TCP connection at once, without a close_notify."""
        channel = self.peer(device_id).channel
        if channel is not None:
            channel.abort(reset=reset)

    async def close_link(self, device_id: str | None = None) -> None:
        """Close the link after what is buffered; KDE sends no close_notify either."""
        channel = self.peer(device_id).channel
        if channel is not None:
            await channel.close(notify=False)

    def silence(self, *, on: bool = True, device_id: str | None = None) -> None:
        """Fall asleep: the connection stays, nothing is read or written any more."""
        self.peer(device_id).silence(on=on)

    # --- pairing ---

    async def request_pairing(self, device_id: str | None = None) -> None:
        """Ask for pairing; `wait_for("paired")` tells the end."""
        await self._with_peer(device_id, FakePeer.request_pairing)

    async def accept_pairing(self, device_id: str | None = None) -> None:
        """Accept a request (with `accept="ask"`)."""
        await self._with_peer(device_id, FakePeer.accept_pairing)

    async def reject_pairing(self, device_id: str | None = None) -> None:
        """Refuse a request, or cancel our own."""
        await self._with_peer(device_id, FakePeer.reject_pairing)

    cancel_pairing = reject_pairing

    async def unpair(self, device_id: str | None = None) -> None:
        """Forget the other device and tell it."""
        await self._with_peer(device_id, FakePeer.unpair)

    def forget(self, device_id: str | None = None) -> None:
        """Forget a pairing without telling, as after a reinstallation."""
        self.peer(device_id).forget()

    async def send_pair(
        self, *, pair: bool, timestamp: int | None = None, device_id: str | None = None
    ) -> None:
        """Send a pairing packet out of turn."""
        peer = self.peer(device_id)
        peer.send_pair(pair=pair, timestamp=timestamp)
        await peer.drain()

    async def _with_peer(
        self, device_id: str | None, action: Callable[[FakePeer], None]
    ) -> None:
        peer = self.peer(device_id)
        action(peer)
        await peer.drain()

    @property
    def verification_key(self) -> str:
        """The code to compare, of the pairing with the only other device."""
        return self.peer().verification_key

    # --- packets ---

    def greet(self, peer: FakePeer) -> None:
        """Say what plugins say at connect (section 8.4)."""
        said: set[str] = set()
        for plugin in self.plugins:
            greeting = plugin.greeting()
            for packet_type, body in greeting:
                is_ours = full_type(packet_type) in self.outgoing
                if is_ours and not (plugin.is_stopgap and packet_type in said):
                    peer.send(packet_type, body)
            said |= {packet_type for packet_type, _ in greeting}

    def link_lost(self, peer: FakePeer) -> None:
        """Tell the plugins that a link has ended, and none took its place."""
        for plugin in self.plugins:
            plugin.link_lost(peer)

    def handle(self, peer: FakePeer, packet: FakePacket) -> None:
        """Hand a paired device's packet to the plugins."""
        for plugin in self.plugins:
            if packet.type in plugin.handles and packet.type in self.incoming:
                plugin.received(peer, packet)

    async def send(
        self, packet_type: str, body: Body | None = None, device_id: str | None = None
    ) -> bool:
        """Send any packet if the other side takes its type; returns whether it does."""
        peer = self.peer(device_id)
        sent = peer.send(packet_type, body)
        await peer.drain()
        return sent

    async def wait_for(
        self,
        kind: EventKind,
        predicate: Callable[[FakeEvent], bool] | None = None,
        timeout: float = 5,
    ) -> FakeEvent:
        """Return the next event of a kind, see the module's text."""
        return await self.events.wait_for(kind, predicate, timeout)

    async def wait_packet(
        self,
        packet_type: str,
        timeout: float = 5,
        predicate: Callable[[Body], bool] | None = None,
    ) -> Body:
        """Return the body of the next packet of a type."""

        def fits(event: FakeEvent) -> bool:
            packet = event.packet
            return (
                packet is not None
                and packet.type == full_type(packet_type)
                and (predicate is None or predicate(packet.body))
            )

        event = await self.events.wait_for("packet", fits, timeout)
        if event.packet is None:
            raise AssertionError("a packet event without its packet")
        return event.packet.body


if __name__ == "__main__":
    from tests.fakes.kdeconnect_program import main

    main()

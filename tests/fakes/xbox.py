"""A fake Xbox console: real UDP, real encryption, and a bad network on demand.

It speaks SmartGlass as real consoles do and shares no code with the integration. In a
test (add the `socket_enabled` fixture)::

    async with FakeConsole() as console:
        # a client discovers and connects to console.address, console.port
        await console.wait_for("joined")
        console.launch(GAME)
        console.set_media(FakeMedia(position=10))
        await console.wait_for("gamepad", buttons=0x10)
        console.press_power_button()

- `wait_for` remembers: it returns what happened before the call too, each thing
  once, oldest first; `mark()` lets it forget. `log` has everything, `seen` what fits.
- Every command is told of once however often it came; `duplicate` tells of the rest.
- Attributes are switches that may be changed at any time; see their comments.
- `faults` breaks the network in both directions; `mischief` sends wrong things.
- `keyboard` is the text dialogue, `tv` the TV provider, `broadcast` the streaming,
  `titles` what runs, `media` what plays, `participants` who is connected.

As a program: `python -m tests.fakes.xbox_program --help`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from tests.fakes.xbox_connect import (
    ALLOW_ANONYMOUS,
    ALLOW_AUTHENTICATED,
    FIRST_PARTICIPANT,
    PENDING_FLAG,
    ConnectDesk,
)
from tests.fakes.xbox_core import Core
from tests.fakes.xbox_crypto import ConsoleCredentials, Curve, console_credentials
from tests.fakes.xbox_events import FakeEvent
from tests.fakes.xbox_mischief import Mischief
from tests.fakes.xbox_models import DASHBOARD, GAME, HOME, PLAYER, FakeMedia, FakeTitle
from tests.fakes.xbox_network import Address, Faults, Network
from tests.fakes.xbox_participant import Participant
from tests.fakes.xbox_power import Power
from tests.fakes.xbox_service import SERVICE_UUIDS
from tests.fakes.xbox_table import ServiceTable
from tests.fakes.xbox_tv import FakeTv
from tests.fakes.xbox_wire import (
    CONNECT_REQUEST,
    DISCOVERY_REQUEST,
    MESSAGE,
    PORT,
    POWER_ON,
    Fields,
    Header,
    Reader,
    Simple,
    Value,
    WireError,
    discovery_response,
    unpack_simple,
)

__all__ = [
    "DASHBOARD",
    "GAME",
    "HOME",
    "PLAYER",
    "PORT",
    "SERVICE_UUIDS",
    "FakeConsole",
    "FakeEvent",
    "FakeMedia",
    "FakeTitle",
    "FakeTv",
    "Faults",
    "Participant",
]

LIVE_ID = "FD00112233445566"
CONSOLE_UUID = "0D7C9C1A-3F2B-4E6D-8A90-B1C2D3E4F506"


class FakeConsole(ServiceTable):
    """One console."""

    # Behaviour of the real ones, all of which a test may change.
    energy_saving = False  # in standby nothing wakes it
    signed_in = True  # somebody is; else tokens get result 9
    sign_in_delay: float | None = None  # answer Pending first, success later
    smartglass_enabled = True
    honours_launch = False  # consoles since 2019 do not
    is_updating = False  # a power off is acked and does nothing
    says_empty_titles = True  # before it goes off
    pairing_state = 0
    status_delay = 0.0  # seconds from LocalJoin to ConsoleStatus
    answer_delay = 0.0  # seconds from an ack to the answer of what was asked
    idle_timeout = 12.0  # seconds after which a silent client is dropped
    retransmit: tuple[float, ...] = (1.0, 1.0, 1.0)  # then the client is dropped
    device_type = 1
    # Bad behaviour.
    mute_acks = False
    mute_connects = False
    mute_status = False  # send no ConsoleStatus after LocalJoin
    acks_power_off = True  # else it is gone before the ack
    acks_to_lose = 0  # how many of the next acks get lost
    connect_answers_to_lose = 0  # how many of the next ones get lost
    logs_sent = False  # tell of all messages that are sent, too

    def __init__(
        self,
        name: str = "Living room",
        live_id: str = LIVE_ID,
        console_uuid: str = CONSOLE_UUID,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        curve: Curve = "P-256",
        flags: int = ALLOW_AUTHENTICATED | ALLOW_ANONYMOUS,
        build: int = 19041,
        locale: str = "en-US",
        live_tv_provider: int = 0,
        accounts: Mapping[str, str] | None = None,
        is_on: bool = True,
        wake_packets: int = 1,
        boot_delay: float = 0.0,
        max_clients: int = 8,
        faults: Faults | None = None,
        credentials: ConsoleCredentials | None = None,
        hears_broadcasts: bool | None = None,
    ) -> None:
        """Describe the console; `start` opens its socket.

        Port 0 is any free one. `accounts` are tokens by userhash. `credentials`
        replace the certificate made for the Live ID. Broadcasts and multicasts are
        heard unless the address is a loopback one.
        """
        self.name = name
        self.live_id = live_id
        self.console_uuid = console_uuid
        self.curve: Curve = curve
        self.flags = flags
        self.build = build
        self.locale = locale
        self.live_tv_provider = live_tv_provider
        self.accounts = dict(accounts or {})
        self.wake_packets = wake_packets
        self.boot_delay = boot_delay
        self.max_clients = max_clients
        self.hears_broadcasts = (
            not address.startswith("127.")
            if hears_broadcasts is None
            else hears_broadcasts
        )
        self.credentials = credentials or console_credentials(live_id, curve)
        self._generation = 0
        self._bind: Address = (address, port)

        self.add_services(self)
        self.participants: dict[int, Participant] = {}
        self.titles: list[FakeTitle] = [DASHBOARD, HOME]
        self.channel_results: dict[str, int] = {}  # by service, what to answer
        self.silent_channels: set[str] = set()  # services that are not answered
        self._rejections: dict[str | None, int] = {}
        self._surface: Fields | None = None

        self.mischief = Mischief(self)
        self.power = Power(self, is_on=is_on)
        self._core = Core(self)
        self._desk = ConnectDesk(self)
        self._faults = faults or Faults()
        self._network: Network | None = None
        self._failures: list[Exception] = []

    # --- life ---

    async def start(self) -> None:
        """Open the socket. Raises OSError."""
        self._network = Network(self._received)
        self._network.set_faults(self._faults)
        try:
            await self._network.open(*self._bind, broadcasts=self.hears_broadcasts)
        except OSError:
            await self._network.close()
            raise
        self._bind = self._network.address

    async def stop(self) -> None:
        """Close everything, without a word to anybody; `start` may follow.

        Raises what went wrong in the fake itself meanwhile.
        """
        self.power.stop()
        self._forget_clients("stopped")
        for service in self.services.values():
            service.stop()
        await self.title_service.stopped()
        network, self._network = self._network, None
        if network is not None:
            await network.close()
        failures, self._failures = self._failures, []
        if failures:
            raise ExceptionGroup("the fake console failed", failures)

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

    @property
    def is_running(self) -> bool:
        """Whether the socket is open."""
        return self._network is not None

    @property
    def address(self) -> str:
        """Where it listens."""
        return self._bind[0]

    @property
    def port(self) -> int:
        """Where it listens; any free one is known after `start`."""
        return self._bind[1]

    # --- power ---

    @property
    def is_on(self) -> bool:
        """Whether it is on and has started."""
        return self.power.state == "on"

    def turn_on(self) -> None:
        """Start, as by its button; it takes `boot_delay` seconds."""
        if self.power.state == "standby":
            self.power.boot()

    def turn_off(self, reason: int = 2) -> None:
        """Say so to all clients and go to standby."""
        if not self.is_on:
            return
        if self.says_empty_titles:
            self._tell_all_status([])
        for participant in list(self.participants.values()):
            self.remove(participant, reason="power off", by="console", say=reason)
        self._rest("standby")

    def press_power_button(self) -> None:
        """Go off, or on again."""
        if self.is_on:
            self.turn_off()
        else:
            self.turn_on()

    def unplug(self) -> None:
        """Lose the mains, or the network cable for all that anybody can tell."""
        if self._network is not None:
            self._network.is_plugged = False
        self._rest("unplugged")

    def plug_in(self, *, is_on: bool = True) -> None:
        """Get the mains back; without being switched on by hand it stays asleep."""
        if self._network is not None:
            self._network.is_plugged = True
        if self.power.state == "unplugged":
            self.power.become("standby")
            if is_on:
                self.power.boot()

    def disappear(self) -> None:
        """Be out of reach for a while: no packet comes or goes, nothing is lost."""
        if self._network is not None:
            self._network.is_plugged = False

    def reappear(self) -> None:
        """Be in reach again."""
        if self._network is not None:
            self._network.is_plugged = True

    def restart(self, *, new_certificate: bool = True) -> None:
        """Forget all clients without a word; it takes `boot_delay` seconds.

        Clients get the numbers that others had before.
        """
        self._rest("standby")
        self._desk.next_participant = FIRST_PARTICIPANT
        if new_certificate:
            self.renew_certificate()
        self.power.boot()

    def renew_certificate(self) -> None:
        """Have another key from now on, and the same Live ID."""
        self._generation += 1
        self.credentials = console_credentials(
            self.live_id, self.curve, self._generation
        )

    def _rest(self, state: str) -> None:
        self._forget_clients(state)
        self.media_service.forget()
        self.keyboard.forget()
        self.power.become("unplugged" if state == "unplugged" else "standby")

    def _forget_clients(self, reason: str) -> None:
        self._desk.stop()
        self._core.stop()
        for participant in list(self.participants.values()):
            self.remove(participant, reason=reason, by="console")

    async def change_address(self, address: str, port: int | None = None) -> None:
        """Live at another address from now on, as after a new DHCP lease."""
        old = self._network
        self._bind = (address, self.port if port is None else port)
        await self.start()
        if old is not None:
            await old.close()

    async def change_port(self, port: int = 0) -> None:
        """Live at another port from now on; 0 is any free one."""
        await self.change_address(self.address, port)

    # --- what it shows ---

    def set_titles(self, titles: Sequence[FakeTitle]) -> None:
        """Run these titles and tell all clients."""
        self.titles = list(titles)
        if self.is_running:
            focused = [title.aum for title in titles if title.has_focus]
            aums: list[Value] = [title.aum for title in titles]
            self.events.emit("titles", aums=aums, focused=next(iter(focused), None))
        self._tell_all_status(self.titles)

    def launch(self, title: FakeTitle) -> None:
        """Put a title in front, in the place it wants."""
        others = [
            replace(other, has_focus=False)
            for other in self.titles
            if title.location != other.location and title.title_id != other.title_id
        ]
        self.set_titles([*others, title])

    def launch_uri(self, uri: str, location: int = 0) -> None:
        """Do what a TitleLaunch wants, as consoles did until 2019."""
        number = uri.partition("ms-xbl-")[2][:8]
        try:
            title_id = int(number, 16)
        except ValueError:
            return
        known = {title.title_id: title for title in (HOME, DASHBOARD, PLAYER, GAME)}
        found = known.get(title_id)
        aum = found.aum if found else f"Example.Title{number}_abc!App"
        self.launch(FakeTitle(title_id, aum, location=location))

    def status_fields(self, titles: Sequence[FakeTitle] | None = None) -> Fields:
        """Return ConsoleStatus as it is now."""
        shown = self.titles if titles is None else titles
        return {
            "live_tv_provider": self.live_tv_provider,
            "major_version": 10,
            "minor_version": 0,
            "build_number": self.build,
            "locale": self.locale,
            "active_titles": [title.fields() for title in shown],
        }

    def tell_status(self, participant: Participant) -> None:
        """Send a client how things are."""
        if participant.is_gone or self.mute_status:
            return
        participant.send("console_status", self.status_fields())
        if self._surface is not None:
            participant.send("active_surface_change", self._surface)

    def _tell_all_status(self, titles: Sequence[FakeTitle]) -> None:
        self.send_all("console_status", self.status_fields(titles))

    def send_all(self, message: str, fields: Fields) -> None:
        """Send all who joined a message on the core channel."""
        for participant in list(self.participants.values()):
            if participant.has_joined:
                participant.send(message, fields)

    def set_pairing(self, state: int) -> None:
        """Change the paired identity's state and tell all clients."""
        self.pairing_state = state
        self.send_all("paired_identity_state_changed", {"state": state})

    def set_surface(self, surface_type: int, width: int = 0, height: int = 0) -> None:
        """Change the active surface and tell all clients."""
        self._surface = {
            "surface_type": surface_type,
            "server_tcp_port": 0,
            "server_udp_port": 0,
            "session_id": "00000000-0000-0000-0000-000000000000",
            "render_width": width,
            "render_height": height,
            "master_session_key": "00" * 32,
        }
        self.send_all("active_surface_change", self._surface)

    # --- bad manners ---

    @property
    def faults(self) -> Faults:
        """What the network does to datagrams."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults
        if self._network is not None:
            self._network.set_faults(faults)

    def refuse(self, result: int | None, times: int | None = None) -> None:
        """Answer who connects with a result; None is as usual again."""
        self._desk.refusal = result
        self._desk.refusals_left = times if result is not None else None

    def reject(self, *messages: str, times: int = 1) -> None:
        """Refuse the next messages of these names in the ack, or of any name."""
        for name in messages or (None,):
            self._rejections[name] = self._rejections.get(name, 0) + times

    def takes_rejection(self, name: str) -> bool:
        """Whether this message is to be refused."""
        for key in (name, None):
            if self._rejections.get(key, 0) > 0:
                self._rejections[key] -= 1
                return True
        return False

    def refuse_channel(self, service: str, result: int = 0x80000006) -> None:
        """Answer requests for a channel with a result; 0 is as usual again."""
        self.channel_results[service] = result

    def mute_channel(self, service: str, *, on: bool = True) -> None:
        """Do not answer requests for a channel, apart from the ack."""
        (self.silent_channels.add if on else self.silent_channels.discard)(service)

    # --- clients ---

    @property
    def participant(self) -> Participant:
        """The only client. Raises LookupError."""
        if len(self.participants) != 1:
            raise LookupError(f"{len(self.participants)} clients")
        return next(iter(self.participants.values()))

    def remove(
        self, participant: Participant, *, reason: str, by: str, say: int | None = None
    ) -> None:
        """End a client's session; `say` is the reason that it is told."""
        if participant.is_gone:
            return
        del self.participants[participant.number]
        if say is not None:
            fields: Fields = {"reason": say, "error_code": 0}
            participant.send("disconnect", fields, need_ack=False)
        participant.end()
        participant.emit("left", reason=reason, by=by)

    def disconnect_clients(self, reason: int = 0) -> None:
        """Tell all clients to leave."""
        for participant in list(self.participants.values()):
            self.remove(participant, reason="told to", by="console", say=reason)

    def later(self, delay: float, action: Callable[[], None]) -> None:
        """Do something after a while, at once if it is none."""
        self._core.later(delay, action)

    def core_message(
        self, participant: Participant, name: str, fields: Fields, sequence: int
    ) -> None:
        """Take a message on the core channel. Raises WireError."""
        self._core.received(participant, name, fields, sequence)

    # --- datagrams ---

    def send_datagram(self, data: bytes, address: Address) -> None:
        """Send any bytes from our address."""
        if self._network is not None:
            self._network.send(data, address)

    def _received(self, datagram: bytes, address: Address) -> None:
        try:
            self._dispatch(datagram, address)
        except WireError as error:
            self.events.emit("dropped", reason=str(error), host=address[0])
        except Exception as error:  # noqa: BLE001 - told at the end
            self._failures.append(error)

    def _dispatch(self, datagram: bytes, address: Address) -> None:
        kind = int.from_bytes(datagram[:2])
        if kind == POWER_ON:
            self.power.received(unpack_simple(datagram), address)
        elif not self.is_on:
            self.events.emit("dropped", reason="not on", host=address[0])
        elif kind == DISCOVERY_REQUEST:
            self._answer_discovery(unpack_simple(datagram), address)
        elif kind == CONNECT_REQUEST:
            self._desk.received(unpack_simple(datagram), datagram, address)
        elif kind == MESSAGE:
            self._message(datagram, address)
        else:
            raise WireError("no packet for a console")

    def _answer_discovery(self, packet: Simple, address: Address) -> None:
        reader = Reader(packet.body)
        reader.raw(4)
        client_type, minimum, maximum = (reader.number("H") for _ in range(3))
        reader.end()
        host, port = address
        self.events.emit(
            "discovery_request", host=host, port=port, client_type=client_type
        )
        if minimum <= 2 <= maximum:
            self.send_datagram(self.discovery_response(), address)

    def discovery_response(self) -> bytes:
        """Return the answer to a DiscoveryRequest."""
        pending = self.flags & PENDING_FLAG
        return discovery_response(
            self.flags,
            self.name,
            self.console_uuid,
            b"" if pending else self.credentials.certificate,
            self.device_type,
        )

    def _message(self, datagram: bytes, address: Address) -> None:
        header, _ = Header.unpack(datagram)
        participant = self.participants.get(header.source)
        if participant is None:
            raise WireError("an unknown participant")
        header, plaintext = participant.keys.open(datagram)
        if address != participant.address:
            participant.address = address
            participant.emit("roamed", host=address[0], port=address[1])
        participant.receive(header, plaintext)

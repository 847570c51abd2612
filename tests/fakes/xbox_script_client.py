"""A small client to try the fake console with; nothing in it is ours.

It acks what it gets, delivers it once, repeats what is not acked and reads it in any
order: enough to tell whether the console does what the reference says.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
import os
from types import TracebackType
from typing import Self, override

from cryptography.hazmat.primitives.asymmetric import ec

from tests.fakes.xbox import FakeConsole
from tests.fakes.xbox_crypto import Curve, SessionKeys, console_key, point_bytes
from tests.fakes.xbox_json import JsonAssembly, JsonObject, JsonValue, compact
from tests.fakes.xbox_network import Address
from tests.fakes.xbox_service import SERVICE_UUIDS
from tests.fakes.xbox_wire import (
    CONNECT_RESPONSE,
    DISCOVERY_RESPONSE,
    MESSAGE,
    NAMES,
    TYPES,
    Fields,
    Header,
    Reader,
    Value,
    WireError,
    decode,
    discovery_request,
    encode,
    number_of,
    numbers_of,
    power_on,
    read_discovery_response,
    read_fragment,
    row_of,
    text_of,
    unpack_simple,
)

type Received = tuple[str, Header, Fields]

JOIN: Fields = {
    "device_type": 4,
    "native_width": 1080,
    "native_height": 1920,
    "dpi_x": 96,
    "dpi_y": 96,
    "device_capabilities": 0xFFFFFFFFFFFFFFFF,
    "client_version": 39,
    "os_major_version": 6,
    "os_minor_version": 2,
    "display_name": "Script",
}


class ScriptClient(asyncio.DatagramProtocol):
    """One client of one console."""

    def __init__(
        self,
        address: Address,
        *,
        client_uuid: bytes | None = None,
        curve: Curve = "P-256",
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> None:
        self.console = address
        self.client_uuid = client_uuid or os.urandom(16)
        self.curve: Curve = curve
        self.key = key or console_key(curve, self.client_uuid.hex())
        self.keys: SessionKeys | None = None
        self.participant = 0
        self.acks = True  # whether it acks and repeats
        self.repeat_after = 0.1
        self.found: list[bytes] = []  # discovery responses
        self.answers: list[tuple[int, int, int]] = []  # connect responses
        self.received: list[Received] = []  # what nobody has expected yet
        self.everything: list[Received] = []
        self.processed: set[int] = set()
        self.rejected: set[int] = set()
        self.datagrams: list[bytes] = []
        self._sequence = 0
        self._request = 0
        self._seen: set[int] = set()
        self._pieces: dict[tuple[int, int], dict[int, bytes]] = {}
        self._json = JsonAssembly()
        self._changed = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None
        self._closed: asyncio.Future[None] = asyncio.Future()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self._transport = transport
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._transport is not None:
            self._transport.abort()
            await self._closed

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closed.done():
            self._closed.set_result(None)

    @property
    def port(self) -> int:
        """The port that it sends from."""
        assert self._transport is not None
        name: Address = self._transport.get_extra_info("sockname")
        return name[1]

    async def move(self) -> None:
        """Continue from another port."""
        old = self._transport
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self._transport = transport
        if old is not None:
            old.close()
            await self._closed
        self._closed = asyncio.Future()

    # --- what comes ---

    @override
    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.datagrams.append(data)
        kind = int.from_bytes(data[:2])
        if kind == DISCOVERY_RESPONSE:
            self.found.append(data)
        elif kind == CONNECT_RESPONSE and self.keys is not None:
            packet = unpack_simple(data)
            reader = Reader(self.keys.open_simple(packet, data))
            values = (reader.number("H"), reader.number("H"), reader.number("I"))
            self.answers.append(values)
        elif kind == MESSAGE and self.keys is not None:
            self._message(data)
        self._changed.set()

    def _message(self, data: bytes) -> None:
        assert self.keys is not None
        try:
            header, plaintext = self.keys.open(data)
        except WireError:
            return
        if header.target not in (0, self.participant):
            return
        if header.need_ack and self.acks:
            number: list[Value] = [header.sequence]
            ack: Fields = {
                "low_watermark": 0,
                "processed_list": number,
                "rejected_list": [],
            }
            self.send("ack", ack, need_ack=False)
        if header.sequence in self._seen:
            return
        self._seen.add(header.sequence)
        if header.is_fragment:
            begin, end, piece = read_fragment(plaintext)
            pieces = self._pieces.setdefault((begin, end), {})
            pieces[header.sequence] = piece
            if len(pieces) < end - begin:
                return
            plaintext = b"".join(pieces[number] for number in range(begin, end))
        name = NAMES.get(header.message_type, hex(header.message_type))
        try:
            fields = decode(header.message_type, plaintext)
        except WireError:
            return
        self.everything.append((name, header, fields))
        if name == "ack":
            self.processed.update(numbers_of(fields, "processed_list"))
            self.rejected.update(numbers_of(fields, "rejected_list"))
        else:
            self.received.append((name, header, fields))

    async def until[T](self, get: Callable[[], T | None], timeout: float = 3) -> T:
        """Wait until something is there."""
        async with asyncio.timeout(timeout):
            while True:
                value = get()
                if value is not None:
                    return value
                self._changed.clear()
                await self._changed.wait()

    async def until_acked(self, sequence: int) -> None:
        """Wait until a message was accepted."""
        await self.until(lambda: sequence in self.processed or None)

    async def expect(self, name: str, **fits: object) -> Fields:
        """Return the next message of a name, and forget it."""

        def get() -> Fields | None:
            for received in self.received:
                fields = received[2]
                if received[0] == name and all(
                    fields.get(key) == value for key, value in fits.items()
                ):
                    self.received.remove(received)
                    return fields
            return None

        return await self.until(get)

    def names(self) -> list[str]:
        """Return what has come and nobody has expected yet."""
        return [name for name, _, _ in self.received]

    # --- what goes ---

    def send_raw(self, data: bytes) -> None:
        """Send any bytes."""
        assert self._transport is not None
        self._transport.sendto(data, self.console)

    def sealed(
        self,
        message: str | int,
        fields: Fields | bytes,
        channel: int = 0,
        *,
        need_ack: bool = True,
        sequence: int | None = None,
        source: int | None = None,
        target: int = 0,
    ) -> tuple[int, bytes]:
        """Return a message's number and datagram."""
        assert self.keys is not None
        number = TYPES[message] if isinstance(message, str) else message
        if sequence is None:
            self._sequence += 1
            sequence = self._sequence
        header = Header(
            sequence,
            target,
            self.participant if source is None else source,
            number,
            channel,
            need_ack=need_ack,
        )
        plaintext = fields if isinstance(fields, bytes) else encode(number, fields)
        return sequence, self.keys.seal(header, plaintext)

    def send(
        self,
        message: str | int,
        fields: Fields | bytes,
        channel: int = 0,
        *,
        need_ack: bool = True,
    ) -> int:
        """Send a message once; returns its number."""
        sequence, data = self.sealed(message, fields, channel, need_ack=need_ack)
        self.send_raw(data)
        return sequence

    async def deliver(
        self, message: str | int, fields: Fields | bytes, channel: int = 0
    ) -> bool:
        """Send a message until it is acked; returns whether it was accepted."""
        sequence, data = self.sealed(message, fields, channel)

        def acked() -> bool | None:
            if sequence in self.processed:
                return True
            return False if sequence in self.rejected else None

        for _ in range(30):
            self.send_raw(data)
            try:
                return await self.until(acked, self.repeat_after)
            except TimeoutError:
                continue
        raise TimeoutError(f"no ack of {message}")

    async def discover(self) -> tuple[int, str, str, bytes]:
        """Return flags, name, uuid and certificate; makes the keys."""
        self.found.clear()
        for _ in range(30):
            self.send_raw(discovery_request())
            try:
                data = await self.until(
                    lambda: self.found[-1] if self.found else None, self.repeat_after
                )
                return read_discovery_response(data)
            except TimeoutError:
                continue
        raise TimeoutError("no console")

    def agree(self, console_key: ec.EllipticCurvePublicKey) -> SessionKeys:
        """Make the session's keys."""
        self.keys = SessionKeys.agreed(self.key, point_bytes(console_key))
        return self.keys

    def connect_requests(
        self, userhash: str = "", token: str = "", number: int = 0, room: int = 908
    ) -> list[bytes]:
        """Return the datagrams of a connect (section 4.3)."""
        assert self.keys is not None
        point = point_bytes(self.key.public_key())
        first = room - len(userhash)
        parts = [token[:first]]
        parts += [token[at : at + room] for at in range(first, len(token), room)]
        end = number + len(parts)
        return [
            self.keys.connect_request(
                self.client_uuid,
                point,
                "" if index else userhash,
                part,
                (number + index, number, end),
            )
            for index, part in enumerate(parts)
        ]

    async def connect(self, userhash: str = "", token: str = "") -> int:
        """Connect; returns the result. Pending is waited for."""
        self.answers.clear()
        self._sequence = 0
        self._seen.clear()
        requests = self.connect_requests(userhash, token)

        def answer() -> int | None:
            for result, _, participant in self.answers:
                if result != 1:
                    self.participant = participant
                    return result
            return None

        for _ in range(30):
            for request in requests:
                self.send_raw(request)
            try:
                return await self.until(answer, self.repeat_after)
            except TimeoutError:
                continue
        raise TimeoutError("no answer")

    async def join(self) -> Fields:
        """Send LocalJoin; returns the first ConsoleStatus."""
        await self.deliver("local_join", JOIN)
        return await self.expect("console_status")

    async def enter(
        self, console_key: ec.EllipticCurvePublicKey, *channels: str
    ) -> list[int]:
        """Connect without a token, join, and open channels."""
        self.agree(console_key)
        assert await self.connect() == 0
        await self.join()
        return [await self.open(channel) for channel in channels]

    async def request_channel(
        self, service: str, title_id: int = 0, service_uuid: str | None = None
    ) -> Fields:
        """Ask for a channel; returns the response."""
        self._request += 1
        request: Fields = {
            "channel_request_id": self._request,
            "title_id": title_id,
            "service": service_uuid or SERVICE_UUIDS[service],
            "activity_id": 0,
        }
        await self.deliver("start_channel_request", request)
        return await self.expect(
            "start_channel_response", channel_request_id=self._request
        )

    async def open(self, service: str, title_id: int = 0) -> int:
        """Open a channel; returns its number."""
        response = await self.request_channel(service, title_id)
        assert response["result"] == 0
        return number_of(response, "target_channel_id")

    async def ask(self, channel: int, request: str, **params: JsonValue) -> JsonObject:
        """Send a request to the TV provider; returns its response."""
        self._request += 1
        msgid = f"0000beef.{self._request}"
        body: JsonObject = {"request": request, "msgid": msgid}
        if params:
            body["params"] = params
        text = compact(body)
        await self.deliver("json", {"text": text}, channel)
        while True:
            answer = await self.json(channel)
            if answer.get("msgid") == msgid:
                return answer

    async def json(self, channel: int) -> JsonObject:
        """Return the next object."""
        while True:
            fields = await self.expect("json")
            body = self._json.add(channel, text_of(fields, "text"))
            if body is not None:
                return body

    def wake(self, live_id: str) -> None:
        """Send one PowerOn."""
        self.send_raw(power_on(live_id))

    def heartbeat(self) -> int:
        """Send a heartbeat."""
        beat: Fields = {
            "low_watermark": 0,
            "processed_list": [],
            "rejected_list": [],
        }
        return self.send("ack", beat)


@contextlib.asynccontextmanager
async def meeting(
    *channels: str, of: FakeConsole | None = None, joins: bool = True
) -> AsyncIterator[tuple[FakeConsole, ScriptClient, list[int]]]:
    """A console, a client that is connected to it, and the channels' numbers."""
    async with (
        of or FakeConsole() as console,
        ScriptClient((console.address, console.port)) as client,
    ):
        key = console.credentials.key.public_key()
        client.agree(key)
        yield console, client, await client.enter(key, *channels) if joins else []


def title_ids(status: Fields) -> list[int]:
    """Return the titles of a ConsoleStatus."""
    titles = status["active_titles"]
    assert isinstance(titles, list)
    return [number_of(title, "title_id") for title in titles if isinstance(title, dict)]


def focused(status: Fields) -> int | None:
    """Return the title that has the focus."""
    titles = status["active_titles"]
    assert isinstance(titles, list)
    for title in titles:
        if isinstance(title, dict) and row_of(title, "disposition")["has_focus"]:
            return number_of(title, "title_id")
    return None

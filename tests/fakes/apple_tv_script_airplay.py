"""A small AirPlay client for the tests of the fake Apple TV; shares no code with ours."""

import asyncio
import contextlib
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_crypto import ChannelCipher, HapFrames, hkdf
from tests.fakes.apple_tv_frames import SYNC, DataFrame, DataFrames, pack, unpack
from tests.fakes.apple_tv_rtsp import PlistDict, read_plist, write_plist
from tests.fakes.apple_tv_script_client import Controller

SEED = 15014746994705656022


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, or a request on the event channel; headers are in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def status(self) -> int:
        """The number in an answer's first line."""
        return int(self.line.split(" ")[1])

    @property
    def plist(self) -> PlistDict:
        """The body."""
        return read_plist(self.body)


class Stream:
    """A connection that may be encrypted."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader, self._writer = reader, writer
        self.frames: HapFrames | None = None
        self._buffer = bytearray()

    @classmethod
    async def open(cls, address: str, port: int) -> Self:
        """Connect."""
        return cls(*await asyncio.open_connection(address, port))

    def write(self, data: bytes) -> None:
        """Send."""
        self._writer.write(self.frames.encode(data) if self.frames else data)

    def write_plain(self, data: bytes) -> None:
        """Send what is not encrypted, whatever the connection is."""
        self._writer.write(data)

    async def more(self) -> bool:
        """Wait for more; False when there is none."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(5):
                if data := await self._reader.read(65536):
                    self._buffer += self.frames.feed(data) if self.frames else data
                    return True
        return False

    def take(self) -> bytes:
        """Return what has come."""
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    async def told(self) -> Told:
        """Return the next answer or request. Raises EOFError."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if not await self.more():
                raise EOFError
        lines = bytes(self._buffer[:end]).decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in lines[1:])
        headers = {name.lower(): value for name, value in pairs}
        whole = end + 4 + int(headers.get("content-length", "0"))
        while len(self._buffer) < whole:
            if not await self.more():
                raise EOFError
        body = bytes(self._buffer[end + 4 : whole])
        del self._buffer[:whole]
        return Told(lines[0], headers, body)

    async def ended(self) -> bool:
        """Wait until the other side ends it."""
        while await self.more():
            pass
        return True

    async def close(self) -> None:
        """End it."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


class AirPlayScript:
    """A client that does what it is told."""

    def __init__(self, device: FakeAppleTv, control: Stream) -> None:
        self.device = device
        self.control = control
        self.secret = b""
        self.streams: list[Stream] = [control]
        self._cseq = 0

    @classmethod
    async def connect(cls, device: FakeAppleTv) -> Self:
        """Open the control connection."""
        control = await Stream.open(device.address, device.airplay_port)
        return cls(device, control)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for stream in self.streams:
            await stream.close()

    def send(
        self,
        method: str,
        path: str,
        body: bytes | PlistDict = b"",
        protocol: str = "RTSP/1.0",
        **headers: str,
    ) -> None:
        """Send a request; underscores in names of headers are dashes."""
        data = body if isinstance(body, bytes) else write_plist(body)
        lines = [f"{method} {path} {protocol}", f"Content-Length: {len(data)}"]
        if protocol == "RTSP/1.0":
            lines.append(f"CSeq: {self._cseq}")
            self._cseq += 1
        lines += (f"{name.replace('_', '-')}: {v}" for name, v in headers.items())
        self.control.write("\r\n".join((*lines, "", "")).encode() + data)

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | PlistDict = b"",
        protocol: str = "RTSP/1.0",
        **headers: str,
    ) -> Told:
        """Send a request and return the answer."""
        self.send(method, path, body, protocol, **headers)
        return await self.control.told()

    async def pair_step(
        self, path: str, body: bytes, hkp: str = "3", **headers: str
    ) -> Told:
        """Send one step of a pairing."""
        headers["X_Apple_HKP"] = hkp
        return await self.ask("POST", path, body, "HTTP/1.1", **headers)

    def encrypt(self, secret: bytes) -> None:
        """Encrypt from here on."""
        self.secret = secret
        self.control.frames = frames(
            hkdf(secret, "Control-Salt", "Control-Write-Encryption-Key"),
            hkdf(secret, "Control-Salt", "Control-Read-Encryption-Key"),
        )

    async def pair(self, controller: Controller, pin: str = "1234") -> None:
        """Pair with a PIN."""
        await self.pair_step("/pair-pin-start", b"", X_Apple_Client_Name="Script")
        told = await self.pair_step("/pair-setup", controller.setup_start())
        srp, m3 = controller.prove(told.body, pin)
        told = await self.pair_step("/pair-setup", m3)
        told = await self.pair_step("/pair-setup", controller.exchange(srp, told.body))
        controller.finish(srp, told.body)

    async def verify(self, controller: Controller) -> None:
        """Verify, and encrypt."""
        private, m1 = controller.verify_start()
        told = await self.pair_step("/pair-verify", m1)
        secret, m3 = controller.verify_answer(private, told.body)
        assert (await self.pair_step("/pair-verify", m3)).status == 200
        self.encrypt(secret)

    async def transient(self, **headers: str) -> Told:
        """Pair for this connection alone; the last answer is returned."""
        controller = Controller()
        start = controller.setup_start(transient=True)
        told = await self.pair_step("/pair-setup", start, "4", **headers)
        if told.status != 200:
            return told
        srp, m3 = controller.prove(told.body, "3939")
        told = await self.pair_step("/pair-setup", m3, "4", **headers)
        self.encrypt(srp.key)
        return told

    async def setup_events(self) -> Stream:
        """Begin the session, and connect the event channel."""
        body: PlistDict = {"isRemoteControlOnly": True, "timingProtocol": "None"}
        told = await self.ask("SETUP", "rtsp://127.0.0.1/1", body)
        assert told.status == 200
        events = await self._open(told.plist["eventPort"])
        events.frames = frames(
            hkdf(self.secret, "Events-Salt", "Events-Read-Encryption-Key"),
            hkdf(self.secret, "Events-Salt", "Events-Write-Encryption-Key"),
        )
        return events

    async def setup_data(self, seed: int = SEED) -> DataScript:
        """Begin and connect the data channel."""
        stream: PlistDict = {"type": 130, "controlType": 2, "seed": seed}
        told = await self.ask("SETUP", "rtsp://127.0.0.1/1", {"streams": [stream]})
        streams = told.plist["streams"]
        assert isinstance(streams, list)
        assert isinstance(streams[0], dict)
        data = await self._open(streams[0]["dataPort"])
        salt = f"DataStream-Salt{seed}"
        data.frames = frames(
            hkdf(self.secret, salt, "DataStream-Output-Encryption-Key"),
            hkdf(self.secret, salt, "DataStream-Input-Encryption-Key"),
        )
        return DataScript(data)

    async def session(self) -> tuple[Stream, DataScript]:
        """Do all of it."""
        events = await self.setup_events()
        assert (await self.ask("RECORD", "rtsp://127.0.0.1/1")).status == 200
        told = await events.told()
        answer_event(events, told)
        return events, await self.setup_data()

    async def _open(self, port: object) -> Stream:
        assert isinstance(port, int)
        stream = await Stream.open(self.device.address, port)
        self.streams.append(stream)
        return stream


class DataScript:
    """The data channel of a client."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.messages: list[pb.ProtocolMessage] = []
        self.replies: list[int] = []
        self.answers_frames = True
        self._frames = DataFrames()

    def send(self, *messages: pb.ProtocolMessage, bare: bool = False) -> None:
        """Send messages in one frame."""
        data = pack([m.SerializeToString() for m in messages], bare=bare)
        self.stream.write(DataFrame(SYNC, "comm", 7, data).encode())

    async def until(self, kind: int) -> pb.ProtocolMessage:
        """Return the next message of a kind; what comes before it is forgotten."""
        while True:
            while self.messages:
                message = self.messages.pop(0)
                if message.type == kind:
                    return message
            if not await self.stream.more():
                raise EOFError
            self._take()

    async def replied(self, sequence: int) -> None:
        """Wait until the device has taken a frame."""
        while sequence not in self.replies:
            if not await self.stream.more():
                raise EOFError
            self._take()
        self.replies.remove(sequence)

    def _take(self) -> None:
        for frame in self._frames.feed(self.stream.take()):
            if frame.kind == SYNC:
                if self.answers_frames:
                    reply = DataFrame("rply", "", frame.sequence)
                    self.stream.write(reply.encode())
                self.messages += map(
                    pb.ProtocolMessage.FromString, unpack(frame.payload)
                )
            else:
                self.replies.append(frame.sequence)


def frames(write_key: bytes, read_key: bytes) -> HapFrames:
    """Return what encrypts a connection."""
    return HapFrames(ChannelCipher(write_key, read_key))


def answer_event(events: Stream, told: Told, cseq: str = "") -> None:
    """Answer a request of the device."""
    cseq = cseq or told.headers["cseq"]
    events.write(
        f"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n".encode()
    )

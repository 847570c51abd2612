"""What a device says in a session: frames, OPACK, property lists, HTTP, MRP."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, override

from .apple_fields import changed
from .mutation import Mutator
from custom_components.rumpus.protocols import opack, plists, varint
from custom_components.rumpus.protocols.airplay import data_frames
from custom_components.rumpus.protocols.airplay.http import (
    HttpParser,
    Request,
    Response,
    encode_request,
    encode_response,
)
from custom_components.rumpus.protocols.airplay.info import AirPlayInfo
from custom_components.rumpus.protocols.apple.identity import ClientIdentity
from custom_components.rumpus.protocols.companion import frames, messages, rti
from custom_components.rumpus.protocols.companion.attention import Attention
from custom_components.rumpus.protocols.companion.connection import Seen
from custom_components.rumpus.protocols.companion.keyboard import Keyboard
from custom_components.rumpus.protocols.companion.media import Media
from custom_components.rumpus.protocols.companion.system_info import SystemInfo
from custom_components.rumpus.protocols.companion.timing import Timing
from custom_components.rumpus.protocols.errors import PeerTimeoutError
from custom_components.rumpus.protocols.hap.crypto import ChannelCipher
from custom_components.rumpus.protocols.hap.frames import HapFrames
from custom_components.rumpus.protocols.mrp import messages as mrp_messages
from custom_components.rumpus.protocols.mrp.client import MrpClient
from custom_components.rumpus.protocols.mrp.framing import Frames
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from custom_components.rumpus.protocols.mrp.transport import Closed, Received
from custom_components.rumpus.protocols.opack import OpackDict
from tests.protocols.airplay.vectors import DATA, PLISTS, SEQUENCE
from tests.protocols.companion.vectors import ARCHIVES, MESSAGES
from tests.protocols.mrp.vectors import CAPTURED, MESSAGES as MRP_MESSAGES, VARINTS

KEYS: Final = (bytes(range(32)), bytes(32))
INFO: Final = plists.dumps(
    {
        "name": "Room",
        "deviceID": "AA:BB:CC:DD:EE:FF",
        "features": 2**62 - 1,
        "statusFlags": 4,
        "initialVolume": -20.5,
        "supportedFormats": {"lowLatencyAudioStream": 0, "bufferStream": 12},
        "pk": bytes(32),
    }
)


class Answering:
    """A transport whose device answers every request at once, and as it should."""

    is_connected = True

    def __init__(self) -> None:
        self.received: Received = lambda _: None

    def start(self, received: Received, closed: Closed) -> None:
        """Begin to hand over messages."""
        self.received = received

    def send(self, message: bytes) -> None:
        """Answer a request when it is waited for."""
        asked = pb.ProtocolMessage.FromString(message)
        if asked.identifier:
            answer = pb.ProtocolMessage(type=asked.type, identifier=asked.identifier)
            answer.device_info.SetInParent()
            asyncio.get_running_loop().call_soon(
                self.received, answer.SerializeToString()
            )

    async def close(self) -> None:
        """Do nothing."""


class Unlinked:
    """A link of Companion over which nothing is said."""

    async def request(
        self,
        name: str,
        content: OpackDict | None = None,
        *,
        timeout: float | None = None,
        seen: Seen | None = None,
    ) -> OpackDict:
        """Get no answer."""
        raise PeerTimeoutError(name)

    def ask(
        self, name: str, content: OpackDict | None = None, seen: Seen | None = None
    ) -> None:
        """Say nothing."""

    def send_event(self, name: str, content: OpackDict) -> None:
        """Say nothing."""

    def spawn(self, job: Coroutine[object, object, None]) -> None:
        """Do at once what can be done; there is nothing to wait for."""
        _finish(job)


class SessionTargets:
    """Decoders of sessions; made and used while an event loop runs."""

    def __init__(self, mutator: Mutator) -> None:
        """Collect what devices say."""
        self._mutator = mutator
        self._chance = mutator.chance
        self._opack = [data for data, _ in MESSAGES]
        self._plists = [DATA["payload"], *PLISTS.values(), *ARCHIVES.values(), INFO]
        self._mrp = [
            vector.data for vector in (*MRP_MESSAGES.values(), *CAPTURED.values())
        ]
        self._http = [
            encode_response(
                Response(200, headers={"CSeq": "1", "Server": "AirTunes"}, body=INFO)
            ),
            encode_response(Response(470, "HTTP/1.1")),
            encode_request(
                Request("POST", "/command", headers={"CSeq": "2"}, body=INFO)
            ),
            encode_request(Request("GET", "/info", "HTTP/1.1")),
        ]
        self._data = [
            DATA[name] for name in ("frame", "short_reply", "long_reply", "recorded")
        ]
        self._companion = [frames.header(8, len(data)) + data for data in self._opack]
        self._varints = [data for _, data in VARINTS]
        self._transport = Answering()
        self._client = MrpClient(
            self._transport, ClientIdentity.create("Rumpus"), client_id="id"
        )
        self._client.subscribe(self._heard)

        link = Unlinked()
        self._events = (
            Attention(link, self._heard).received,
            Keyboard(link, self._heard).focus_received,
            Media(link, Timing(), self._heard).flags_received,
        )

    async def start(self) -> None:
        """Bring the session up that all messages of MRP go to."""
        await self._client.start()

    async def stop(self) -> None:
        """End it."""
        await self._client.close()

    def _heard(self, event: object) -> None:
        repr(event)

    @property
    def corpus(self) -> list[bytes]:
        """Valid inputs."""
        return [
            *(*self._opack, *self._plists, *self._mrp, *self._http),
            *(*self._data, *self._companion, *self._varints),
        ]

    def maker(self, name: str) -> Callable[[], bytes]:
        """Return what makes broken inputs out of some of the valid ones."""
        valid: list[bytes] = getattr(self, f"_{name}")
        return lambda: self._mutator.mutated(self._chance.choice(valid))

    def fields(self) -> bytes:
        """Return a message of MRP that says what no device would say."""
        return changed(self._chance.choice(self._mrp), self._chance)

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        """Cut data at random places."""
        start = 0
        while start < len(data):
            end = start + self._chance.choice((1, 7, 64, len(data)))
            yield data[start:end]
            start = end

    # OPACK and property lists

    def read_opack(self, data: bytes) -> None:
        """Read a value, which is written again as the same."""
        value = opack.decode(data)
        again = opack.decode(opack.encode(value))
        if repr(again) != repr(value):
            raise AssertionError("encoded to something else")

    def read_plist(self, data: bytes) -> None:
        """Read a property list, which is written again as the same."""
        value = plists.loads(data)
        if isinstance(value, (dict, list)):
            again = plists.loads(plists.dumps(value))
            if repr(again) != repr(value):
                raise AssertionError("encoded to something else")

    def read_archive(self, data: bytes) -> None:
        """Read an archive of the keyboard."""
        rti.decode_session(data)

    def read_info(self, data: bytes) -> None:
        """Read what a device tells of itself."""
        repr(AirPlayInfo.from_plist(plists.loads_dict(data)))

    # Frames

    def read_hap(self, data: bytes) -> None:
        """Take encrypted frames that were broken on their way, in pieces."""
        device = HapFrames(ChannelCipher(*KEYS))
        sealed = device.encode(data * self._chance.choice((1, 1, 9)))
        sent = self._mutator.mutated(sealed)
        ours = HapFrames(ChannelCipher(KEYS[1], KEYS[0]))
        plain = b"".join(ours.feed(piece) for piece in self._pieces(sent))
        if plain and plain not in data * 9:
            raise AssertionError("forged bytes came through")

    def read_http(self, data: bytes) -> None:
        """Take messages of HTTP and RTSP in pieces."""
        parser = HttpParser()
        for piece in self._pieces(data):
            parser.feed(piece)
            while (message := parser.next_message()) is not None:
                repr(message)
        parser.take_rest()

    def read_data(self, data: bytes) -> None:
        """Take frames of the data channel in pieces, and the messages in them."""
        parser = data_frames.FrameParser()
        for piece in self._pieces(data):
            for frame in parser.feed(piece):
                repr((frame, data_frames.decode_messages(frame.payload)))

    def read_payload(self, data: bytes) -> None:
        """Take the payload of a frame of the data channel."""
        for message in data_frames.decode_messages(data):
            mrp_messages.decode(message)

    def read_split(self, data: bytes) -> None:
        """Take messages that follow each other."""
        data_frames.split_messages(data)
        frame = data_frames.DataFrame("sync", "comm", SEQUENCE, data)
        if data_frames.FrameParser().feed(data_frames.encode_frame(frame)) != [frame]:
            raise AssertionError("encoded to something else")

    def read_varint(self, data: bytes) -> None:
        """Read a number."""
        found = varint.decode(data)
        if found is not None and varint.decode(varint.encode(found[0])) is None:
            raise AssertionError("encoded to nothing")

    # Companion

    def read_companion(self, data: bytes) -> None:
        """Take frames, in the clear and encrypted, from a connection that ends then."""
        _finish(self._read_companion(data))

    async def _read_companion(self, data: bytes) -> None:
        stream = frames.FrameStream()
        stream.connection_made(Nowhere())
        if self._chance.random() < 0.3:
            stream.secure(ChannelCipher(*KEYS, nonce_size=12))
        stream.data_received(data)
        stream.connection_lost(None)
        while True:
            frame = await stream.read_frame()
            self.read_message(frame.payload)

    def read_message(self, data: bytes) -> None:
        """Read a message of a session, and what may be in it."""
        message = messages.decode_message(data)
        repr((message, SystemInfo.decode(message.content)))
        messages.get_named(message.content, limit=9)
        for received in self._events:
            received(message.content)
        messages.decode_message(messages.encode_refusal(message))

    # MRP

    def read_mrp_frames(self, data: bytes) -> None:
        """Take frames of MRP in pieces, in the clear or encrypted."""
        parser = Frames()
        sent = varint.encode(len(data)) + data
        if self._chance.random() < 0.5:
            sender = Frames()
            sender.encrypt(ChannelCipher(*KEYS))
            parser.encrypt(ChannelCipher(KEYS[1], KEYS[0]))
            sent = sender.encode(data)
        if self._chance.random() < 0.5:
            sent = self._mutator.mutated(sent)
        for piece in self._pieces(sent):
            parser.feed(piece)
            while (message := parser.next()) is not None:
                mrp_messages.decode(message)

    def read_mrp(self, data: bytes) -> None:
        """Let the client hear a message, and publish what came of it."""
        mrp_messages.decode(data)
        self._transport.received(data)
        client = self._client
        repr((client.playing.hash, client.queue, client.output_devices, client.power))


class Nowhere(asyncio.Transport):
    """A connection to which nothing is written."""

    @override
    def is_closing(self) -> bool:
        return True

    @override
    def pause_reading(self) -> None:
        pass

    @override
    def resume_reading(self) -> None:
        pass


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Run what has no need to wait, but may let others have their turn."""
    try:
        while work.send(None) is None:
            pass
    except StopIteration:
        return
    finally:
        work.close()
    raise AssertionError("it waits for more, although nothing will come")

"""What the tests of MRP share."""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custom_components.rumpus.protocols.apple.identity import ClientIdentity
from custom_components.rumpus.protocols.apple.models import ArtworkFetcher, OutputDevice
from custom_components.rumpus.protocols.errors import DisconnectedError, RumpusError
from custom_components.rumpus.protocols.hap.credentials import HapCredentials
from custom_components.rumpus.protocols.mrp import messages
from custom_components.rumpus.protocols.mrp.client import MrpClient
from custom_components.rumpus.protocols.mrp.events import MrpEvent
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from custom_components.rumpus.protocols.mrp.tcp import TcpTransport
from custom_components.rumpus.protocols.mrp.timing import Timing
from custom_components.rumpus.protocols.mrp.transport import Closed, Received
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_hap import Controller

PATIENT = Timing(hold=0.05, menu=0.001, tap=0.001, touch=0.002)
"""For what works: nothing of it runs out on a busy computer."""
HASTY = Timing(
    connect=0.3,
    request=0.2,
    pairing=0.2,
    change=0.2,
    hold=0.05,
    menu=0.001,
    tap=0.001,
    touch=0.002,
    close=0.2,
)
"""For what waits in vain."""
WATCHFUL = Timing(heartbeat=0.1, heartbeat_answer=0.2, close=0.1)
"""For devices that fall silent."""

IDENTITY = ClientIdentity.create("Rumpus")
UID = "D1"


def pair(device: FakeAppleTv) -> HapCredentials:
    """Let a device know us, without a PIN, and return what proves it."""
    key = Ed25519PrivateKey.generate()
    client_id = str(uuid4()).encode()
    controller = Controller(client_id, key.public_key().public_bytes_raw())
    device.desk.paired("mrp", controller)
    return HapCredentials(
        ltpk=device.desk.public_key,
        ltsk=key.private_bytes_raw(),
        device_id=device.desk.identifier,
        client_id=client_id,
    )


class Log:
    """The events of a client, and waiting for one."""

    def __init__(self) -> None:
        self.events: list[MrpEvent] = []
        self._changed = asyncio.Event()

    def __call__(self, event: MrpEvent) -> None:
        self.events.append(event)
        self._changed.set()

    def of[E: MrpEvent](self, kind: type[E]) -> list[E]:
        """Return all events of a type."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, is_there: Callable[[], bool]) -> None:
        """Wait until something is so; it is looked at after every event."""
        async with asyncio.timeout(5):
            while not is_there():
                self._changed.clear()
                await self._changed.wait()

    async def get[E: MrpEvent](self, kind: type[E]) -> E:
        """Return the next event of a type, and drop all up to it."""
        await self.until(lambda: bool(self.of(kind)))
        event = self.of(kind)[0]
        del self.events[: self.events.index(event) + 1]
        return event


@contextlib.asynccontextmanager
async def client_of(
    device: FakeAppleTv,
    *,
    timing: Timing = PATIENT,
    is_paired: bool = True,
    fetch_artwork: ArtworkFetcher | None = None,
) -> AsyncIterator[tuple[MrpClient, Log]]:
    """Give a client that has started, and what it tells."""
    transport = TcpTransport(timing)
    await transport.connect(device.address, device.mrp_port)
    client = MrpClient(
        transport,
        IDENTITY,
        client_id=IDENTITY.mrp_id,
        credentials=pair(device) if is_paired else None,
        timing=timing,
        fetch_artwork=fetch_artwork,
    )
    log = Log()
    client.subscribe(log)
    try:
        await client.start()
        yield client, log
    finally:
        await client.close()


type Answer = Callable[[pb.ProtocolMessage], pb.ProtocolMessage | None]


class ScriptedTransport:
    """A device without a network: it answers what the test wants, at once."""

    def __init__(self, **info: object) -> None:
        self.sent: list[pb.ProtocolMessage] = []
        self.is_connected = True
        self.is_closed = False
        self.info = pb.DeviceInfoMessage(
            name="Den", device_uid=UID, logical_device_count=1
        )
        for name, value in info.items():
            setattr(self.info, name, value)
        self.answers: dict[int, Answer] = {
            pb.MESSAGE_TYPE_DEVICE_INFO: lambda _: self._own_info(),
            pb.MESSAGE_TYPE_CLIENT_UPDATES_CONFIG: lambda _: pb.ProtocolMessage(),
            pb.MESSAGE_TYPE_GET_KEYBOARD_SESSION: lambda _: messages.make(
                pb.MESSAGE_TYPE_KEYBOARD
            ),
            pb.MESSAGE_TYPE_GENERIC: lambda _: pb.ProtocolMessage(),
        }
        self._received: Received | None = None
        self._closed: Closed | None = None
        self.asked = asyncio.Event()

    def _own_info(self) -> pb.ProtocolMessage:
        message = messages.make(pb.MESSAGE_TYPE_DEVICE_INFO)
        message.device_info.CopyFrom(self.info)
        return message

    def start(self, received: Received, closed: Closed) -> None:
        self._received, self._closed = received, closed

    def send(self, message: bytes) -> None:
        if not self.is_connected:
            raise DisconnectedError("The test has ended it")
        question = pb.ProtocolMessage.FromString(message)
        self.sent.append(question)
        self.asked.set()
        answer = self.answers.get(question.type)
        told = None if answer is None else answer(question)
        if told is not None:
            told.identifier = question.identifier
            self.push(told)

    async def close(self) -> None:
        self.is_connected = False
        self.is_closed = True

    def push(self, *pushes: pb.ProtocolMessage) -> None:
        """Let the device send messages."""
        for message in pushes:
            self.push_bytes(message.SerializeToString())

    def push_bytes(self, data: bytes) -> None:
        """Let the device send what may be no message."""
        assert self._received is not None
        self._received(data)

    def end(self, error: RumpusError | None = None) -> None:
        """End the connection."""
        self.is_connected = False
        assert self._closed is not None
        self._closed(error)

    def of(self, kind: int) -> list[pb.ProtocolMessage]:
        """Return what was sent of a type."""
        return [message for message in self.sent if message.type == kind]


@contextlib.asynccontextmanager
async def scripted(
    transport: ScriptedTransport | None = None,
    *,
    timing: Timing = PATIENT,
    fetch_artwork: ArtworkFetcher | None = None,
    clock: Callable[[], float] = lambda: 1_700_000_000.0,
) -> AsyncIterator[tuple[MrpClient, ScriptedTransport, Log]]:
    """Give a client that has started with a scripted device."""
    transport = transport or ScriptedTransport()
    client = MrpClient(
        transport,
        IDENTITY,
        client_id=IDENTITY.mrp_id,
        timing=timing,
        fetch_artwork=fetch_artwork,
        clock=clock,
    )
    log = Log()
    client.subscribe(log)
    try:
        await client.start()
        yield client, transport, log
    finally:
        await client.close()


def level_of(client: MrpClient) -> float | None:
    return client.volume


def outputs_of(client: MrpClient) -> list[OutputDevice]:
    return list(client.output_devices)


def volume(level: float, uid: str = UID) -> pb.ProtocolMessage:
    message = messages.make(pb.MESSAGE_TYPE_VOLUME_DID_CHANGE)
    message.volume_did_change.volume = level
    message.volume_did_change.output_device_uid = uid
    return message


def volume_controls(capabilities: int) -> pb.ProtocolMessage:
    message = messages.make(pb.MESSAGE_TYPE_VOLUME_CONTROL_AVAILABILITY)
    told = message.volume_control_availability
    told.volume_control_available = True
    told.volume_capabilities = capabilities  # type: ignore[assignment] # open enum
    return message


def info(**fields: object) -> pb.ProtocolMessage:
    message = messages.make(pb.MESSAGE_TYPE_DEVICE_INFO_UPDATE)
    message.device_info.device_uid = UID
    for name, value in fields.items():
        setattr(message.device_info, name, value)
    return message

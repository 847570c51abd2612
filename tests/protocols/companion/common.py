"""What the tests of the Companion link share."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
import contextlib
from dataclasses import dataclass, field
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custom_components.rumpus.protocols.apple.identity import ClientIdentity
from custom_components.rumpus.protocols.companion.client import CompanionClient
from custom_components.rumpus.protocols.companion.connection import Seen
from custom_components.rumpus.protocols.companion.events import CompanionEvent
from custom_components.rumpus.protocols.companion.timing import Timing
from custom_components.rumpus.protocols.errors import RumpusError
from custom_components.rumpus.protocols.hap.credentials import HapCredentials
from custom_components.rumpus.protocols.opack import OpackDict
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_hap import Controller

PATIENT = Timing(hold=0.05, click=0.001, touch=0.002)
"""For what works: nothing of it runs out on a busy computer."""
HASTY = Timing(
    connect=0.6,
    authenticate=0.6,
    request=0.6,
    optional=0.2,
    attention=0.2,
    volume=0.3,
    farewell=0.1,
    hold=0.05,
    click=0.001,
    touch=0.002,
)
"""For what waits in vain."""
WATCHFUL = Timing(quiet=0.1, probe=0.5, farewell=0.1)
"""For devices that fall silent."""

IDENTITY = ClientIdentity.create("Rumpus")


def pair(device: FakeAppleTv) -> HapCredentials:
    """Let a device know us, without a PIN, and return what proves it."""
    key = Ed25519PrivateKey.generate()
    client_id = str(uuid4()).encode()
    controller = Controller(client_id, key.public_key().public_bytes_raw())
    device.desk.paired("companion", controller)
    return HapCredentials(
        ltpk=device.desk.public_key,
        ltsk=key.private_bytes_raw(),
        device_id=device.desk.identifier,
        client_id=client_id,
    )


class Log:
    """The events of a client, and waiting for one."""

    def __init__(self) -> None:
        self.events: list[CompanionEvent] = []
        self._changed = asyncio.Event()

    def __call__(self, event: CompanionEvent) -> None:
        self.events.append(event)
        self._changed.set()

    async def wait_for(
        self, wanted: Callable[[CompanionEvent], bool]
    ) -> CompanionEvent:
        """Return the first event of that kind, and drop all up to it."""
        async with asyncio.timeout(5):
            while True:
                for place, event in enumerate(self.events):
                    if wanted(event):
                        del self.events[: place + 1]
                        return event
                self._changed.clear()
                await self._changed.wait()

    async def get[E: CompanionEvent](self, kind: type[E]) -> E:
        """Return the next event of a type."""
        event = await self.wait_for(lambda event: isinstance(event, kind))
        assert isinstance(event, kind)
        return event


@contextlib.asynccontextmanager
async def client_of(
    device: FakeAppleTv, timing: Timing = PATIENT
) -> AsyncIterator[tuple[CompanionClient, Log]]:
    """Give a client of a device, not connected, and what it tells."""
    client = CompanionClient(
        device.address, device.companion_port, pair(device), IDENTITY, timing=timing
    )
    log = Log()
    client.subscribe(log)
    try:
        yield client, log
    finally:
        await client.close()


type Linked = tuple[CompanionClient, Log]
"""A client and what it tells."""

type Answer = OpackDict | RumpusError


@dataclass
class ScriptedLink:
    """A link without a device: it answers what the test wants, or waits for it."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[tuple[str, OpackDict]] = field(default_factory=list)
    events: list[tuple[str, OpackDict]] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    gate: asyncio.Event | None = None
    """While it is not set no request is answered."""

    async def request(
        self,
        name: str,
        content: OpackDict | None = None,
        *,
        timeout: float | None = None,
        seen: Seen | None = None,
    ) -> OpackDict:
        self.requests.append((name, content or {}))
        if self.gate is not None:
            await self.gate.wait()
        answers = self.answers.get(name)
        answer = answers.pop(0) if answers else {}
        if isinstance(answer, RumpusError):
            raise answer
        if seen is not None:
            seen(answer)
        return answer

    def ask(
        self, name: str, content: OpackDict | None = None, seen: Seen | None = None
    ) -> None:
        self.requests.append((name, content or {}))

    def send_event(self, name: str, content: OpackDict) -> None:
        self.events.append((name, content))

    def spawn(self, job: Coroutine[object, object, None]) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.Task(job, loop=loop, eager_start=True)
        self.tasks.add(task)

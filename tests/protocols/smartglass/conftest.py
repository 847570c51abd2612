"""Fixtures of a console on loopback, and of a client of it."""

from collections.abc import AsyncIterator

import pytest

from .common import CLIENT_UUID, QUICK, Log, Talk, client_of
from custom_components.rumpus.protocols.smartglass.console import Console
from custom_components.rumpus.protocols.smartglass.protocol import SmartglassProtocol
from custom_components.rumpus.protocols.smartglass.session import ToldEvent
from tests.fakes.xbox import FakeConsole


@pytest.fixture
def talk() -> Talk:
    """A session without sockets, and the console's end of it."""
    return Talk()


@pytest.fixture
async def fake(socket_enabled: None) -> AsyncIterator[FakeConsole]:
    """A console on loopback, switched on."""
    async with FakeConsole() as console:
        console.retransmit = (0.05,) * 20
        yield console


@pytest.fixture
async def client(fake: FakeConsole) -> AsyncIterator[tuple[Console, Log]]:
    """A client of it, not connected yet, and what it tells."""
    async with client_of(fake) as made:
        yield made


@pytest.fixture
async def linked(client: tuple[Console, Log]) -> tuple[Console, Log]:
    """The same, connected."""
    await client[0].connect()
    return client


@pytest.fixture
def events() -> list[ToldEvent]:
    return []


@pytest.fixture
async def protocol(
    fake: FakeConsole, events: list[ToldEvent]
) -> AsyncIterator[SmartglassProtocol]:
    """A socket to the console; nothing has been sent."""
    opened = await SmartglassProtocol.open(
        fake.address, fake.port, timing=QUICK, listener=events.append
    )
    yield opened
    await opened.disconnect()


@pytest.fixture
async def joined(fake: FakeConsole, protocol: SmartglassProtocol) -> SmartglassProtocol:
    """The same with a session, and a status."""
    await protocol.connect(client_uuid=CLIENT_UUID)
    await protocol.local_join()
    await fake.wait_for("acked")
    return protocol

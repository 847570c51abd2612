"""Fixtures of a device on loopback, and of a client of it."""

from collections.abc import AsyncIterator

import pytest

from .common import Log, client_of
from custom_components.rumpus.protocols.companion.client import CompanionClient
from tests.fakes.apple_tv import FakeAppleTv


@pytest.fixture
async def device(socket_enabled: None) -> AsyncIterator[FakeAppleTv]:
    """An Apple TV on loopback, awake."""
    async with FakeAppleTv() as fake:
        yield fake


@pytest.fixture
async def client(device: FakeAppleTv) -> AsyncIterator[tuple[CompanionClient, Log]]:
    """A client of it, not connected yet, and what it tells."""
    async with client_of(device) as made:
        yield made


@pytest.fixture
async def linked(client: tuple[CompanionClient, Log]) -> tuple[CompanionClient, Log]:
    """The same, connected."""
    await client[0].connect()
    return client

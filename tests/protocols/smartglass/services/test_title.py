"""The dialogue that leads to a title's stream."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from uuid import UUID

import pytest

from .support import Events, FakeLink, virtual
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
)
from custom_components.rumpus.protocols.smartglass.enums import ActiveSurfaceType
from custom_components.rumpus.protocols.smartglass.messages import (
    ActiveSurfaceChange,
    AuxiliaryStream,
    ConnectionInfo,
    Disconnect,
    Message,
)
from custom_components.rumpus.protocols.smartglass.services.title import (
    INFO_TIMEOUT,
    MAX_TITLE_ID,
    TitleChannel,
    title_uri,
)

GAME = 0x4AE8F9B2
HELLO = AuxiliaryStream()
INFO = ConnectionInfo(bytes(16), bytes(16), bytes(16), bytes(32))
SURFACE = ActiveSurfaceChange(
    ActiveSurfaceType.HTML, 0, 0, UUID(int=0), 1280, 720, bytes(32)
)


@contextlib.asynccontextmanager
async def opened(
    link: FakeLink, events: Events, *answers: Message
) -> AsyncIterator[TitleChannel]:
    """Open the channel of a title that answers so."""
    service = TitleChannel(link, events.append, GAME)
    service.opened()

    def reply(_: Message) -> None:
        for message in answers:
            service.received(message)

    link.reply = reply
    yield service
    service.closed()


@virtual
async def test_hello_and_info(link: FakeLink, events: Events) -> None:
    told = AuxiliaryStream(1, INFO)
    async with opened(link, events, HELLO, told, told) as service:
        assert service.title_id == GAME
        assert await service.connection_info() is INFO
        for info in await asyncio.gather(
            service.connection_info(), service.connection_info()
        ):
            assert info is INFO
    assert link.sent == [HELLO] * 3
    assert all(link.acked)
    assert not events


@virtual
async def test_title_does_not_tell(link: FakeLink, events: Events) -> None:
    async with opened(link, events, HELLO, AuxiliaryStream(1)) as service:
        start = asyncio.get_running_loop().time()
        with pytest.raises(PeerTimeoutError):
            await service.connection_info()
        passed = asyncio.get_running_loop().time() - start
        assert passed == pytest.approx(link.delay + INFO_TIMEOUT)
        with pytest.raises(PeerTimeoutError):
            await service.open_stream()


@virtual
async def test_answer_counts_more_than_the_ack(link: FakeLink, events: Events) -> None:
    async with opened(link, events, AuxiliaryStream(1, INFO)) as service:
        link.errors.append(PeerTimeoutError())
        assert await service.connection_info() is INFO
        link.reply = None
        link.errors.append(PeerTimeoutError())
        with pytest.raises(PeerTimeoutError):
            await service.connection_info()


@virtual
async def test_channel_goes_meanwhile(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        asking = asyncio.create_task(service.connection_info())
        await asyncio.sleep(1)
        service.closed()
        with pytest.raises(DisconnectedError):
            await asking


@virtual
async def test_title_without_an_address(link: FakeLink, events: Events) -> None:
    async with opened(link, events, AuxiliaryStream(1, INFO)) as service:
        with pytest.raises(ProtocolError):
            await service.open_stream()


@virtual
async def test_surface(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        service.received(Disconnect(0, 0))
        service.received(SURFACE)
        assert service.surface is SURFACE
        service.opened()
        assert [service.surface] == [None]


def test_address_of_a_title() -> None:
    assert title_uri(0x18A7B2C3) == "ms-xbl-18A7B2C3://default/"
    assert title_uri(0xA) == "ms-xbl-0000000A://default/"
    assert title_uri(MAX_TITLE_ID) == "ms-xbl-FFFFFFFF://default/"
    for wrong in (-1, MAX_TITLE_ID + 1):
        with pytest.raises(ProtocolError):
            title_uri(wrong)

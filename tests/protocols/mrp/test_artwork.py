import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.apple.models import Artwork
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
)
from custom_components.rumpus.protocols.mrp import messages
from custom_components.rumpus.protocols.mrp.artwork import (
    DEFAULT_TYPE,
    MAX_ARTWORK,
    MAX_CACHED,
    MAX_PIXELS,
    MAX_TRIES,
    _is_address,
    fill_template,
)
from custom_components.rumpus.protocols.mrp.events import ArtworkChanged
from custom_components.rumpus.protocols.mrp.link import (
    ARTWORK_NOTIFICATION,
    MAX_NOTIFICATIONS,
)
from custom_components.rumpus.protocols.mrp.metadata import MAX_IDENTIFIER, MAX_URL
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.protocols.mrp.common import HASTY, ScriptedTransport, scripted

APP = "com.example.tv"
TEMPLATE = "https://example.com/{w}x{h}{c}.{f}"


def play(
    transport: ScriptedTransport, identifier: str = "id1", **metadata: Any
) -> None:
    """Let the device play something with a picture."""
    active = messages.make(pb.MESSAGE_TYPE_SET_NOW_PLAYING_CLIENT)
    active.set_now_playing_client.client.bundle_identifier = APP
    state = messages.make(pb.MESSAGE_TYPE_SET_STATE)
    state.set_state.player_path.client.bundle_identifier = APP
    state.set_state.playback_queue.content_items.add(
        identifier=identifier,
        metadata=pb.ContentItemMetadata(artwork_available=True, **metadata),
    )
    transport.push(active, state)


def give(transport: ScriptedTransport, *items: pb.ContentItem) -> None:
    """Let the device answer with items."""
    answer = messages.make(pb.MESSAGE_TYPE_SET_STATE)
    answer.set_state.playback_queue.content_items.extend(items)
    transport.answers[pb.MESSAGE_TYPE_PLAYBACK_QUEUE_REQUEST] = lambda _: answer


def requests_of(transport: ScriptedTransport) -> list[tuple[int, float, float]]:
    """Return what the device was asked for: index, width and height."""
    return [
        (request.location, request.artwork_width, request.artwork_height)
        for request in (
            message.playback_queue_request
            for message in transport.of(pb.MESSAGE_TYPE_PLAYBACK_QUEUE_REQUEST)
        )
    ]


class Web:
    """Has pictures, or not."""

    def __init__(self, *answers: tuple[bytes, str] | None) -> None:
        self.answers = list(answers)
        self.urls: list[str] = []

    async def __call__(self, url: str) -> tuple[bytes, str] | None:
        self.urls.append(url)
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("template", "width", "height", "url"),
    [
        (TEMPLATE, 100, 200, "https://example.com/100x200bb.png"),
        (TEMPLATE, 0, -1, "https://example.com/999999x999999bb.png"),
        ("plain", 1, 1, "plain"),
        ("{w}{w}{}", 1, 1, None),
        ("{x}", 1, 1, None),
        ("{w", 1, 1, "{w"),
        ("", 1, 1, ""),
    ],
)
def test_templates(template: str, width: int, height: int, url: str | None) -> None:
    assert fill_template(template, width, height) == url


def test_the_length_of_an_address_is_bounded() -> None:
    assert _is_address("http://host/".ljust(MAX_URL, "x"))
    assert not _is_address("http://host/".ljust(MAX_URL + 1, "x"))


@given(st.text(alphabet="{}whcfx0"), st.integers(), st.integers())
def test_any_template(template: str, width: int, height: int) -> None:
    url = fill_template(template, width, height)
    assert url is None or len(url) >= 0


async def test_from_the_device() -> None:
    async with scripted() as (client, transport, _):
        assert await client.artwork() is None
        play(transport, artwork_mime_type="image/png")
        give(
            transport,
            pb.ContentItem(
                artwork_data=b"data", artwork_data_width=3, artwork_data_height=4
            ),
        )
        assert await client.artwork() == Artwork(b"data", "image/png", 3, 4)
        await client.artwork(0, 0)
        await client.artwork(10 * MAX_PIXELS, 10 * MAX_PIXELS)
        assert requests_of(transport) == [
            (0, 512, -1),
            (0, 0, -1),
            (0, MAX_PIXELS, MAX_PIXELS),
        ]


async def test_of_the_item_that_is_played() -> None:
    """A device may send the one item alone, or all of them."""
    async with scripted() as (client, transport, _):
        play(transport)
        state = messages.make(pb.MESSAGE_TYPE_SET_STATE)
        state.set_state.player_path.client.bundle_identifier = APP
        queue = state.set_state.playback_queue
        queue.location = 1
        for number in range(2):
            queue.content_items.add(identifier=f"id{number}")
        queue.content_items[1].metadata.artwork_available = True
        transport.push(state)
        one, two = (pb.ContentItem(artwork_data=data) for data in (b"1", b"2"))
        give(transport, one)
        assert await client.artwork() == Artwork(b"1", DEFAULT_TYPE)
        give(transport, one, two)
        assert await client.artwork(1) == Artwork(b"2", DEFAULT_TYPE)
        assert requests_of(transport)[0][0] == 1


async def test_no_picture_is_asked_for_again() -> None:
    async with scripted() as (client, transport, _):
        play(transport)
        give(transport)
        assert await client.artwork() is None
        give(transport, pb.ContentItem())
        assert await client.artwork() is None
        long = "x" * (MAX_IDENTIFIER + 1)
        item = pb.ContentItem(artwork_data=b"late")
        item.metadata.artwork_mime_type = long
        give(transport, item)
        assert await client.artwork() == Artwork(b"late", long[:MAX_IDENTIFIER])


async def test_the_addresses_go_first() -> None:
    web = Web(None, (b"two", "image/webp"))
    async with scripted(fetch_artwork=web) as (client, transport, _):
        play(transport, artwork_identifier=TEMPLATE, artwork_url="http://host/a.png")
        assert await client.artwork(7, 9) == Artwork(b"two", "image/webp", 7, 9)
        assert web.urls == ["https://example.com/7x9bb.png", "http://host/a.png"]
        assert not requests_of(transport)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://host/a",
        "http://",
        "http://[",
        "nothing",
        "x" * MAX_URL,
        "http://" + "x" * MAX_URL,
    ],
)
async def test_what_is_no_address_is_not_fetched(url: str) -> None:
    web = Web()
    async with scripted(fetch_artwork=web) as (client, transport, _):
        play(transport, artwork_identifier="{x}", artwork_url=url)
        give(transport, pb.ContentItem(artwork_data=b"data"))
        assert await client.artwork() == Artwork(b"data", DEFAULT_TYPE)
    assert not web.urls


async def test_a_fetch_that_fails() -> None:
    async def fail(url: str) -> tuple[bytes, str] | None:
        raise OSError("no route")

    async with scripted(fetch_artwork=fail) as (client, transport, _):
        play(transport, artwork_url="http://host/a.png")
        give(transport, pb.ContentItem(artwork_data=b"data"))
        assert await client.artwork() == Artwork(b"data", DEFAULT_TYPE)


async def test_no_picture_at_all() -> None:
    async with scripted() as (client, transport, _):
        play(transport, artwork_mime_type="image/none")
        assert await client.artwork() is None
        assert not requests_of(transport)


async def test_the_size_of_a_picture_is_bounded() -> None:
    large = bytes(MAX_ARTWORK + 1)
    web = Web((large, "image/png"), (b"", "image/png"))
    async with scripted(fetch_artwork=web) as (client, transport, _):
        play(transport, artwork_identifier=TEMPLATE, artwork_url="http://host/a.png")
        give(transport, pb.ContentItem(artwork_data=large))
        assert await client.artwork() is None
        assert len(web.urls) == 2


async def test_pictures_are_kept_by_id_and_size() -> None:
    async with scripted() as (client, transport, _):
        give(transport, pb.ContentItem(artwork_data=b"data"))
        for number in range(MAX_CACHED):
            play(transport, f"id{number}")
            assert await client.artwork(1) is await client.artwork(1)
        play(transport, "id0")
        await client.artwork(1)  # kept, and the newest now
        assert len(requests_of(transport)) == MAX_CACHED
        await client.artwork(2)
        assert len(requests_of(transport)) == MAX_CACHED + 1
        play(transport, "id1")
        await client.artwork(1)  # the oldest had to go
        assert len(requests_of(transport)) == MAX_CACHED + 2
        play(transport, "id0")
        await client.artwork(1)
        assert len(requests_of(transport)) == MAX_CACHED + 2


async def test_another_picture_of_the_same_item() -> None:
    async with scripted() as (client, transport, _):
        play(transport)
        give(transport, pb.ContentItem(artwork_data=b"old"))
        await client.artwork()
        play(transport, "id2")
        await client.artwork()
        play(transport)
        give(transport, pb.ContentItem(artwork_data=b"new"))
        message = messages.make(pb.MESSAGE_TYPE_UPDATE_CONTENT_ITEM_ARTWORK)
        message.update_content_item_artwork.content_items.add(identifier="id1")
        transport.push(message)
        assert await client.artwork() == Artwork(b"new", DEFAULT_TYPE)
        play(transport, "id2")
        assert await client.artwork() == Artwork(b"old", DEFAULT_TYPE)


async def test_a_picture_that_comes_later() -> None:
    async with scripted() as (client, transport, log):
        play(transport)
        give(transport, pb.ContentItem(artwork_data=b"old"))
        await client.artwork()
        assert not log.of(ArtworkChanged)
        # Now it is somewhere else, and everything else is as it was.
        play(transport, artwork_mime_type="image/png")
        play(transport, artwork_mime_type="image/png")
        assert log.of(ArtworkChanged) == [ArtworkChanged()]
        give(transport, pb.ContentItem(artwork_data=b"new"))
        assert await client.artwork() == Artwork(b"new", "image/png")
        play(transport, "id2")
        assert len(log.of(ArtworkChanged)) == 1


async def test_notifications_of_another_picture() -> None:
    async with scripted() as (client, transport, log):
        message = messages.make(pb.MESSAGE_TYPE_NOTIFICATION)
        message.notification.notification.append(ARTWORK_NOTIFICATION)
        transport.push(message)
        play(transport)
        assert not log.of(ArtworkChanged)
        give(transport, pb.ContentItem(artwork_data=b"old"))
        await client.artwork()
        transport.push(message)
        assert log.of(ArtworkChanged) == [ArtworkChanged()]
        give(transport, pb.ContentItem(artwork_data=b"new"))
        assert await client.artwork() == Artwork(b"new", DEFAULT_TYPE)


async def test_the_number_of_notifications_is_bounded() -> None:
    async with scripted() as (_, transport, log):
        play(transport)
        message = messages.make(pb.MESSAGE_TYPE_NOTIFICATION)
        names = message.notification.notification
        names.extend([*["x"] * MAX_NOTIFICATIONS, ARTWORK_NOTIFICATION])
        transport.push(message)
        assert not log.of(ArtworkChanged)
        del names[0]
        transport.push(message)
        assert log.of(ArtworkChanged) == [ArtworkChanged()]


class Slow:
    """A device that does something before it gives the picture that it was asked for."""

    def __init__(
        self, transport: ScriptedTransport, *deeds: Callable[[], None]
    ) -> None:
        self._deeds = list(deeds)
        transport.answers[pb.MESSAGE_TYPE_PLAYBACK_QUEUE_REQUEST] = self

    def __call__(self, _: pb.ProtocolMessage) -> pb.ProtocolMessage:
        number = len(self._deeds)
        if self._deeds:
            self._deeds.pop(0)()
        answer = messages.make(pb.MESSAGE_TYPE_SET_STATE)
        answer.set_state.playback_queue.content_items.add(
            artwork_data=f"{number}".encode()
        )
        return answer


async def test_something_else_is_played_meanwhile() -> None:
    async with scripted() as (client, transport, _):
        play(transport)
        Slow(transport, lambda: play(transport, "id2"))
        assert await client.artwork() == Artwork(b"0", DEFAULT_TYPE)
        assert len(requests_of(transport)) == 2
        # What came for the first one is nobody's.
        play(transport)
        await client.artwork()
        assert len(requests_of(transport)) == 3


async def test_there_is_another_picture_meanwhile() -> None:
    async with scripted() as (client, transport, _):
        play(transport)
        message = messages.make(pb.MESSAGE_TYPE_UPDATE_CONTENT_ITEM_ARTWORK)
        message.update_content_item_artwork.content_items.add(identifier="id1")
        Slow(transport, lambda: transport.push(message))
        assert await client.artwork() == Artwork(b"0", DEFAULT_TYPE)


async def test_a_picture_that_comes_too_late_is_no_queue() -> None:
    async with scripted(timing=HASTY) as (client, transport, _):
        play(transport, title="one")
        with pytest.raises(PeerTimeoutError):
            await client.artwork()
        (request,) = transport.of(pb.MESSAGE_TYPE_PLAYBACK_QUEUE_REQUEST)
        answer = messages.make(pb.MESSAGE_TYPE_SET_STATE)
        answer.identifier = request.identifier
        answer.set_state.player_path.client.bundle_identifier = APP
        answer.set_state.playback_queue.content_items.add(artwork_data=b"late")
        transport.push(answer)
        assert client.playing.title == "one"


async def test_the_number_of_tries_is_bounded() -> None:
    async with scripted() as (client, transport, _):
        play(transport)
        Slow(
            transport,
            *(lambda name=f"id{n}": play(transport, name) for n in range(2, 99)),
        )
        assert await client.artwork() is None
        assert len(requests_of(transport)) == MAX_TRIES


async def test_two_at_once_are_one_request() -> None:
    async with scripted() as (client, transport, _):
        play(transport)
        give(transport, pb.ContentItem(artwork_data=b"data"))
        one, other = await asyncio.gather(client.artwork(), client.artwork())
        assert one is other
        assert len(requests_of(transport)) == 1


async def test_the_connection_ends_meanwhile() -> None:
    async with scripted() as (client, transport, _):
        play(transport)
        asking = asyncio.create_task(client.artwork())
        transport.asked.clear()
        await transport.asked.wait()
        transport.end()
        with pytest.raises(DisconnectedError):
            await asking

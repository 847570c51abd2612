"""What plays, and commands for it."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from dataclasses import replace
import math

from hypothesis import given, strategies as st
import pytest

from .support import Events, FakeLink, virtual
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.smartglass.enums import (
    MediaControlCommand as Command,
    MediaType,
    PlaybackStatus,
    ResultCode,
    SoundLevel,
)
from custom_components.rumpus.protocols.smartglass.errors import RejectedError
from custom_components.rumpus.protocols.smartglass.events import MediaChanged
from custom_components.rumpus.protocols.smartglass.messages import (
    Disconnect,
    MediaCommand,
    MediaCommandResult,
    MediaControllerRemoved,
    MediaState,
    Message,
    MetadataEntry,
)
from custom_components.rumpus.protocols.smartglass.services.media import (
    RESULT_TIMEOUT,
    MediaService,
)
from custom_components.rumpus.protocols.smartglass.services.media_models import (
    MAX_DURATION,
    MAX_METADATA,
    MAX_METADATA_NAME,
    MAX_METADATA_VALUE,
    MAX_PICTURE_URL,
    MAX_RATE,
    MAX_TICKS,
    TICKS,
    Media,
)

ALL = Command(0xFFFE)
NOTHING = Command(0)
STATE = MediaState(
    title_id=413643459,
    aum_id="Example.Player_abc!App",
    asset_id="asset-42",
    media_type=MediaType.VIDEO,
    sound_level=SoundLevel.FULL,
    enabled_commands=ALL,
    playback_status=PlaybackStatus.PLAYING,
    rate=1.0,
    position=123 * TICKS,
    media_start=0,
    media_end=3600 * TICKS,
    min_seek=0,
    max_seek=3600 * TICKS,
    metadata=(MetadataEntry("title", "Überschrift"), MetadataEntry("subtitle", "")),
)


@contextlib.asynccontextmanager
async def opened(
    link: FakeLink, events: Events, state: MediaState | None = STATE
) -> AsyncIterator[MediaService]:
    """Open the channel with something that plays; its results are all successes."""
    service = MediaService(link, events.append)
    service.opened()

    def succeed(message: Message) -> None:
        if isinstance(message, MediaCommand):
            service.received(MediaCommandResult(message.request_id, ResultCode.SUCCESS))

    link.reply = succeed
    if state is not None:
        service.received(state)
        events.clear()
    yield service
    service.closed()


def commands(link: FakeLink) -> list[Command]:
    return [message.command for message in link.of(MediaCommand)]


# The model.


def test_media_says_what_the_message_said() -> None:
    media = Media.from_message(STATE, 50.0)
    assert (media.title_id, media.aum_id, media.asset_id) == (
        413643459,
        "Example.Player_abc!App",
        "asset-42",
    )
    assert (media.media_type, media.sound_level) == (MediaType.VIDEO, SoundLevel.FULL)
    assert (media.enabled_commands, media.rate) == (ALL, 1.0)
    assert (media.duration, media.min_seek, media.max_seek) == (3600, 0, 3600)
    assert (media.position, media.updated_at) == (123, 50)
    assert (media.title, media.subtitle) == ("Überschrift", None)
    assert dict(media.metadata) == {"title": "Überschrift", "subtitle": ""}
    assert media.picture_url is None
    assert "asset-42" not in repr(media)
    assert hash(media) == hash(Media.from_message(STATE, 50.0))


@pytest.mark.parametrize(
    ("changes", "elapsed", "expected"),
    [
        ({}, 10, 133),
        ({}, -10, 123),
        ({}, 4000, 3600),
        ({"rate": 2.0}, 10, 143),
        ({"rate": -8.0}, 100, 0),
        ({"rate": math.nan}, 10, 123),
        ({"rate": math.inf}, 10, 123),
        ({"rate": MAX_RATE}, 1, 187),
        ({"rate": MAX_RATE + 1}, 1, 123),
        ({"playback_status": PlaybackStatus.PAUSED}, 10, 123),
        ({"playback_status": 77}, 10, 123),
        ({"media_end": 0}, 4000, 4123),
        ({"media_start": 100 * TICKS}, 10, 33),
        ({"media_start": 500 * TICKS}, 10, 10),
        ({"media_start": 500 * TICKS, "rate": 0.0}, 10, 0),
        ({"position": 4000 * TICKS}, 10, 3600),
    ],
)
def test_position_moves_while_playing_and_stays_in_the_medium(
    changes: dict[str, float], elapsed: float, expected: float
) -> None:
    media = Media.from_message(replace(STATE, **changes), 50.0)  # type: ignore[arg-type]
    assert media.position_at(50.0 + elapsed) == pytest.approx(expected)


def test_limit_of_the_duration() -> None:
    """What is live has no end, which some players write as the latest there is."""
    for end, expected in (
        (MAX_DURATION * TICKS, MAX_DURATION),
        (MAX_DURATION * TICKS + TICKS, None),
        (2**63 - 1, None),
        (MAX_TICKS, None),
    ):
        state = replace(STATE, media_end=end, max_seek=end, position=5 * TICKS)
        media = Media.from_message(state, 0.0)
        assert (media.duration, media.position_at(5.0)) == (expected, 10)


def test_limit_of_the_rate() -> None:
    for rate, expected in ((MAX_RATE, MAX_RATE), (MAX_RATE + 1, 0), (-MAX_RATE - 1, 0)):
        assert Media.from_message(replace(STATE, rate=rate), 0.0).rate == expected


@given(
    st.integers(0, MAX_TICKS),
    st.integers(0, MAX_TICKS),
    st.integers(0, MAX_TICKS),
    st.floats(width=32),
    st.floats(0, 1e9),
)
def test_position_is_within_the_medium_whatever_comes(
    position: int, start: int, end: int, rate: float, elapsed: float
) -> None:
    state = replace(
        STATE, position=position, media_start=start, media_end=end, rate=rate
    )
    media = Media.from_message(state, 0.0)
    longest = math.inf if media.duration is None else media.duration
    assert 0 <= media.position <= longest
    assert 0 <= media.position_at(elapsed) <= longest


def with_metadata(**entries: str) -> Media:
    metadata = tuple(MetadataEntry(name, value) for name, value in entries.items())
    return Media.from_message(replace(STATE, metadata=metadata), 0.0)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("ImageUrl", "https://img.example/a.png?x=1"),
        ("thumbnail_url", "http://img.example/a.png"),
        ("Album-Art", "https://img.example:8443/a.png"),
    ],
)
def test_picture_with_a_plausible_name(name: str, url: str) -> None:
    assert with_metadata(**{name: url}).picture_url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.png",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https:///a.png",
        "https://user:secret@img.example/a.png",
        "https://img.example/a b.png",
        "https://img.example/\n",
        "https://[::1/a.png",
    ],
)
def test_picture_that_is_no_web_address(url: str) -> None:
    assert with_metadata(image=url).picture_url is None
    second = with_metadata(image=url, cover="https://img.example/b.png")
    assert second.picture_url == "https://img.example/b.png"


def test_limit_of_picture_urls() -> None:
    longest = "https://a/".ljust(MAX_PICTURE_URL, "x")
    assert with_metadata(image=longest).picture_url == longest
    assert with_metadata(image=longest + "x").picture_url is None


def test_limit_of_metadata() -> None:
    names = [f"n{number}" for number in range(MAX_METADATA + 1)]
    media = with_metadata(**dict.fromkeys(names, "v"))
    assert list(media.metadata) == names[:-1]
    pictured = with_metadata(**dict.fromkeys(names[:-1], "v"), image="https://a/")
    assert pictured.picture_url is None


def test_limit_of_metadata_names_and_values() -> None:
    longest = "n" * MAX_METADATA_NAME
    media = with_metadata(
        **{longest: "v" * (MAX_METADATA_VALUE + 1), longest + "n": "v"}
    )
    assert dict(media.metadata) == {longest: "v" * MAX_METADATA_VALUE}
    assert with_metadata(**{"_" * 58 + "image": "https://a/"}).picture_url is not None
    assert with_metadata(**{"_" * 60 + "image": "https://a/"}).picture_url is None


# States.


@virtual
async def test_states_come_and_go(link: FakeLink, events: Events) -> None:
    async with opened(link, events, None) as service:
        service.received(STATE)
        playing = service.current
        assert playing is not None
        assert playing.updated_at == asyncio.get_running_loop().time()
        service.received(MediaControllerRemoved(1))
        assert service.current is playing
        service.received(Disconnect(0, 0))
        service.received(MediaControllerRemoved(STATE.title_id))
        service.received(MediaControllerRemoved(STATE.title_id))
        assert events == [MediaChanged(playing), MediaChanged(None)]


@virtual
async def test_nothing_is_known_without_a_channel(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        service.closed()
        assert service.current is None
        assert not events
        with pytest.raises(UnsupportedError):
            await service.command(Command.PLAY)
        assert not service.supports(Command.PLAY)


# Commands.


@virtual
async def test_commands_are_numbered_and_addressed(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        await service.command(Command.PAUSE)
        await service.command(Command.NEXT_TRACK)
        await service.seek(60)
    assert link.sent == [
        MediaCommand(1, STATE.title_id, Command.PAUSE),
        MediaCommand(2, STATE.title_id, Command.NEXT_TRACK),
        MediaCommand(3, STATE.title_id, Command.SEEK, 60 * TICKS),
    ]
    assert all(link.acked)


@pytest.mark.parametrize(
    ("status", "enabled", "wanted", "sent"),
    [
        (PlaybackStatus.PAUSED, Command.PLAY, Command.PLAY, [Command.PLAY]),
        (
            PlaybackStatus.PAUSED,
            Command.PLAY_PAUSE_TOGGLE,
            Command.PLAY,
            [Command.PLAY_PAUSE_TOGGLE],
        ),
        (PlaybackStatus.PLAYING, Command.PLAY_PAUSE_TOGGLE, Command.PLAY, []),
        (
            PlaybackStatus.PLAYING,
            Command.PLAY_PAUSE_TOGGLE,
            Command.PAUSE,
            [Command.PLAY_PAUSE_TOGGLE],
        ),
        (PlaybackStatus.PAUSED, Command.PLAY_PAUSE_TOGGLE, Command.PAUSE, []),
        (
            PlaybackStatus.PLAYING,
            Command.PLAY | Command.PAUSE,
            Command.PLAY_PAUSE_TOGGLE,
            [Command.PAUSE],
        ),
        (
            PlaybackStatus.STOPPED,
            Command.PLAY | Command.PAUSE,
            Command.PLAY_PAUSE_TOGGLE,
            [Command.PLAY],
        ),
    ],
)
def test_substitutes(
    status: PlaybackStatus, enabled: Command, wanted: Command, sent: list[Command]
) -> None:
    link, events = FakeLink(), Events()
    state = replace(STATE, playback_status=status, enabled_commands=enabled)

    @virtual
    async def scenario() -> None:
        async with opened(link, events, state) as service:
            assert service.supports(wanted)
            await service.command(wanted)

    scenario()
    assert commands(link) == sent


@pytest.mark.parametrize(
    ("enabled", "wanted"),
    [
        (NOTHING, Command.PLAY),
        (Command.PLAY, Command.PAUSE),
        (Command.PLAY, Command.PLAY_PAUSE_TOGGLE),
        (ALL & ~Command.STOP, Command.STOP),
    ],
)
def test_commands_that_are_not_enabled(enabled: Command, wanted: Command) -> None:
    link, events = FakeLink(), Events()

    @virtual
    async def scenario() -> None:
        state = replace(STATE, enabled_commands=enabled)
        async with opened(link, events, state) as service:
            assert not service.supports(wanted)
            with pytest.raises(UnsupportedError):
                await service.command(wanted)

    scenario()
    assert not link.sent


@virtual
async def test_not_one_command(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        for wrong in (NOTHING, Command.PLAY | Command.STOP, Command.SEEK):
            with pytest.raises(ProtocolError):
                await service.command(wrong)
    assert not link.sent


@virtual
async def test_bad_result(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:

        def fail(message: Message) -> None:
            assert isinstance(message, MediaCommand)
            service.received(MediaCommandResult(99, ResultCode.SUCCESS))
            service.received(
                MediaCommandResult(message.request_id, ResultCode.INVALID_STATE)
            )
            service.received(MediaCommandResult(message.request_id, 0))

        link.reply = fail
        with pytest.raises(RejectedError) as raised:
            await service.command(Command.PLAY)
        assert raised.value.result == ResultCode.INVALID_STATE


@virtual
async def test_missing_result_is_no_failure(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        link.reply = None
        start = asyncio.get_running_loop().time()
        await service.command(Command.PLAY)
        passed = asyncio.get_running_loop().time() - start
        assert passed == pytest.approx(link.delay + RESULT_TIMEOUT)


@virtual
async def test_missing_ack_is_a_failure(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        link.reply = None
        link.errors.append(PeerTimeoutError())
        with pytest.raises(PeerTimeoutError):
            await service.command(Command.PLAY)


@virtual
async def test_results_are_matched_by_their_number(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        link.reply = None
        both = [
            asyncio.create_task(service.command(Command.PLAY)),
            asyncio.create_task(service.command(Command.STOP)),
        ]
        await asyncio.sleep(link.delay / 2)
        service.received(MediaCommandResult(2, ResultCode.SUCCESS))
        service.received(MediaCommandResult(1, ResultCode.FAIL))
        first, second = await asyncio.gather(*both, return_exceptions=True)
        assert isinstance(first, RejectedError)
        assert second is None


@virtual
async def test_channel_goes_while_a_result_is_waited_for(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        link.reply = None
        old = asyncio.create_task(service.command(Command.PLAY))
        await asyncio.sleep(2 * link.delay)
        service.opened()
        service.received(STATE)
        new = asyncio.create_task(service.command(Command.STOP))
        with pytest.raises(DisconnectedError):
            await old
        # What comes late for the old session is not taken for the new one's.
        service.received(MediaCommandResult(1, ResultCode.SUCCESS))
        service.received(MediaCommandResult(2, ResultCode.FAIL))
        with pytest.raises(RejectedError):
            await new
    assert [message.request_id for message in link.of(MediaCommand)] == [1, 2]


# Seeking.


@pytest.mark.parametrize(
    ("changes", "seconds", "ticks"),
    [
        ({}, 0, 0),
        ({}, 60.5, 605_000_000),
        ({}, -5, 0),
        ({}, 5000, 3600 * TICKS),
        ({"min_seek": 10 * TICKS}, 5, 10 * TICKS),
        ({"media_start": 100 * TICKS, "min_seek": 110 * TICKS}, 5, 110 * TICKS),
        ({"media_start": 100 * TICKS}, 60, 160 * TICKS),
        ({"min_seek": 0, "max_seek": 0}, 5000, 5000 * TICKS),
        ({"min_seek": 0, "max_seek": 0}, -5, 0),
        ({"min_seek": 0, "max_seek": 0}, 1e15, MAX_TICKS),
    ],
)
def test_seek_stays_within_its_bounds(
    changes: dict[str, int], seconds: float, ticks: int
) -> None:
    link, events = FakeLink(), Events()

    @virtual
    async def scenario() -> None:
        state = replace(STATE, **changes)  # type: ignore[arg-type]
        async with opened(link, events, state) as service:
            await service.seek(seconds)

    scenario()
    assert [message.seek_position for message in link.of(MediaCommand)] == [ticks]


@virtual
async def test_seek_that_is_not_possible(link: FakeLink, events: Events) -> None:
    state = replace(STATE, enabled_commands=ALL & ~Command.SEEK)
    async with opened(link, events, state) as service:
        with pytest.raises(UnsupportedError):
            await service.seek(1)
        with pytest.raises(ProtocolError):
            await service.seek(math.nan)
        service.received(MediaControllerRemoved(STATE.title_id))
        with pytest.raises(UnsupportedError):
            await service.seek(1)
    assert not link.sent

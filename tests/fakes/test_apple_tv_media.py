"""What the fake Apple TV plays: its model, its pictures, its evening."""

import asyncio
from collections.abc import AsyncIterator
import struct
import time

import aiohttp
import pytest

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_artwork import picture, png
from tests.fakes.apple_tv_evening import FILMS, MUSIC, TV, Evening, episode, film, songs
from tests.fakes.apple_tv_media import MediaModel
from tests.fakes.apple_tv_models import (
    COCOA_EPOCH,
    DEFAULT_PLAYER,
    FILM_COMMANDS,
    MUSIC_COMMANDS,
    FakeCommand,
    FakeItem,
    FakePlayer,
    cocoa,
    item_message,
)

NOTHING = pb.CommandOptions()


@pytest.fixture
def told() -> list[pb.ProtocolMessage]:
    return []


@pytest.fixture
def media(told: list[pb.ProtocolMessage]) -> MediaModel:
    return MediaModel(told.append)


@pytest.fixture
def music(media: MediaModel, told: list[pb.ProtocolMessage]) -> FakePlayer:
    player = media.play(MUSIC[0], *songs(), name=MUSIC[1], commands=MUSIC_COMMANDS)
    told.clear()
    return player


def test_play_tells_all(media: MediaModel, told: list[pb.ProtocolMessage]) -> None:
    before = time.time()
    media.play(FILMS[0], film(), name=FILMS[1], position=60.0)
    state, front = told
    assert state.type == pb.MESSAGE_TYPE_SET_STATE
    assert state.set_state.playback_state == pb.PLAYBACK_STATE_PLAYING
    assert state.set_state.player_path.client.bundle_identifier == FILMS[0]
    assert state.set_state.player_path.player.identifier == DEFAULT_PLAYER
    (item,) = state.set_state.playback_queue.content_items
    assert item.metadata.title == "The Long Loopback"
    assert item.metadata.elapsed_time == 60.0
    assert item.metadata.playback_rate == 1.0
    assert item.metadata.elapsed_time_timestamp + COCOA_EPOCH >= before
    assert not item.metadata.HasField("track_artist_name")
    commands = state.set_state.supported_commands.supported_commands
    assert {info.command for info in commands} == set(FILM_COMMANDS)
    assert front.set_now_playing_client.client.display_name == FILMS[1]


def test_nothing_plays(media: MediaModel) -> None:
    assert media.player is None
    assert media.item is None
    assert media.picture is None
    assert media.command(pb.COMMAND_PLAY, NOTHING) == pb.SEND_ERROR_NO_COMMAND_HANDLERS
    (message,) = media.messages()
    assert message.HasField("set_now_playing_client")
    assert not message.set_now_playing_client.client.HasField("bundle_identifier")


def test_times_on_the_wire() -> None:
    assert cocoa(978307200 + 5) == 5.0


def test_position() -> None:
    player = FakePlayer(items=[film()])
    assert player.position() == 0.0
    player.move(pb.PLAYBACK_STATE_PLAYING, 100.0)
    assert player.measured_at is not None
    player.measured_at -= 10.0
    assert 110.0 <= player.position() < 120.0
    player.move(pb.PLAYBACK_STATE_PAUSED)
    assert (player.rate, 110.0 <= player.elapsed < 120.0) == (0.0, True)
    player.move(position=100000.0)
    assert player.position() == 6840.0
    assert FakePlayer().item is None


def test_item_of_another_kind() -> None:
    player = FakePlayer(rate=None)
    item = FakeItem("i", more={"radio_station_name": "Radio", "is_always_live": True})
    metadata = item_message(item, player).metadata
    assert metadata.radio_station_name == "Radio"
    assert metadata.is_always_live
    assert not metadata.HasField("playback_rate")
    assert not metadata.HasField("elapsed_time_timestamp")


@pytest.mark.parametrize(
    ("command", "state"),
    [
        (pb.COMMAND_PLAY, pb.PLAYBACK_STATE_PLAYING),
        (pb.COMMAND_PAUSE, pb.PLAYBACK_STATE_PAUSED),
        (pb.COMMAND_TOGGLE_PLAY_PAUSE, pb.PLAYBACK_STATE_PAUSED),
        (pb.COMMAND_STOP, pb.PLAYBACK_STATE_STOPPED),
    ],
)
def test_states_by_command(
    media: MediaModel,
    music: FakePlayer,
    told: list[pb.ProtocolMessage],
    command: pb.Command,
    state: pb.PlaybackState,
) -> None:
    assert media.command(command, NOTHING) == pb.SEND_ERROR_NO_ERROR
    assert music.state == state
    (message,) = told
    assert message.set_state.playback_state == state
    if command == pb.COMMAND_TOGGLE_PLAY_PAUSE:
        media.command(command, NOTHING)
        assert music.is_playing


def test_tracks(media: MediaModel, music: FakePlayer) -> None:
    media.command(pb.COMMAND_NEXT_TRACK, NOTHING)
    assert media.item is not None
    assert media.item.title == "Sliding Window"
    media.command(pb.COMMAND_PREVIOUS_TRACK, NOTHING)
    assert media.item.title == "Retransmit"
    media.command(pb.COMMAND_PREVIOUS_TRACK, NOTHING)
    assert music.location == 0
    music.location = 3
    music.move(position=30.0)
    media.command(pb.COMMAND_PREVIOUS_TRACK, NOTHING)
    assert (music.location, music.elapsed) == (3, 0.0)
    media.command(pb.COMMAND_NEXT_TRACK, NOTHING)
    assert (music.location, music.state) == (3, pb.PLAYBACK_STATE_STOPPED)
    music.repeat = pb.REPEAT_MODE_ALL
    media.command(pb.COMMAND_NEXT_TRACK, NOTHING)
    assert music.location == 0


def test_positions_by_command(media: MediaModel, music: FakePlayer) -> None:
    music.move(pb.PLAYBACK_STATE_PAUSED, 20.0)
    seek = pb.CommandOptions(playback_position=90.0)
    media.command(pb.COMMAND_SEEK_TO_PLAYBACK_POSITION, seek)
    assert music.elapsed == 90.0
    media.command(pb.COMMAND_SKIP_FORWARD, pb.CommandOptions(skip_interval=10.0))
    assert music.elapsed == 100.0
    media.command(pb.COMMAND_SKIP_BACKWARD, NOTHING)
    assert music.elapsed == 85.0
    media.command(pb.COMMAND_SKIP_BACKWARD, pb.CommandOptions(skip_interval=200.0))
    assert music.elapsed == 0.0
    media.command(pb.COMMAND_SKIP_FORWARD, pb.CommandOptions(skip_interval=9000.0))
    assert music.elapsed == songs()[0].duration


def test_modes_by_command(
    media: MediaModel, music: FakePlayer, told: list[pb.ProtocolMessage]
) -> None:
    invalid = pb.SEND_ERROR_INVALID_OPTIONS
    assert media.command(pb.COMMAND_CHANGE_SHUFFLE_MODE, NOTHING) == invalid
    assert media.command(pb.COMMAND_CHANGE_REPEAT_MODE, NOTHING) == invalid
    shuffle = pb.CommandOptions(shuffle_mode=pb.SHUFFLE_MODE_ALBUMS)
    media.command(pb.COMMAND_CHANGE_SHUFFLE_MODE, shuffle)
    repeat = pb.CommandOptions(repeat_mode=pb.REPEAT_MODE_ONE)
    media.command(pb.COMMAND_CHANGE_REPEAT_MODE, repeat)
    infos = told[-1].set_state.supported_commands.supported_commands
    modes = {info.command: info for info in infos}
    shuffled = modes[pb.COMMAND_CHANGE_SHUFFLE_MODE].shuffle_mode
    assert shuffled == pb.SHUFFLE_MODE_ALBUMS
    assert modes[pb.COMMAND_CHANGE_REPEAT_MODE].repeat_mode == pb.REPEAT_MODE_ONE


def test_commands_that_are_not_there(media: MediaModel, music: FakePlayer) -> None:
    not_supported = pb.SEND_ERROR_NOT_SUPPORTED
    assert media.command(pb.COMMAND_LIKE_TRACK, NOTHING) == not_supported
    assert media.command(9999, NOTHING) == not_supported
    media.set_commands({pb.COMMAND_PLAY: FakeCommand(is_enabled=False)})
    assert media.command(pb.COMMAND_PLAY, NOTHING) == not_supported
    assert media.command(pb.COMMAND_PAUSE, NOTHING) == not_supported
    media.set_default_commands(MUSIC[0], {pb.COMMAND_PAUSE: FakeCommand()})
    assert media.command(pb.COMMAND_PAUSE, NOTHING) == pb.SEND_ERROR_NO_ERROR


def test_apps_and_players(
    media: MediaModel, music: FakePlayer, told: list[pb.ProtocolMessage]
) -> None:
    media.play(FILMS[0], film(), name=FILMS[1])
    client = media.client(FILMS[0])
    client.player("other").items.append(episode())
    media.activate_player(FILMS[0], "other")
    assert media.item == episode()
    media.rename(FILMS[0], "Films")
    assert told[-1].update_client.client.display_name == "Films"
    media.set_default_commands(FILMS[0], FILM_COMMANDS)
    kinds = [message.type for message in media.messages()]
    assert kinds.count(pb.MESSAGE_TYPE_SET_STATE) == 3
    assert kinds.count(pb.MESSAGE_TYPE_SET_DEFAULT_SUPPORTED_COMMANDS) == 1
    assert kinds.count(pb.MESSAGE_TYPE_SET_NOW_PLAYING_PLAYER) == 2
    assert kinds[-1] == pb.MESSAGE_TYPE_SET_NOW_PLAYING_CLIENT
    media.remove_player(FILMS[0], "other")
    assert told[-1].remove_player.player_path.player.identifier == "other"
    assert media.item == film()
    media.activate_player(FILMS[0], "new")
    media.remove_player(FILMS[0], DEFAULT_PLAYER)
    assert client.active == "new"
    media.remove(MUSIC[0])
    assert told[-1].remove_client.client.bundle_identifier == MUSIC[0]
    assert media.active == FILMS[0]
    media.clear()
    assert media.player is None
    assert not media.clients


def test_changes_of_an_item(
    media: MediaModel, music: FakePlayer, told: list[pb.ProtocolMessage]
) -> None:
    media.change_item(title="Another", artist=None)
    update = told[-1].update_content_item
    (item,) = update.content_items
    assert (item.identifier, item.metadata.title) == ("song-1", "Another")
    assert not item.metadata.HasField("album_name")
    assert media.item is not None
    assert (media.item.title, media.item.artist) == ("Another", None)
    media.tell_progress()
    (item,) = told[-1].update_content_item.content_items
    assert item.metadata.HasField("elapsed_time_timestamp")


def test_news_without_a_queue(
    media: MediaModel, music: FakePlayer, told: list[pb.ProtocolMessage]
) -> None:
    media.tell_artwork()
    (item,) = told[-1].update_content_item_artwork.content_items
    assert item.identifier == "song-1"
    media.tell_old_form()
    state = told[-1].set_state
    assert (state.display_id, state.now_playing_info.title) == (MUSIC[0], "Retransmit")
    assert state.now_playing_info.HasField("timestamp")
    assert not state.HasField("player_path")
    music.state = music.rate = music.measured_at = None
    media.tell_old_form()
    state = told[-1].set_state
    assert not state.HasField("playback_state")
    assert not state.now_playing_info.HasField("playback_rate")


def test_pictures_are_png() -> None:
    data = png(30, 20, hue=5)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">2I", data[16:24]) == (30, 20)
    assert png(30, 20, hue=6) != data


def test_ways_of_pictures(media: MediaModel) -> None:
    media.base_url = "http://127.0.0.1:1"
    shown = {}
    for way in ("data", "url", "template"):
        item = FakeItem("i", picture=picture("p", way, (8, 8)))
        shown[way] = item_message(item, None, media.base_url).metadata
    assert all(metadata.artwork_available for metadata in shown.values())
    assert shown["data"].artwork_identifier == "p"
    assert not shown["data"].HasField("artwork_url")
    assert shown["url"].artwork_url == "http://127.0.0.1:1/p/artwork"
    template = shown["template"].artwork_identifier
    assert template == "http://127.0.0.1:1/p/{w}x{h}{c}.{f}"


@pytest.fixture
async def device(socket_enabled: None) -> AsyncIterator[FakeAppleTv]:
    async with FakeAppleTv(os="tvos_18") as device:
        yield device


async def fetch(url: str, method: str = "GET") -> tuple[int, str, bytes]:
    async with aiohttp.ClientSession() as session, session.request(method, url) as got:
        return got.status, got.content_type, await got.read()


async def test_picture_server(device: FakeAppleTv) -> None:
    shown = picture("a/b", "url", (64, 64))
    device.mrp.media.play(FILMS[0], FakeItem("i", picture=shown))
    base = device.mrp.media.base_url
    assert await fetch(f"{base}/a/b/artwork") == (200, "image/png", shown.data)
    status, kind, data = await fetch(f"{base}/a/b/20x10bb.png")
    assert (status, kind) == (200, "image/png")
    assert struct.unpack(">2I", data[16:24]) == (20, 10)
    for path in ("a/b/what", "c/artwork", ""):
        assert (await fetch(f"{base}/{path}"))[0] == 404
    assert (await fetch(f"{base}/a/b/artwork", "POST"))[0] == 404
    await device.wait_for("artwork_request", path="/a/b/artwork")


async def test_picture_server_with_bad_manners(device: FakeAppleTv) -> None:
    device.mrp.media.play(FILMS[0], FakeItem("i", picture=picture("p", "url", (8, 8))))
    server, url = device.mrp.artwork, f"{device.mrp.media.base_url}/p/artwork"
    server.status, server.content_type = 500, "text/html"
    assert (await fetch(url))[:2] == (500, "text/html")
    server.status, server.body = 200, b"not a picture"
    assert (await fetch(url))[2] == b"not a picture"
    server.endless = True
    device.mark()
    fetching = asyncio.ensure_future(fetch(url))
    await device.wait_for("artwork_request")
    device.mrp.drop()
    with pytest.raises(aiohttp.ClientError):
        await fetching
    reader, writer = await asyncio.open_connection(
        device.address, int(url.split(":")[2].split("/", maxsplit=1)[0])
    )
    writer.write(b"nonsense\r\n\r\n")
    with pytest.raises((ConnectionError, EOFError)):
        await reader.readexactly(1)
    writer.close()


async def test_evening(device: FakeAppleTv) -> None:
    evening = Evening(device, 0)
    media = device.mrp.media
    seen = []
    for number in range(9):
        evening.step()
        assert (device.text_field is not None) is (number == 3)
        item, player = media.item, media.player
        seen.append(
            (media.active, item.title if item else None, player and player.state)
        )
    playing, paused = pb.PLAYBACK_STATE_PLAYING, pb.PLAYBACK_STATE_PAUSED
    assert seen == [
        (FILMS[0], "The Long Loopback", playing),
        (FILMS[0], "The Long Loopback", paused),
        (FILMS[0], "The Long Loopback", playing),
        (FILMS[0], "The Long Loopback", playing),
        (TV[0], "Nine Packets", playing),
        (MUSIC[0], "Retransmit", playing),
        (MUSIC[0], "Sliding Window", playing),
        (None, None, None),
        (FILMS[0], "The Long Loopback", playing),
    ]
    media.clear()
    evening.step()
    assert media.item is None


@pytest.mark.usefixtures("socket_enabled")
async def test_evening_of_a_speaker() -> None:
    async with FakeAppleTv("Kitchen", "homepod") as pod:
        evening = Evening(pod, 0)
        titles, volumes = [], []
        for _ in range(8):
            evening.step()
            item = pod.mrp.media.item
            titles.append(item.title if item else None)
            volumes.append(pod.volume)
    assert titles == [
        *(["Retransmit"] * 2),
        *(["Sliding Window"] * 3),
        *(["Three-Way Handshake"] * 2),
        None,
    ]
    assert volumes == [0.5, *([0.55] * 5), 0.35, 0.35]


async def test_evening_by_itself(device: FakeAppleTv) -> None:
    for evening in (Evening(device, 0), Evening(device, 0.001)):
        evening.start()
    await device.wait_for("playing", state=pb.PLAYBACK_STATE_PAUSED)
    device.set_power(False, "test")
    device.mark()
    evening.stop()
    Evening(device, 0).stop()

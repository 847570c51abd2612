import math

from google.protobuf.message import DecodeError
from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.apple.models import App, Playing
from custom_components.rumpus.protocols.mrp.commands import MAX_COMMANDS, MAX_INTERVALS
from custom_components.rumpus.protocols.mrp.enums import Command
from custom_components.rumpus.protocols.mrp.media import NOTHING, PLAYING
from custom_components.rumpus.protocols.mrp.metadata import (
    MAX_IDENTIFIER,
    MAX_NUMBER,
    MAX_TEXT,
    MAX_URL,
)
from custom_components.rumpus.protocols.mrp.players import (
    DEFAULT_PLAYER,
    MAX_CLIENTS,
    MAX_ITEMS,
    MAX_PLAYERS,
    MAX_UPDATES,
)
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.protocols.mrp.media_device import APP, Device, item, path
from tests.protocols.mrp.vectors import MESSAGES


@pytest.fixture
def device() -> Device:
    device = Device()
    device.activate()
    return device


def test_the_number_of_clients_is_bounded(device: Device) -> None:
    device.state(item(title="front"))
    for number in range(2 * MAX_CLIENTS):
        device.state(item(title="x"), app=f"app{number}")
    assert len(device.media._clients) == MAX_CLIENTS
    assert device.playing().title == "front"


def test_the_number_of_players_is_bounded(device: Device) -> None:
    device.state(item(title="front"))
    for number in range(2 * MAX_PLAYERS):
        device.state(item(title="x"), player=f"player{number}")
    client = device.media.client
    assert client is not None
    assert len(client.players) == MAX_PLAYERS
    assert DEFAULT_PLAYER in client.players
    assert device.playing().title == "front"


@pytest.mark.parametrize("location", [0, 40, 999])
def test_the_number_of_items_is_bounded(device: Device, location: int) -> None:
    items = [item(f"id{number}", title=f"t{number}") for number in range(1000)]
    device.state(*items, location=location)
    assert device.playing().title == f"t{location}"
    queue = device.media.queue
    assert len(queue.items) <= MAX_ITEMS
    assert queue.items[queue.location].identifier == f"id{location}"
    device.state(*items, location=4711)
    assert device.playing().title is None


def test_the_number_of_commands_is_bounded(device: Device) -> None:
    commands = [
        pb.CommandInfo(
            command=number,  # type: ignore[arg-type] # open enum
            enabled=True,
            preferred_intervals=[math.nan, *range(100)],
        )
        for number in range(2 * MAX_COMMANDS)
    ]
    device.state(commands=commands)
    player = device.media.player
    assert player is not None
    assert len(player.commands.infos) == MAX_COMMANDS
    info = device.media.command(7)
    assert info is not None
    assert info.preferred_intervals == tuple(range(MAX_INTERVALS - 1))


def test_the_number_of_commands_that_are_looked_at_is_bounded(device: Device) -> None:
    play = pb.CommandInfo(command=pb.COMMAND_PLAY, enabled=True)
    stop = pb.CommandInfo(command=pb.COMMAND_STOP, enabled=True)
    device.state(commands=[*[play] * MAX_COMMANDS, stop])
    assert device.media.command(Command.PLAY) is not None
    assert device.media.command(Command.STOP) is None


def test_the_number_of_updates_is_bounded(device: Device) -> None:
    device.state(item(title="one"))
    others = [item("other")] * MAX_UPDATES
    assert device.update(*others, item(title="two")) == NOTHING
    assert device.update(*others[1:], item(title="two")) == PLAYING


def test_the_length_of_texts_is_bounded(device: Device) -> None:
    long = "ä" * (MAX_TEXT + 1)
    names = ("title", "track_artist_name", "album_name", "genre", "series_name")
    device.state(item(**dict.fromkeys(names, long)))
    device.activate(name=long)
    playing = device.playing()
    texts = (
        *(playing.title, playing.artist, playing.album),
        *(playing.genre, playing.series_name),
    )
    assert texts == (long[:MAX_TEXT],) * 5
    assert playing.app == App(APP, long[:MAX_TEXT])


def test_the_length_of_identifiers_is_bounded(device: Device) -> None:
    long = "x" * (MAX_IDENTIFIER + 1)
    device.state(
        item(
            long,
            artwork_available=True,
            content_identifier=long,
            artwork_mime_type=long,
            artwork_identifier="x" * (MAX_URL + 1),
            artwork_url="x" * (MAX_URL + 1),
        )
    )
    playing = device.playing()
    assert playing.item_identifier is None
    assert playing.content_identifier is None
    assert playing.artwork_id is None
    assert device.state(item(), player=long) == NOTHING
    assert device.state(item(), app=long) == NOTHING
    assert device.activate(long) == NOTHING
    for message in (pb.UpdateClientMessage(client=path(long).client),):
        assert device.media.update_client(message) == NOTHING
    for one in (path(long), path(player=long)):
        active = pb.SetNowPlayingPlayerMessage(player_path=one)
        assert device.media.set_active_player(active) == NOTHING
    defaults = pb.SetDefaultSupportedCommandsMessage(player_path=path(long))
    assert device.media.set_default_commands(defaults) == NOTHING


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 2 * MAX_NUMBER])
def test_the_size_of_numbers_is_bounded(device: Device, number: float) -> None:
    device.state(
        item(
            duration=number,
            elapsed_time=number,
            elapsed_time_timestamp=number,
            playback_rate=number,
        )
    )
    playing = device.playing()
    assert (playing.total_time, playing.position, playing.rate) == (None, None, None)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(MESSAGES)),
            st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4),
        ),
        max_size=12,
    )
)
def test_any_messages_in_any_order(
    changes: list[tuple[str, list[tuple[int, int]]]],
) -> None:
    """Bytes are changed here and there; nothing fails but the decoding."""
    device = Device()
    for name, edits in changes:
        data = bytearray(MESSAGES[name].data)
        for place, byte in edits:
            data[place % len(data)] = byte
        try:
            message = pb.ProtocolMessage.FromString(bytes(data))
        except DecodeError:
            continue
        media = device.media
        media.set_state(message.set_state)
        media.update_items(message.update_content_item)
        media.set_active_client(message.set_now_playing_client)
        media.set_active_player(message.set_now_playing_player)
        media.update_client(message.update_client)
        media.remove_player(message.remove_player)
        media.set_default_commands(message.set_default_supported_commands)
        assert isinstance(device.playing(), Playing)
        media.remove_client(message.remove_client)
        assert len(device.playing().hash) > 0

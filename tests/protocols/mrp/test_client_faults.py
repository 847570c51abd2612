"""The client with devices that are slow, wrong, hostile or gone."""

import asyncio
from collections.abc import AsyncIterator, Callable
import math
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.rumpus.protocols.apple.enums import (
    DeviceState,
    InputAction,
    PowerState,
)
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.hap.credentials import HapCredentials
from custom_components.rumpus.protocols.hap.errors import (
    CredentialsRefusedError,
    DecryptionError,
    IdentityError,
)
from custom_components.rumpus.protocols.mrp import messages
from custom_components.rumpus.protocols.mrp.client import MrpClient
from custom_components.rumpus.protocols.mrp.enums import Command, HidUsage, TouchPhase
from custom_components.rumpus.protocols.mrp.errors import CommandRejectedError
from custom_components.rumpus.protocols.mrp.events import (
    ArtworkChanged,
    KeyboardChanged,
    Lost,
    PlayingChanged,
)
from custom_components.rumpus.protocols.mrp.keyboard import MAX_INPUT
from custom_components.rumpus.protocols.mrp.metadata import MAX_TEXT
from custom_components.rumpus.protocols.mrp.models import CommandResult
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from custom_components.rumpus.protocols.mrp.session import MAX_WAITING
from custom_components.rumpus.protocols.mrp.tcp import TcpTransport
from custom_components.rumpus.protocols.mrp.waiting import MAX_WAITING as MAX_REPORTS
from tests.fakes.apple_tv import FakeAppleTv
from tests.protocols.mrp.common import (
    HASTY,
    IDENTITY,
    PATIENT,
    WATCHFUL,
    Answer,
    Log,
    ScriptedTransport,
    client_of,
    pair,
    scripted,
    volume,
    volume_controls,
)
from tests.protocols.mrp.vectors import MESSAGES

real = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def device() -> AsyncIterator[FakeAppleTv]:
    async with FakeAppleTv(os="tvos_14") as device:
        yield device


# The start


@real
@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda desk: desk.wrong_signature.add("verify"), IdentityError),
        (lambda desk: desk.wrong_identifier.add("verify"), IdentityError),
        (lambda desk: desk.undecryptable.add(("verify", 2)), RumpusError),
        (lambda desk: desk.errors.update({("verify", 4): 2}), CredentialsRefusedError),
        (lambda desk: desk.silent.add(("verify", 2)), PeerTimeoutError),
        (lambda desk: desk.garbled.add(("verify", 2)), ProtocolError),
        (lambda desk: desk.unpair("mrp"), AuthenticationError),
    ],
)
async def test_the_device_has_to_prove_itself(
    device: FakeAppleTv, spoil: Callable[[Any], None], error: type[RumpusError]
) -> None:
    transport = await TcpTransport(HASTY).connect(device.address, device.mrp_port)
    credentials = pair(device)
    client = MrpClient(
        transport, IDENTITY, client_id="", credentials=credentials, timing=HASTY
    )
    log = Log()
    client.subscribe(log)
    spoil(device.desk)
    with pytest.raises(error):
        await client.start()
    assert not client.is_connected
    assert not log.of(Lost)
    await device.wait_for("mrp_ended")


@real
@pytest.mark.parametrize(
    "kind",
    [
        pb.MESSAGE_TYPE_DEVICE_INFO,
        pb.MESSAGE_TYPE_CLIENT_UPDATES_CONFIG,
        pb.MESSAGE_TYPE_GET_KEYBOARD_SESSION,
    ],
)
async def test_a_device_that_does_not_answer_at_the_start(
    device: FakeAppleTv, kind: int
) -> None:
    device.mrp.mute = {kind}
    with pytest.raises(PeerTimeoutError):
        async with client_of(device, timing=HASTY):
            pass
    await device.wait_for("mrp_ended")


@real
async def test_a_device_that_breaks_off_at_the_start(device: FakeAppleTv) -> None:
    device.mrp.mute = {pb.MESSAGE_TYPE_CLIENT_UPDATES_CONFIG}

    async def drop() -> None:
        await device.wait_for("mrp_message", type=pb.MESSAGE_TYPE_CLIENT_UPDATES_CONFIG)
        for link in tuple(device.mrp_server.links):
            link.corrupt()

    dropping = asyncio.create_task(drop())
    with pytest.raises(DecryptionError):
        async with client_of(device):
            pass
    await dropping


@pytest.mark.parametrize(
    ("reason", "error"),
    [(None, DisconnectedError), (ProtocolError("nonsense"), ProtocolError)],
)
async def test_a_device_that_breaks_off_with_its_last_answer(
    reason: RumpusError | None, error: type[RumpusError]
) -> None:
    transport = ScriptedTransport()

    def answer(question: pb.ProtocolMessage) -> None:
        def end() -> None:
            transport.push(pb.ProtocolMessage(identifier=question.identifier))
            transport.end(reason)

        asyncio.get_running_loop().call_soon(end)

    transport.answers[pb.MESSAGE_TYPE_GET_KEYBOARD_SESSION] = answer
    with pytest.raises(error):
        async with scripted(transport):
            pass
    assert transport.is_closed


async def test_a_device_that_is_nobody() -> None:
    transport = ScriptedTransport()
    transport.answers[pb.MESSAGE_TYPE_DEVICE_INFO] = lambda _: pb.ProtocolMessage()
    with pytest.raises(ProtocolError, match="introduce"):
        async with scripted(transport):
            pass
    assert transport.is_closed


async def test_a_session_starts_once() -> None:
    async with scripted() as (client, _, _):
        with pytest.raises(RuntimeError, match="once"):
            await client.start()
        assert client.is_connected


async def test_before_the_start_there_is_no_session() -> None:
    transport = ScriptedTransport()
    client = MrpClient(transport, IDENTITY, client_id="me")
    with pytest.raises(DisconnectedError):
        await client.play()
    assert client.playing.device_state is DeviceState.IDLE
    assert client.power is PowerState.UNKNOWN
    assert client.queue.items == ()
    await client.close()
    assert transport.is_closed


async def test_the_tunnel_needs_no_verification() -> None:
    credentials = HapCredentials(bytes(32), bytes(32), b"device", b"me")
    transport = ScriptedTransport()
    client = MrpClient(
        transport, IDENTITY, client_id="", credentials=credentials, timing=PATIENT
    )
    await client.start()
    kinds = [message.type for message in transport.sent]
    assert kinds == [
        pb.MESSAGE_TYPE_DEVICE_INFO,
        pb.MESSAGE_TYPE_SET_CONNECTION_STATE,
        pb.MESSAGE_TYPE_CLIENT_UPDATES_CONFIG,
        pb.MESSAGE_TYPE_GET_KEYBOARD_SESSION,
    ]
    assert transport.sent[0].device_info.unique_identifier == "me"
    assert not transport.sent[1].HasField("identifier")
    await client.close()


# The end


@real
async def test_a_frame_that_does_not_decrypt_ends_the_session(
    device: FakeAppleTv,
) -> None:
    async with client_of(device) as (client, log):
        device.mrp.mute = {pb.MESSAGE_TYPE_SEND_COMMAND}
        playing = asyncio.create_task(client.play())
        await device.wait_for("mrp_message", type=pb.MESSAGE_TYPE_SEND_COMMAND)
        for link in tuple(device.mrp_server.links):
            link.corrupt()
        lost = await log.get(Lost)
        assert isinstance(lost.error, DecryptionError)
        with pytest.raises(DisconnectedError) as caught:
            await playing
        assert isinstance(caught.value.__cause__, DecryptionError)
        assert not client.is_connected


@real
async def test_a_device_that_closes_in_order(device: FakeAppleTv) -> None:
    async with client_of(device) as (client, log):
        for link in tuple(device.mrp_server.links):
            link.link.close()
        assert await log.get(Lost) == Lost(None)
        assert not client.is_connected


@real
async def test_a_device_that_vanishes_is_noticed(device: FakeAppleTv) -> None:
    async with client_of(device, timing=WATCHFUL) as (client, log):
        await device.wait_for("mrp_message", type=pb.MESSAGE_TYPE_GENERIC)
        device.vanish()
        waiting = asyncio.create_task(client.play())
        lost = await log.get(Lost)
        assert isinstance(lost.error, PeerTimeoutError)
        with pytest.raises(RumpusError):
            await waiting
        assert len(log.of(Lost)) == 0


@real
async def test_any_message_is_a_sign_of_life(device: FakeAppleTv) -> None:
    """Who answers no heartbeat but says something else is there."""
    async with client_of(device, timing=WATCHFUL) as (client, log):
        device.mrp.mute = {pb.MESSAGE_TYPE_GENERIC}
        for number in range(3):
            await device.wait_for("mrp_message", type=pb.MESSAGE_TYPE_GENERIC)
            device.events.mark()
            device.mrp.tell_unknown()
            assert number < 3
        assert client.is_connected
        assert not log.of(Lost)


async def test_close_fails_what_waits_and_tells_nothing() -> None:
    async with scripted() as (client, transport, log):
        waiting = asyncio.create_task(client.play())
        transport.asked.clear()
        await transport.asked.wait()
        await client.close()
        with pytest.raises(DisconnectedError):
            await waiting
        await client.close()
        assert not log.of(Lost)
        with pytest.raises(DisconnectedError):
            await client.wake()


async def test_the_number_of_waiting_requests_is_bounded() -> None:
    async with scripted() as (client, _, _):
        waiting = [asyncio.create_task(client.play()) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(ProtocolError, match="Too many"):
            await client.play()
        await client.close()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result) for result in results} == {DisconnectedError}


async def test_the_number_who_wait_for_reports_is_bounded() -> None:
    async with scripted() as (client, transport, _):
        transport.push(volume_controls(3))
        waiting = [
            asyncio.create_task(client.set_volume(7)) for _ in range(MAX_REPORTS)
        ]
        await asyncio.sleep(0)
        with pytest.raises(ProtocolError, match="Too many"):
            await client.set_volume(7)
        transport.push(volume(0.07))
        await asyncio.gather(*waiting)


# Commands


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (pb.SendCommandResultMessage(send_error=pb.SEND_ERROR_NO_ERROR), (0, None)),
        (pb.SendCommandResultMessage(), (0, None)),
        (
            pb.SendCommandResultMessage(
                send_error=pb.SEND_ERROR_NO_ERROR,
                handler_return_status=pb.HANDLER_RETURN_STATUS_COMMAND_FAILED,
            ),
            (0, 2),
        ),
    ],
)
async def test_accepted_commands(
    result: pb.SendCommandResultMessage, outcome: tuple[int, int | None]
) -> None:
    async with scripted() as (client, transport, _):
        transport.answers[pb.MESSAGE_TYPE_SEND_COMMAND] = lambda _: pb.ProtocolMessage(
            send_command_result=result
        )
        assert await client.play() == CommandResult(*outcome)


@pytest.mark.parametrize(
    ("answer", "error", "status"),
    [
        ("", None, None),
        ("3a020863", 99, None),  # an error that nobody knows
        ("3a021002", None, 2),
        ("3a0432021003", 3, None),  # in the newer place
        ("3a040803106f", 3, 111),
    ],
)
async def test_refused_commands(
    answer: str, error: int | None, status: int | None
) -> None:
    async with scripted() as (client, transport, _):
        transport.answers[pb.MESSAGE_TYPE_SEND_COMMAND] = lambda _: messages.decode(
            bytes.fromhex(answer)
        )
        with pytest.raises(CommandRejectedError) as caught:
            await client.play()
        assert (caught.value.send_error, caught.value.status) == (error, status)
        assert str(caught.value).startswith("PLAY failed: ")


async def test_toggle_without_its_command() -> None:
    async with scripted() as (client, transport, _):
        transport.answers[pb.MESSAGE_TYPE_SEND_COMMAND] = lambda _: pb.ProtocolMessage(
            send_command_result=pb.SendCommandResultMessage()
        )
        assert await client.toggle() is None
        vector = pb.ProtocolMessage.FromString(MESSAGES["SET_STATE video playing"].data)
        active = messages.make(pb.MESSAGE_TYPE_SET_NOW_PLAYING_CLIENT)
        active.set_now_playing_client.client.CopyFrom(
            vector.set_state.player_path.client
        )
        for state in (pb.PLAYBACK_STATE_PLAYING, pb.PLAYBACK_STATE_PAUSED):
            vector.set_state.playback_state = state
            transport.push(vector, active)
            assert await client.toggle() == CommandResult(0)
        sent = transport.of(pb.MESSAGE_TYPE_SEND_COMMAND)
        assert [int(m.send_command.command) for m in sent] == [
            Command.PAUSE,
            Command.PLAY,
        ]


@pytest.mark.parametrize("number", [math.nan, math.inf, 1e9])
async def test_the_size_of_positions_is_bounded(number: float) -> None:
    async with scripted() as (client, _, _):
        for ask in (client.seek, client.skip):
            with pytest.raises(ValueError, match="no such time"):
                await ask(number)


def always(told: pb.ProtocolMessage) -> Answer:
    return lambda _: told


async def test_a_device_without_touch() -> None:
    async with scripted() as (client, transport, _):
        for answer in ("", "62040801 1009", "62020800"):
            told = messages.decode(bytes.fromhex(answer))
            transport.answers[pb.MESSAGE_TYPE_REGISTER_HID_DEVICE] = always(told)
            with pytest.raises(UnsupportedError):
                await client.touch(1, 2, TouchPhase.BEGAN)
        with pytest.raises(UnsupportedError):
            await client.tap(1, 2)


async def test_a_key_that_is_held_when_the_connection_ends() -> None:
    async with scripted() as (client, transport, _):
        press = asyncio.create_task(
            client.press(HidUsage.UP, InputAction.HOLD, hold=0.01)
        )
        transport.asked.clear()
        await transport.asked.wait()
        transport.end()
        with pytest.raises(DisconnectedError):
            await press
        assert len(transport.of(pb.MESSAGE_TYPE_SEND_HID_EVENT)) == 1


# The rest


async def test_the_length_of_typed_text_is_bounded() -> None:
    async with scripted() as (client, transport, _):
        with pytest.raises(ValueError, match=str(MAX_INPUT)):
            await client.text_input("x" * (MAX_INPUT + 1))
        assert not transport.of(pb.MESSAGE_TYPE_TEXT_INPUT)


async def test_the_length_of_a_fields_texts_is_bounded() -> None:
    async with scripted() as (client, transport, log):
        message = messages.make(pb.MESSAGE_TYPE_KEYBOARD)
        message.keyboard.state = pb.KEYBOARD_STATE_EDITING
        attributes = message.keyboard.attributes
        attributes.title = attributes.prompt = "x" * (MAX_TEXT + 1)
        attributes.input_traits.secure_text_entry = True
        transport.push(message, message)
        assert client.keyboard.title == client.keyboard.prompt == "x" * MAX_TEXT
        assert (client.keyboard.is_secure, client.keyboard.is_editing) == (True, True)
        assert len(log.of(KeyboardChanged)) == 1


async def test_another_picture_of_the_same_item() -> None:
    async with scripted() as (_, transport, log):
        vector = pb.ProtocolMessage.FromString(MESSAGES["SET_STATE video playing"].data)
        active = messages.make(pb.MESSAGE_TYPE_SET_NOW_PLAYING_CLIENT)
        active.set_now_playing_client.client.CopyFrom(
            vector.set_state.player_path.client
        )
        message = messages.make(pb.MESSAGE_TYPE_UPDATE_CONTENT_ITEM_ARTWORK)
        message.update_content_item_artwork.content_items.add(identifier="other")
        transport.push(message, vector, active, message)
        assert not log.of(ArtworkChanged)
        message.update_content_item_artwork.content_items.add(identifier="id1")
        transport.push(message)
        assert len(log.of(ArtworkChanged)) == 1


async def test_what_changes_nothing_is_not_told() -> None:
    async with scripted() as (_, transport, log):
        vector = pb.ProtocolMessage.FromString(MESSAGES["SET_STATE video playing"].data)
        active = messages.make(pb.MESSAGE_TYPE_SET_NOW_PLAYING_CLIENT)
        active.set_now_playing_client.client.CopyFrom(
            vector.set_state.player_path.client
        )
        transport.push(active, vector, vector, active)
        transport.push(messages.make(pb.MESSAGE_TYPE_NOTIFICATION))
        assert len(log.of(PlayingChanged)) == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(MESSAGES)),
            st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=5),
            st.integers(0, 60),
        ),
        max_size=10,
    )
)
def test_any_messages(
    changes: list[tuple[str, list[tuple[int, int]], int]],
) -> None:
    """Damaged messages of every type change something or nothing, and end nothing."""

    async def run() -> None:
        async with scripted() as (client, transport, _):
            for name, edits, cut in changes:
                data = bytearray(MESSAGES[name].data)
                for place, byte in edits:
                    data[place % len(data)] = byte
                transport.push_bytes(bytes(data[: len(data) - cut]))
            assert client.is_connected
            assert client.playing.hash

    asyncio.run(run())

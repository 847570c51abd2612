"""Commands that we offer to run, and what commands print."""

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies, texts
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_fields import MAX_TEXT
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    decode_message,
    runcommand,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.runcommand import (
    MAX_KEY,
    MAX_OUTPUT_LINES,
    Command,
    CommandFinished,
    CommandList,
    CommandOutput,
    CommandRequested,
    CommandSetup,
    CommandStarted,
    CommandStop,
    CommandsWanted,
)

TYPE = "kdeconnect.runcommand"
REQUEST = "kdeconnect.runcommand.request"
OUTPUT = "kdeconnect.runcommand.output"

commands = st.builds(Command, texts.filter(bool), texts.filter(bool), texts)
run_ids = st.integers(-(2**63) + 1, 2**63 - 1)


@pytest.mark.parametrize(
    ("packet", "body", "message"),
    [
        (runcommand.request_list(), {"requestCommandList": True}, CommandsWanted()),
        (runcommand.run("k1"), {"key": "k1"}, CommandRequested("k1")),
        (runcommand.setup(), {"setup": True}, CommandSetup()),
        (runcommand.stop(), {"stop": True}, CommandStop()),
    ],
)
def test_requests(packet: Packet, body: JsonObject, message: object) -> None:
    assert packet == Packet(REQUEST, body)
    assert decode_message(packet) == message


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"requestCommandList": False},
        {"setup": "?"},
        {"stop": False},
        {"key": ""},
        {"key": 7},
        {"key": None, "setup": True},
    ],
)
def test_request_of_nothing_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(REQUEST, body))


def test_limit_of_key() -> None:
    fitting = "k" * MAX_KEY

    assert decode_message(runcommand.run(fitting)) == CommandRequested(fitting)
    with pytest.raises(ProtocolError):
        decode_message(runcommand.run(fitting + "k"))


@settings(deadline=None)
@given(
    st.lists(commands, max_size=5, unique_by=lambda command: command.key), st.booleans()
)
def test_list_round_trip(wanted: list[Command], can_add: bool) -> None:
    packet = runcommand.command_list(wanted, can_add=can_add)

    # The list is text with JSON of its own: KDE and Android take nothing else.
    assert isinstance(packet.body["commandList"], str)
    assert decode_message(packet) == CommandList(tuple(wanted), can_add)


def test_empty_list() -> None:
    assert runcommand.command_list(()) == Packet(
        TYPE, {"commandList": "{}", "canAddCommand": False}
    )


@settings(deadline=None)
@given(run_ids, texts, st.lists(texts, max_size=5), st.booleans(), st.integers(0, 255))
def test_output_round_trips(
    run_id: int, command: str, lines: list[str], success: bool, exit_code: int
) -> None:
    assert decode_message(runcommand.output_started(run_id, command)) == CommandStarted(
        run_id, command
    )
    assert decode_message(runcommand.output(run_id, lines, lines[:1])) == CommandOutput(
        run_id, tuple(lines), tuple(lines[:1])
    )
    assert decode_message(
        runcommand.output_finished(run_id, success=success, exit_code=exit_code)
    ) == CommandFinished(run_id, success, exit_code)


def test_forms_of_output() -> None:
    assert runcommand.output_started(7, "ls") == Packet(
        OUTPUT, {"commandStarted": True, "command": "ls", "id": 7}
    )
    assert runcommand.output(7, ["a", "a"]) == Packet(
        OUTPUT, {"commandOutput": True, "stdout": ["a", "a"], "stderr": [], "id": 7}
    )
    assert runcommand.output_finished(7, success=False, exit_code=1) == Packet(
        OUTPUT, {"commandFinished": True, "success": False, "exitCode": 1, "id": 7}
    )


def test_output_that_lacks_something() -> None:
    started = Packet(OUTPUT, {"commandStarted": True, "id": "7"})
    printed = Packet(OUTPUT, {"commandOutput": True, "id": 7, "stdout": "line"})
    finished = Packet(OUTPUT, {"commandFinished": True, "id": 7})

    assert decode_message(started) == CommandStarted(7, "")
    assert decode_message(printed) == CommandOutput(7, (), ())
    assert decode_message(finished) == CommandFinished(7, None, None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": 7},
        {"commandStarted": True},
        {"commandOutput": True, "id": None},
        {"commandFinished": True, "id": "x"},
        {"commandFinished": False, "id": 7},
    ],
)
def test_output_of_nothing_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(OUTPUT, body))


def test_limit_of_output_lines() -> None:
    lines: list[JsonValue] = [7, *(str(n) for n in range(MAX_OUTPUT_LINES + 1))]
    packet = Packet(
        OUTPUT, {"commandOutput": True, "id": 7, "stdout": lines, "stderr": lines}
    )

    kept = tuple(str(n) for n in range(MAX_OUTPUT_LINES))
    assert decode_message(packet) == CommandOutput(7, kept, kept)


def test_limit_of_an_output_line() -> None:
    packet = runcommand.output(7, ["l" * (MAX_TEXT + 1)])

    assert decode_message(packet) == CommandOutput(7, ("l" * MAX_TEXT,), ())


@settings(deadline=None)
@given(
    st.sampled_from([REQUEST, OUTPUT]),
    bodies(
        "requestCommandList",
        "key",
        "setup",
        "stop",
        "commandStarted",
        "commandOutput",
        "commandFinished",
        "id",
        "stdout",
        "stderr",
    ),
)
def test_any_packet_is_a_message_or_a_protocol_error(
    packet_type: str, body: JsonObject
) -> None:
    try:
        message = decode_message(Packet(packet_type, body))
    except ProtocolError:
        return
    assert message is not None


def test_output_is_not_shown() -> None:
    for message in (CommandStarted(1, "secret"), CommandOutput(1, ("secret",), ())):
        assert "secret" not in repr(message)

"""Command lists."""

from typing import cast

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import json_values
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_fields import MAX_TEXT
from custom_components.rumpus.protocols.json_lines import (
    MAX_DEPTH,
    JsonObject,
    JsonValue,
    encode_json,
)
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    decode_message,
    runcommand,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.runcommand import (
    MAX_COMMANDS,
    MAX_KEY,
    Command,
    CommandList,
)

REQUEST = "kdeconnect.runcommand.request"
ENTRY: JsonObject = {"name": "Say hi", "command": "echo hi"}

commands = st.builds(
    Command,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=MAX_KEY),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)


def listed(entries: JsonValue) -> tuple[Command, ...]:
    """Return the commands of a packet."""
    packet = Packet("kdeconnect.runcommand", {"commandList": entries})
    return CommandList.from_packet(packet).commands


def test_capture_of_kde_26() -> None:
    packet = Packet(
        "kdeconnect.runcommand",
        {
            "canAddCommand": True,
            "commandList": '{"k1": {"name": "Say hi", "command": "echo hi"}}',
        },
    )

    assert decode_message(packet) == CommandList(
        (Command("k1", "Say hi", "echo hi"),), can_add=True
    )


def test_capture_of_an_empty_list() -> None:
    packet = Packet(
        "kdeconnect.runcommand", {"canAddCommand": True, "commandList": "{}"}
    )

    assert decode_message(packet) == CommandList((), can_add=True)


@settings(deadline=None)
@given(
    st.lists(commands, max_size=5, unique_by=lambda command: command.key), st.booleans()
)
def test_text_and_object_are_the_same(wanted: list[Command], as_text: bool) -> None:
    entries: JsonObject = {
        command.key: {"name": command.name, "command": command.command}
        for command in wanted
    }

    assert listed(encode_json(entries).decode() if as_text else entries) == tuple(
        wanted
    )


@settings(deadline=None)
@given(json_values)
def test_any_list_is_read_or_refused(entries: JsonValue) -> None:
    try:
        found = listed(entries)
    except ProtocolError:
        return
    assert all(command.key and command.name for command in found)


@pytest.mark.parametrize("entries", [None, "", "{", "[]", "7", [], 7, True])
def test_unreadable_list_is_refused(entries: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        listed(entries)


def test_missing_list_is_refused() -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet("kdeconnect.runcommand", {"canAddCommand": True}))


@pytest.mark.parametrize(
    ("entry", "command"),
    [
        ({"name": "A", "command": "b"}, Command("k", "A", "b")),
        ({"name": "A"}, Command("k", "A", "")),
        ({"name": None, "command": 7}, Command("k", "k", "")),
        ({"name": ""}, Command("k", "k", "")),
        ({}, Command("k", "k", "")),
    ],
)
def test_entries_that_lack_something(entry: JsonObject, command: Command) -> None:
    assert listed({"k": entry}) == (command,)


def test_entries_that_are_no_objects_are_left_out() -> None:
    entries: JsonObject = {
        "a": None,
        "b": "echo",
        "c": [],
        "": {**ENTRY},
        "k": {**ENTRY},
    }

    assert [command.key for command in listed(entries)] == ["k"]


def test_limit_of_commands() -> None:
    entries: JsonObject = {str(number): {**ENTRY} for number in range(MAX_COMMANDS + 1)}

    assert [command.key for command in listed(entries)] == [
        str(n) for n in range(MAX_COMMANDS)
    ]


def test_limit_of_key() -> None:
    fitting = "k" * MAX_KEY

    assert [c.key for c in listed({fitting + "k": {**ENTRY}, fitting: {**ENTRY}})] == [
        fitting
    ]


def test_limit_of_texts() -> None:
    text = "t" * (MAX_TEXT + 1)

    assert listed({"k": {"name": text, "command": text}}) == (
        Command("k", text[:-1], text[:-1]),
    )


def test_limit_of_depth_inside_the_text() -> None:
    with pytest.raises(ProtocolError):
        listed('{"k":' * (MAX_DEPTH + 1) + "{}" + "}" * (MAX_DEPTH + 1))


@pytest.mark.parametrize("value", [False, None, "?"])
def test_adding_is_not_offered(value: JsonValue) -> None:
    packet = Packet(
        "kdeconnect.runcommand", {"commandList": {}, "canAddCommand": value}
    )

    assert cast(CommandList, decode_message(packet)).can_add is False


def test_command_text_is_not_shown() -> None:
    assert "token" not in repr(Command("k", "A", "curl --header token"))


def test_requests() -> None:
    assert runcommand.request_list() == Packet(REQUEST, {"requestCommandList": True})
    assert runcommand.run("k1") == Packet(REQUEST, {"key": "k1"})

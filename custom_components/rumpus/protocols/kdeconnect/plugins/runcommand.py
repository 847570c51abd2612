"""Commands to run, which the peer offers or we do (the KDE Connect reference, section 11.13)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import MAX_ID, MAX_TEXT, get_bool, get_int, get_str
from ...json_lines import JsonObject, JsonValue, decode_json, encode_json
from ..packet import Packet
from .message import Decoders, Message

TYPE: Final = "kdeconnect.runcommand"
TYPE_REQUEST: Final = "kdeconnect.runcommand.request"
TYPE_OUTPUT: Final = "kdeconnect.runcommand.output"

MAX_COMMANDS: Final = 100
"""Commands kept of a list."""
MAX_KEY: Final = MAX_ID
"""Characters of a command's key; a command with a longer one is dropped."""
MAX_OUTPUT_LINES: Final = 1000
"""Lines kept of one output packet, for each of both outputs."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `command` is its text for display and may hold private things."""

    key: str
    name: str
    command: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CommandList(Message):
    """All commands of the peer, and whether it has a dialogue to add more."""

    commands: tuple[Command, ...]
    can_add: bool

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a command list.

        Entries that are no objects or have an unusable key are left out, names and texts are
        cut to 1024 characters. Raises ProtocolError when there is no list.
        """
        commands: list[Command] = []
        for key, entry in _entries(packet.body.get("commandList")).items():
            if len(commands) == MAX_COMMANDS:
                break
            if isinstance(entry, dict) and 0 < len(key) <= MAX_KEY:
                name = get_str(entry, "name") or key
                commands.append(Command(key, name, get_str(entry, "command") or ""))
        return cls(tuple(commands), get_bool(packet.body, "canAddCommand") or False)


@dataclass(frozen=True, slots=True)
class CommandsWanted(Message):
    """The peer wants the list of our commands."""


@dataclass(frozen=True, slots=True)
class CommandRequested(Message):
    """The peer wants one of our commands run; a key that we did not offer is to be ignored."""

    key: str

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a request; raises ProtocolError when there is no usable key."""
        key = packet.body.get("key")
        if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY:
            raise ProtocolError("runcommand request without a usable key")
        return cls(key)


@dataclass(frozen=True, slots=True)
class CommandSetup(Message):
    """The peer wants our dialogue that adds commands."""


@dataclass(frozen=True, slots=True)
class CommandStop(Message):
    """The peer wants all running commands ended."""


@dataclass(frozen=True, slots=True)
class CommandStarted(Message):
    """A command has begun; `command` is its text, `id` is that of this run."""

    id: int
    command: str = field(repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read the begin of a run; raises ProtocolError when it is not said of which."""
        return cls(_run_id(packet.body), get_str(packet.body, "command") or "")


@dataclass(frozen=True, slots=True)
class CommandOutput(Message):
    """What a command has printed since the last such message, in lines; private."""

    id: int
    stdout: tuple[str, ...] = field(repr=False)
    stderr: tuple[str, ...] = field(repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read output; raises ProtocolError when it is not said of which run.

        Lines are cut to 1024 characters, and of each output 1000 are kept.
        """
        body = packet.body
        return cls(_run_id(body), _lines(body, "stdout"), _lines(body, "stderr"))


@dataclass(frozen=True, slots=True)
class CommandFinished(Message):
    """A command has ended; None is what the peer does not tell."""

    id: int
    success: bool | None
    exit_code: int | None

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read the end of a run; raises ProtocolError when it is not said of which."""
        body = packet.body
        return cls(_run_id(body), get_bool(body, "success"), get_int(body, "exitCode"))


type CommandRequest = CommandsWanted | CommandRequested | CommandSetup | CommandStop
type CommandResult = CommandStarted | CommandOutput | CommandFinished


def decode_request(packet: Packet) -> CommandRequest:
    """Tell the requests apart. Raises ProtocolError when the packet is none of them."""
    body = packet.body
    if get_bool(body, "requestCommandList"):
        return CommandsWanted()
    if "key" in body:
        return CommandRequested.from_packet(packet)
    if get_bool(body, "setup"):
        return CommandSetup()
    if get_bool(body, "stop"):
        return CommandStop()
    raise ProtocolError("runcommand request of nothing")


def decode_output(packet: Packet) -> CommandResult:
    """Tell the forms of output apart. Raises ProtocolError when the packet is none of them."""
    body = packet.body
    if get_bool(body, "commandStarted"):
        return CommandStarted.from_packet(packet)
    if get_bool(body, "commandOutput"):
        return CommandOutput.from_packet(packet)
    if get_bool(body, "commandFinished"):
        return CommandFinished.from_packet(packet)
    raise ProtocolError("runcommand output of nothing")


def request_list() -> Packet:
    """Ask for the commands."""
    return Packet(TYPE_REQUEST, {"requestCommandList": True})


def run(key: str) -> Packet:
    """Run a command. No result comes, and an unknown key is ignored."""
    return Packet(TYPE_REQUEST, {"key": key})


def setup() -> Packet:
    """Open the peer's dialogue that adds commands, if its list says that it has one."""
    return Packet(TYPE_REQUEST, {"setup": True})


def stop() -> Packet:
    """End all running commands; only the newest peers can."""
    return Packet(TYPE_REQUEST, {"stop": True})


def command_list(commands: Iterable[Command], *, can_add: bool = False) -> Packet:
    """Tell all our commands; their texts are shown, so they must hold no secrets."""
    entries: JsonObject = {
        command.key: {"name": command.name, "command": command.command}
        for command in commands
    }
    return Packet(
        TYPE, {"commandList": encode_json(entries).decode(), "canAddCommand": can_add}
    )


def output_started(run_id: int, command: str) -> Packet:
    """Tell that a command has begun."""
    return Packet(
        TYPE_OUTPUT, {"commandStarted": True, "command": command, "id": run_id}
    )


def output(
    run_id: int, stdout: Iterable[str] = (), stderr: Iterable[str] = ()
) -> Packet:
    """Tell lines that a command has printed."""
    return Packet(
        TYPE_OUTPUT,
        {
            "commandOutput": True,
            "stdout": list[JsonValue](stdout),
            "stderr": list[JsonValue](stderr),
            "id": run_id,
        },
    )


def output_finished(run_id: int, *, success: bool, exit_code: int) -> Packet:
    """Tell that a command has ended."""
    return Packet(
        TYPE_OUTPUT,
        {
            "commandFinished": True,
            "success": success,
            "exitCode": exit_code,
            "id": run_id,
        },
    )


def _entries(commands: JsonValue) -> JsonObject:
    """Return the table of commands, which is usually text with JSON of its own."""
    if isinstance(commands, str):
        commands = decode_json(commands)
    if not isinstance(commands, dict):
        raise ProtocolError("runcommand packet without a command list")
    return commands


def _run_id(body: JsonObject) -> int:
    run_id = get_int(body, "id")
    if run_id is None:
        raise ProtocolError("runcommand output of no run")
    return run_id


def _lines(body: JsonObject, key: str) -> tuple[str, ...]:
    lines = body.get(key)
    if not isinstance(lines, list):
        return ()
    texts = (line[:MAX_TEXT] for line in lines if isinstance(line, str))
    return tuple(islice(texts, MAX_OUTPUT_LINES))


DECODERS: Final[Decoders] = {
    TYPE: CommandList.from_packet,
    TYPE_REQUEST: decode_request,
    TYPE_OUTPUT: decode_output,
}

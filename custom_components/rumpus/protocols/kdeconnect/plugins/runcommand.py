"""Commands that the peer offers to run (the KDE Connect reference, section 11.13)."""

from dataclasses import dataclass, field
from typing import Final, Self

from ...errors import ProtocolError
from ...json_lines import JsonObject, JsonValue, decode_json
from ..fields import MAX_ID, get_bool, get_str
from ..packet import Packet
from .message import Decoders, Message

TYPE: Final = "kdeconnect.runcommand"
TYPE_REQUEST: Final = "kdeconnect.runcommand.request"

MAX_COMMANDS: Final = 100
"""Commands kept of a list."""
MAX_KEY: Final = MAX_ID
"""Characters of a command's key; a command with a longer one is dropped."""


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


def request_list() -> Packet:
    """Ask for the commands."""
    return Packet(TYPE_REQUEST, {"requestCommandList": True})


def run(key: str) -> Packet:
    """Run a command. No result comes, and an unknown key is ignored."""
    return Packet(TYPE_REQUEST, {"key": key})


def _entries(commands: JsonValue) -> JsonObject:
    """Return the table of commands, which is usually text with JSON of its own."""
    if isinstance(commands, str):
        commands = decode_json(commands)
    if not isinstance(commands, dict):
        raise ProtocolError("runcommand packet without a command list")
    return commands


DECODERS: Final[Decoders] = {TYPE: CommandList.from_packet}

"""The commands that a player says to know (the Apple TV reference, part B, 4.1, 5.5)."""

from collections.abc import Mapping
from typing import Final

from .metadata import is_sane
from .models import CommandInfo
from .proto import mrp_pb2 as pb

MAX_COMMANDS: Final = 256
"""Commands of one player that are looked at; there are below 60."""
MAX_INTERVALS: Final = 16
"""Seconds that one command may want to skip by."""

type Commands = Mapping[int, CommandInfo]

NO_COMMANDS: Final[Commands] = {}


class CommandList:
    """The list of one player, or the one that a client has for all of its players.

    Devices send it again with every change of what is played: one that is the same as
    before costs nothing.
    """

    __slots__ = ("_raw", "infos")

    def __init__(self) -> None:
        """Begin with no commands."""
        self._raw = b""
        self.infos: Commands = NO_COMMANDS

    def replace(self, message: pb.SupportedCommands) -> bool:
        """Take over a list; return whether it is another one."""
        raw = message.SerializeToString()
        if raw == self._raw:
            return False
        infos: dict[int, CommandInfo] = {}
        for entry in message.supported_commands[:MAX_COMMANDS]:
            info = _info(entry)
            infos.setdefault(info.command, info)
        changed = infos != self.infos
        self.infos = infos
        # A list that nobody would send is not worth the memory.
        self._raw = raw if len(raw) <= MAX_COMMANDS * 64 else b""
        return changed


def _info(entry: pb.CommandInfo) -> CommandInfo:
    intervals = tuple(entry.preferred_intervals[:MAX_INTERVALS])
    return CommandInfo(
        int(entry.command),
        entry.enabled,
        tuple(filter(is_sane, intervals)) if intervals else (),
        int(entry.repeat_mode) if entry.HasField("repeat_mode") else None,
        int(entry.shuffle_mode) if entry.HasField("shuffle_mode") else None,
    )

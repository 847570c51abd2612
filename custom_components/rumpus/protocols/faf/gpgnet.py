"""What a game and the lobby say to each other, over the player's connection to the lobby.

The FAF reference, sections 9 to 9.3. Both sides are interfaces: whoever implements one says
how a message leaves.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ..json_lines import JsonObject, JsonValue

#: What such messages name as their target.
TARGET: Final = "game"
#: Arguments of one message that are taken, and characters of its command.
MAX_ARGS: Final = 64
MAX_COMMAND: Final = 64


class GpgNetState(StrEnum):
    """What a game says about itself; unknown states are text."""

    IDLE = "Idle"
    LOBBY = "Lobby"
    LAUNCHING = "Launching"
    ENDED = "Ended"


class LaunchStatus(StrEnum):
    """How far a game is with its peers; unknown ones are text."""

    CONNECTING = "Connecting"
    MISSING_LOCAL_PEERS = "Missing local peers"
    REJOINING = "Rejoining"
    READY = "Ready"
    EJECTED = "Ejected"
    REJECTED = "Rejected"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class GpgNetMessage:
    """One message of a game or to it: a command and its arguments, which may be private."""

    command: str
    args: tuple[JsonValue, ...] = field(default=(), repr=False)


def wrap(command: str, args: Sequence[JsonValue] = ()) -> JsonObject:
    """Return a message of a game as the lobby's connection carries it."""
    return {"command": command, "args": list(args), "target": TARGET}


def unwrap(message: JsonObject) -> GpgNetMessage | None:
    """Return the message of a game that one of the lobby's carries.

    None when it carries none, or one whose command is no text of up to MAX_COMMAND
    characters or whose arguments are no list of up to MAX_ARGS.
    """
    command, args = message.get("command"), message.get("args", [])
    if (
        message.get("target") != TARGET
        or not isinstance(command, str)
        or len(command) > MAX_COMMAND
        or not isinstance(args, list)
        or len(args) > MAX_ARGS
    ):
        return None
    return GpgNetMessage(command, tuple(args))


class GpgNetServerProtocol(ABC):
    """What the lobby says to a game (the FAF reference, section 9.1)."""

    async def send_ConnectToPeer(
        self, player_name: str, player_uid: int, offer: bool
    ) -> None:
        """Have the game connect to a player; `offer` is whether it makes the first step."""
        await self.send_gpgnet_message(
            "ConnectToPeer", [player_name, player_uid, offer]
        )

    async def send_JoinGame(
        self, remote_player_name: str, remote_player_uid: int
    ) -> None:
        """Have the game join that of a host."""
        await self.send_gpgnet_message(
            "JoinGame", [remote_player_name, remote_player_uid]
        )

    async def send_HostGame(self, map_path: str) -> None:
        """Have the game wait for others, on the map in that folder."""
        await self.send_gpgnet_message("HostGame", [str(map_path)])

    async def send_DisconnectFromPeer(self, id: int) -> None:
        """Have the game leave the player with that number alone."""
        await self.send_gpgnet_message("DisconnectFromPeer", [id])

    async def send_IceMsg(self, sender_uid: int, message: JsonValue) -> None:
        """Hand on what a player's network helper says to the game's."""
        await self.send_gpgnet_message("IceMsg", [sender_uid, message])

    async def send_gpgnet_message(
        self, command_id: str, arguments: Sequence[JsonValue]
    ) -> None:
        """Send any command with its arguments."""
        await self.send(wrap(command_id, arguments))

    @abstractmethod
    async def send(self, message: JsonObject) -> None:
        """Send a message to the game's client. May raise DisconnectedError."""


class GpgNetClientProtocol(ABC):
    """What a game says to the lobby (the FAF reference, section 9.2)."""

    @abstractmethod
    def send_gpgnet_message(
        self, command_id: str, arguments: Sequence[JsonValue]
    ) -> None:
        """Send any command with its arguments. May raise DisconnectedError."""

    def send_GameState(self, arguments: Sequence[JsonValue]) -> None:
        """Say what the game is doing: a list with one GpgNetState."""
        self.send_gpgnet_message("GameState", arguments)

    # What only a host's game says.

    def send_GameOption(self, key: str, value: JsonValue) -> None:
        """Set one of the game's options, such as Slots, ScenarioFile, Title, Victory."""
        self.send_gpgnet_message("GameOption", [key, value])

    def send_GameMods_activated(self, count: int) -> None:
        """Say how many modifications are active; none are with 0."""
        self.send_gpgnet_message("GameMods", ["activated", count])

    def send_GameMods_uids(self, uids: Sequence[str]) -> None:
        """Say which modifications are active."""
        self.send_gpgnet_message("GameMods", ["uids", " ".join(uids)])

    def send_PlayerOption(self, player_uid: int, key: str, value: JsonValue) -> None:
        """Set an option of a player: Faction, Color, Team, Army or StartSpot."""
        self.send_gpgnet_message("PlayerOption", [player_uid, key, value])

    def send_AIOption(self, name: str, key: str, value: JsonValue) -> None:
        """Set an option of a player that is a program."""
        self.send_gpgnet_message("AIOption", [name, key, value])

    def send_ClearSlot(self, slot: int) -> None:
        """Free a slot."""
        self.send_gpgnet_message("ClearSlot", [slot])

    # What every game says.

    def send_GameResult(self, army: int, result: str) -> None:
        """Say how an army fared, such as "victory 10"."""
        self.send_gpgnet_message("GameResult", [army, result])

    def send_GameEnded(self) -> None:
        """Say that the simulation has ended."""
        self.send_gpgnet_message("GameEnded", [])

    def send_JsonStats(self, stats: str) -> None:
        """Send statistics, which are JSON in a text."""
        self.send_gpgnet_message("JsonStats", [stats])

    def send_EnforceRating(self) -> None:
        """Ask for ratings to change although the game was short."""
        self.send_gpgnet_message("EnforceRating", [])

    def send_Desync(self, arguments: Sequence[JsonValue] = ()) -> None:
        """Say that the simulations differ."""
        self.send_gpgnet_message("Desync", arguments)

    def send_OperationComplete(
        self, primary: bool, secondary: bool, duration: str
    ) -> None:
        """Say how a mission ended; the duration is HH:MM:SS."""
        self.send_gpgnet_message(
            "OperationComplete", [int(primary), int(secondary), duration]
        )

    def send_TeamkillHappened(
        self, seconds: float, victim: tuple[int, str], killer: tuple[int, str]
    ) -> None:
        """Say that a player, by number and name, has killed one of the same team."""
        self.send_gpgnet_message("TeamkillHappened", [seconds, *victim, *killer])

    def send_TeamkillReport(
        self, seconds: float, reporter: tuple[int, str], killer: tuple[int, str]
    ) -> None:
        """Report such a kill."""
        self.send_gpgnet_message("TeamkillReport", [seconds, *reporter, *killer])

    def send_IceMsg(self, receiver_uid: int, message: JsonValue) -> None:
        """Have the lobby hand something on to another player's network helper."""
        self.send_gpgnet_message("IceMsg", [receiver_uid, message])

    def send_LaunchStatus(self, status: LaunchStatus | str) -> None:
        """Say how far the game is with its peers."""
        self.send_gpgnet_message("LaunchStatus", [str(status)])

    # What lobbies ignore, and games say nevertheless.

    def send_Chat(self, text: str) -> None:
        """Repeat what was said in the game."""
        self.send_gpgnet_message("Chat", [text])

    def send_GameFull(self) -> None:
        """Say that nobody else can join."""
        self.send_gpgnet_message("GameFull", [])

    def send_Rehost(self, arguments: Sequence[JsonValue] = ()) -> None:
        """Say that the same game is to be hosted again."""
        self.send_gpgnet_message("Rehost", arguments)

    def send_Bottleneck(self, arguments: Sequence[JsonValue] = ()) -> None:
        """Say that a player holds up the game."""
        self.send_gpgnet_message("Bottleneck", arguments)

    def send_BottleneckCleared(self) -> None:
        """Say that nobody holds up the game any more."""
        self.send_gpgnet_message("BottleneckCleared", [])

    def send_Disconnected(self, arguments: Sequence[JsonValue] = ()) -> None:
        """Say that the game has lost its players."""
        self.send_gpgnet_message("Disconnected", arguments)

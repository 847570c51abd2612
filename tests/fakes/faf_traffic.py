"""What games tell the server over their client's connection (sections 9.2 and 9.3)."""

from collections.abc import Callable
import contextlib
from typing import TYPE_CHECKING, Final

from tests.fakes.faf_games import MAX_TITLE, to_game
from tests.fakes.faf_json import JsonObject, JsonValue, whole
from tests.fakes.faf_models import FakeGame, Player, PlayerState, Stage

if TYPE_CHECKING:
    from tests.fakes.faf_core import Core
    from tests.fakes.faf_games import Games
    from tests.fakes.faf_matchmaker import Matchmaker
    from tests.fakes.faf_session import Session

_OUTCOMES: Final = frozenset({"victory", "defeat", "draw", "mutual_draw"})
_VICTORIES: Final = frozenset(
    {"demoralization", "domination", "eradication", "sandbox", "decapitation"}
)

type _Handler = Callable[[FakeGame, Player, list[JsonValue]], None]


class GameTraffic:
    """Handles the messages of games; what is unknown or wrong is ignored."""

    def __init__(self, core: Core, games: Games, matchmaker: Matchmaker) -> None:
        self._core = core
        self._games = games
        self._matchmaker = matchmaker
        self._handlers: dict[str, _Handler] = {
            "GameState": self._game_state,
            "GameOption": self._game_option,
            "GameMods": self._game_mods,
            "PlayerOption": self._player_option,
            "AIOption": self._ai_option,
            "ClearSlot": self._clear_slot,
            "GameResult": self._game_result,
            "GameEnded": self._game_ended,
            "Desync": self._desync,
            "IceMsg": self._ice_message,
        }

    def handle(
        self, session: Session, command: str, arguments: list[JsonValue]
    ) -> None:
        """Handle a message of a game, if there is one."""
        player = session.player
        if player is None or player.game is None:
            return
        self._core.events.emit(
            "game_command", login=player.login, command=command, args=arguments
        )
        handler = self._handlers.get(command)
        if handler is not None:
            with contextlib.suppress(LookupError, ValueError, TypeError):
                handler(player.game, player, arguments)

    # --- states ---

    def _game_state(
        self, game: FakeGame, player: Player, arguments: list[JsonValue]
    ) -> None:
        (state,) = arguments
        match state:
            case "Idle":
                self._idle(game, player)
            case "Lobby":
                self._lobby(game, player)
            case "Launching":
                if player is game.host and game.stage is Stage.LOBBY:
                    self._games.launch(game)
            case "Ended":
                self._games.leave(game, player)

    def _idle(self, game: FakeGame, player: Player) -> None:
        if player is game.host:
            self._games.open(game, player)
        elif game.stage is Stage.LOBBY:
            self._games.seat(game, player)
            player.state = PlayerState.JOINING
            self._core.touch_game(game)

    def _lobby(self, game: FakeGame, player: Player) -> None:
        seat = game.seats.get(player.id)
        if seat is None:
            return
        seat.is_in_lobby = True
        if player is game.host:
            player.write(to_game("HostGame", game.map_name))
            self._matchmaker.host_ready(game)
            return
        host = game.seats.get(game.host.id)
        if host is None:
            self._games.leave(game, player)
            return
        player.write(to_game("JoinGame", game.host.login, game.host.id))
        game.host.write(to_game("ConnectToPeer", player.login, player.id, True))
        for other in game.seats.values():
            peer = other.player
            if peer is player or peer is game.host or not other.is_in_lobby:
                continue
            player.write(to_game("ConnectToPeer", peer.login, peer.id, True))
            peer.write(to_game("ConnectToPeer", player.login, player.id, False))

    # --- what the host sets ---

    def _game_option(
        self, game: FakeGame, player: Player, arguments: list[JsonValue]
    ) -> None:
        key, value = arguments
        if player is not game.host or not isinstance(key, str):
            return
        if key == "Slots":
            game.max_players = whole(value)
        elif key == "ScenarioFile":
            game.map_name = str(value).replace("\\", "/").split("/")[2].lower()
        elif key == "Title":
            if isinstance(value, str) and value.isascii() and value.strip():
                game.title = value[:MAX_TITLE]
        elif key != "Victory" or value in _VICTORIES:
            game.options[key] = value
        self._core.touch_game(game)

    def _game_mods(
        self, game: FakeGame, player: Player, arguments: list[JsonValue]
    ) -> None:
        kind, value = arguments
        if player is not game.host:
            return
        if kind == "activated" and whole(value) == 0:
            game.sim_mods = {}
        elif kind == "uids":
            game.sim_mods = {uid: f"Mod {uid}" for uid in str(value).split()}
        self._core.touch_game(game)

    def _player_option(
        self, game: FakeGame, player: Player, arguments: list[JsonValue]
    ) -> None:
        number, key, value = arguments
        if player is game.host and game.stage is Stage.LOBBY:
            game.player_options.setdefault(whole(number), {})[str(key)] = value
            self._core.touch_game(game)

    def _ai_option(
        self, game: FakeGame, player: Player, arguments: list[JsonValue]
    ) -> None:
        name, key, value = arguments
        if player is game.host:
            game.ai_options.setdefault(str(name), {})[str(key)] = value
            self._core.touch_game(game)

    def _clear_slot(
        self, game: FakeGame, player: Player, arguments: list[JsonValue]
    ) -> None:
        (slot,) = arguments
        if player is not game.host:
            return
        number = whole(slot)
        game.player_options = _without(game.player_options, number)
        game.ai_options = _without(game.ai_options, number)
        self._core.touch_game(game)

    # --- what happens in it ---

    def _game_result(
        self, game: FakeGame, player: Player, arguments: list[JsonValue]
    ) -> None:
        army, text = arguments
        words = str(text).lower().split()
        if len(words) > 1 and words[-2] in _OUTCOMES:
            game.results[whole(army)] = words[-2]

    def _game_ended(
        self, game: FakeGame, player: Player, arguments: list[JsonValue]
    ) -> None:
        if not arguments:
            self._games.simulation_ended(game, player)

    def _desync(
        self, game: FakeGame, player: Player, arguments: list[JsonValue]
    ) -> None:
        game.desyncs += 1

    def _ice_message(
        self, game: FakeGame, player: Player, arguments: list[JsonValue]
    ) -> None:
        receiver, message = arguments
        seat = game.seats.get(whole(receiver))
        if seat is not None:
            seat.player.write(to_game("IceMsg", player.id, message))


def _without[K](players: dict[K, JsonObject], slot: int) -> dict[K, JsonObject]:
    """Return those who are in another slot."""
    return {
        key: options
        for key, options in players.items()
        if options.get("StartSpot") != slot
    }

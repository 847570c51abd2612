"""The players that a user follows in a lobby."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from ...names import clean_text
from ...protocols.faf.events import RatingChanged
from ...protocols.faf.lobby import Lobby
from ...protocols.faf.models import Game, Player, PlayerStatus
from .const import MAX_LOGIN
from .state import FollowedState


class Followed:
    """Knows the followed players again, whatever they are called by now."""

    def __init__(
        self, players: Mapping[str, str], player_ids: Mapping[str, int]
    ) -> None:
        """Take the logins by their keys, and the ids of those who have been seen."""
        self._ids = {key: player_ids[key] for key in players if key in player_ids}
        self._keys = {player_id: key for key, player_id in self._ids.items()}
        self._logins = players
        self._states = {
            key: FollowedState(key, login) for key, login in players.items()
        }

    @property
    def states(self) -> Mapping[str, FollowedState]:
        """What is known of the players, by their keys; a new mapping for each change."""
        return self._states

    @property
    def player_ids(self) -> Mapping[str, int]:
        """The ids of those who have been seen, by their keys."""
        return dict(self._ids)

    def key_of(self, player_id: int) -> str | None:
        """Return the key of a player who is followed."""
        return self._keys.get(player_id)

    def keys_of(self, player_ids: Iterable[int]) -> list[str]:
        """Return the keys of those among some players who are followed."""
        keys = self._keys
        return [keys[player_id] for player_id in player_ids if player_id in keys]

    def key_of_login(self, login: str) -> str | None:
        """Return the key of a player who is followed, by what the player is called now."""
        wanted = login.casefold()
        return next(
            (
                key
                for key, state in self._states.items()
                if state.login.casefold() == wanted
            ),
            None,
        )

    def meet(self, player: Player) -> str | None:
        """Learn who a followed player is; returns the key of one who is followed."""
        key = self._keys.get(player.id)
        if key is None:
            key = player.login.casefold()
            if key not in self._logins or key in self._ids:
                # Somebody else has that name by now.
                return None
            self._ids[key] = player.id
            self._keys[player.id] = key
        return key

    def rated(self, event: RatingChanged) -> str | None:
        """Keep how a rating has changed; returns the key of one who is followed."""
        key = self._keys.get(event.player.id)
        if key is not None:
            self._states = {
                **self._states,
                key: replace(
                    self._states[key],
                    rating_change=event.change,
                    changed_leaderboard=clean_text(event.leaderboard),
                ),
            }
        return key

    def update(self, lobby: Lobby) -> Mapping[str, FollowedState]:
        """Look at what the players do now."""
        self._meet_new(lobby)
        states = {key: self._state(key, lobby) for key in self._states}
        if states != self._states:
            self._states = states
        return self._states

    def lose(self) -> Mapping[str, FollowedState]:
        """Know no more what the players do: the lobby is gone."""
        self._states = {
            key: replace(state, status=PlayerStatus.OFFLINE, game=None, since=None)
            for key, state in self._states.items()
        }
        return self._states

    def _meet_new(self, lobby: Lobby) -> None:
        for key, login in self._logins.items():
            if key not in self._ids:
                player = lobby.find_player(login)
                if player is not None and player.id not in self._keys:
                    self._ids[key] = player.id
                    self._keys[player.id] = key

    def _state(self, key: str, lobby: Lobby) -> FollowedState:
        before = self._states[key]
        player_id = self._ids.get(key)
        if player_id is None:
            return before
        player = lobby.players.get(player_id)
        game = lobby.game_of(player_id)
        state = replace(
            before,
            status=lobby.status_of(player_id),
            game=game,
            since=None if game is None else _since(game),
        )
        if player is None:
            return state
        return replace(
            state,
            login=clean_text(player.login, MAX_LOGIN) or before.login,
            ratings=player.ratings,
            clan=player.clan,
            country=player.country,
        )


def _since(game: Game) -> datetime | None:
    return game.launched_at if game.is_running else game.hosted_at
